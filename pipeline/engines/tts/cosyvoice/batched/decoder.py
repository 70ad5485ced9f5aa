"""Gives slots to pieces until all are spoken: a piece that has ended leaves its slot to one that waits."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.engines.tts.cosyvoice.batched.cache import Slots
from pipeline.engines.tts.cosyvoice.batched.prompt import PiecePrompt
from pipeline.engines.tts.cosyvoice.batched.sampling import RepetitionAware, TokenDraws

_MOST_SILENT = 5
"""Upstream drops silent tokens after so many in a row."""


class Steps(Protocol):
    """One version's language model, for all slots at once."""

    def begin(self, read: Any, slots: Slots, slot: int) -> Any: ...

    def step(self, tokens: Any, positions: Any, slots: Slots) -> Any: ...


@dataclass
class _Piece:
    """A piece in a slot: its tokens so far, with the silent ones that are dropped at the end."""

    number: int
    prompt: PiecePrompt
    draws: TokenDraws
    tokens: list[int] = field(default_factory=list)


class Decoder:
    """Decodes pieces with one loaded language model. `ends` are the tokens that end a piece."""

    def __init__(self, steps: Steps, sampling: RepetitionAware, speech_tokens: int, ends: Sequence[int], count: int):
        self._steps, self._sampling = steps, sampling
        self._kept_out, self._ends = speech_tokens, frozenset(ends)
        self._slots = Slots(count)

    def decode(
        self, prompts: Sequence[Callable[[], PiecePrompt]], is_fatal: Callable[[BaseException], bool]
    ) -> list[list[int] | Exception]:
        """Return the speech tokens of each prompt, or the exception that it raised; a fatal one is raised.

        A prompt is made when its turn comes: what is read takes memory on the GPU.
        """
        results: list[list[int] | Exception] = [[] for _ in prompts]
        waiting = deque(enumerate(prompts))
        pieces: dict[int, _Piece] = {}
        try:
            while waiting or pieces:
                for slot in range(self._slots.count):
                    while slot not in pieces and waiting:
                        number, made = waiting.popleft()
                        try:
                            self._begin(slot, number, made, pieces, results)
                        except Exception as error:
                            if is_fatal(error):
                                raise
                            results[number] = error
                if pieces:
                    self._advance(pieces, results)
        finally:
            for slot in range(self._slots.count):
                self._slots.empty(slot)
        return results

    def _begin(
        self,
        slot: int,
        number: int,
        made: Callable[[], PiecePrompt],
        pieces: dict[int, _Piece],
        results: list[list[int] | Exception],
    ) -> None:
        prompt = made()
        piece = _Piece(number, prompt, TokenDraws(*prompt.seed))
        scores = self._steps.begin(prompt.read, self._slots, slot)
        pieces[slot] = piece
        self._say({slot: piece}, scores[None], pieces, results)

    def _advance(self, pieces: dict[int, _Piece], results: list[list[int] | Exception]) -> None:
        """Take one step with all slots."""
        import torch

        count, device = self._slots.count, self._slots.keys[0].device
        tokens = [pieces[slot].tokens[-1] if slot in pieces else 0 for slot in range(count)]
        positions = [self._slots.lengths[slot] if slot in pieces else 0 for slot in range(count)]
        both = torch.tensor([tokens, positions], device=device)
        scores = self._steps.step(both[0], both[1], self._slots)
        self._slots.advance(list(pieces))
        self._say(dict(pieces), scores[sorted(pieces)], pieces, results)

    def _say(
        self,
        said: dict[int, _Piece],
        scores: Any,
        pieces: dict[int, _Piece],
        results: list[list[int] | Exception],
    ) -> None:
        """Choose the next token of some pieces, whose scores [B, V] are in the order of their slots."""
        import torch

        slots = sorted(said)
        window = self._sampling.window
        recent = [([-1] * window + said[slot].tokens)[-window:] for slot in slots]
        early = [len(said[slot].tokens) < said[slot].prompt.shortest for slot in slots]
        uniform = torch.tensor([said[slot].draws.two().tolist() for slot in slots], dtype=torch.float64)
        kept_out = torch.tensor(early, device=scores.device)
        scores[:, self._kept_out] = scores[:, self._kept_out].masked_fill(kept_out, -torch.inf)
        chosen = self._sampling.choose(
            scores, torch.tensor(recent, device=scores.device), uniform.to(scores.device)
        ).tolist()
        for slot, token in zip(slots, chosen, strict=True):
            piece = said[slot]
            if token not in self._ends:
                piece.tokens.append(token)
            if token in self._ends or len(piece.tokens) >= piece.prompt.longest:
                results[piece.number] = piece.tokens
                del pieces[slot]
                self._slots.empty(slot)


def without_long_silence(tokens: Sequence[int], silent: Sequence[int]) -> list[int]:
    """Drop silent tokens after a few in a row, as upstream does before the flow."""
    kept, run = [], 0
    for token in tokens:
        run = run + 1 if token in silent else 0
        if run <= _MOST_SILENT:
            kept.append(token)
    return kept
