"""Gives slots to pieces until all are spoken: a piece that has ended leaves its slot to one that waits."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.engines.tts.cosyvoice.batched.cache import Slots
from pipeline.engines.tts.cosyvoice.batched.graphs import RepeatedStep, capture_on
from pipeline.engines.tts.cosyvoice.batched.inputs import (
    draws_and_recent,
    is_early,
    row_of,
    tokens_and_positions,
    width_of,
)
from pipeline.engines.tts.cosyvoice.batched.prompt import PiecePrompt
from pipeline.engines.tts.cosyvoice.batched.sampling import RepetitionAware, TokenDraws

_MOST_SILENT = 5
"""Upstream drops silent tokens after so many in a row."""
_BEGUN_OF_SLOTS = 8
"""One of so many slots must be free before prompts are read, in flight. Reading takes as long as some steps of all
slots, however few prompts there are; fewer stops cost more than the slots that wait."""
_MOST_READ = 8192
"""Tokens of prompts that are read at once, padding included."""


class Steps(Protocol):
    """One version's language model, for all slots at once."""

    def begin(self, read: Sequence[Any], slots: Slots, numbers: Sequence[int]) -> Any: ...

    def step(self, tokens: Any, positions: Any, slots: Slots, reach: int) -> Any: ...


@dataclass
class _Piece:
    """A piece in a slot: its tokens so far, with the silent ones that are dropped at the end."""

    number: int
    prompt: PiecePrompt
    draws: TokenDraws
    tokens: list[int] = field(default_factory=list)


@dataclass
class _Work:
    """What one call decodes: the prompts that wait, the pieces in flight by slot, and what became of the others."""

    waiting: deque[tuple[int, Callable[[], PiecePrompt]]]
    results: list[list[int] | Exception]
    is_fatal: Callable[[BaseException], bool]
    pieces: dict[int, _Piece] = field(default_factory=dict)

    def fail(self, number: int, error: Exception) -> None:
        """Let a piece fail; a fatal error is raised."""
        if self.is_fatal(error):
            raise error
        self.results[number] = error


class Decoder:
    """Decodes pieces with one loaded language model on `device`. `ends` are the tokens that end a piece."""

    def __init__(
        self,
        steps: Steps,
        sampling: RepetitionAware,
        speech_tokens: int,
        ends: Sequence[int],
        count: int,
        device: Any = "cpu",
    ):
        self._steps, self._sampling, self._device = steps, sampling, device
        self._kept_out, self._ends = speech_tokens, frozenset(ends)
        self._slots = Slots(count)
        self.step = RepeatedStep(self._next, self._slots, width_of(sampling.window), device, capture_on(device))

    def decode(
        self, prompts: Sequence[Callable[[], PiecePrompt]], is_fatal: Callable[[BaseException], bool]
    ) -> list[list[int] | Exception]:
        """Return the speech tokens of each prompt, or the exception that it raised; a fatal one is raised.

        A prompt is made when its turn comes: what is read takes memory on the GPU.
        """
        work = _Work(deque(enumerate(prompts)), [[] for _ in prompts], is_fatal)
        try:
            while work.waiting or work.pieces:
                while work.waiting and self._free(work) >= min(len(work.waiting), self._fewest()):
                    self._begin(work)
                if work.pieces:
                    self._advance(work)
        finally:
            for slot in range(self._slots.count):
                self._slots.empty(slot)
        return work.results

    def _free(self, work: _Work) -> int:
        return self._slots.count - len(work.pieces)

    def _fewest(self) -> int:
        return max(1, self._slots.count // _BEGUN_OF_SLOTS)

    def _begin(self, work: _Work) -> None:
        """Fill the free slots with pieces that wait."""
        made: list[_Piece] = []
        while work.waiting and len(made) < self._free(work):
            number, prompt = work.waiting.popleft()
            try:
                given = prompt()
                made.append(_Piece(number, given, TokenDraws(*given.seed)))
            except Exception as error:  # noqa: BLE001  upstream raises what it likes on data
                work.fail(number, error)
        for some in _groups(made):
            self._begin_together(some, work)

    def _begin_together(self, begun: Sequence[_Piece], work: _Work) -> None:
        """Read the prompts of some pieces; where that fails, of each alone, so that it fails alone."""
        import torch

        slots = [slot for slot in range(self._slots.count) if slot not in work.pieces][: len(begun)]
        try:
            scores = self._steps.begin([piece.prompt.read for piece in begun], self._slots, slots)
        except Exception as error:  # noqa: BLE001  as above
            if len(begun) == 1 or work.is_fatal(error):
                work.fail(begun[0].number, error)
                return
            for piece in begun:
                self._begin_together([piece], work)
            return
        told = torch.tensor([self._row(piece, 0) for piece in begun], dtype=torch.float64, device=scores.device)
        work.pieces.update(zip(slots, begun, strict=True))
        self._say(dict(zip(slots, self._choose(scores, told).tolist(), strict=True)), work)

    def _advance(self, work: _Work) -> None:
        """Take one step with all slots."""
        self._slots.reserve(max(self._slots.lengths) + 1)
        self.step.rows[:] = 0
        in_flight = list(work.pieces)
        self.step.rows[in_flight] = [self._row(work.pieces[slot], self._slots.lengths[slot]) for slot in in_flight]
        chosen = self.step()
        self._slots.advance(in_flight)
        self._say({slot: chosen[slot] for slot in in_flight}, work)

    def _row(self, piece: _Piece, position: int) -> list[float]:
        early = len(piece.tokens) < piece.prompt.shortest
        return row_of(piece.tokens, position, early, piece.draws.two().tolist(), self._sampling.window)

    def _next(self, told: Any, reach: int) -> Any:
        """Return the next tokens of all slots, int64 [slots], of what they are told, float64 [slots, width]."""
        return self._choose(self._steps.step(*tokens_and_positions(told), self._slots, reach), told)

    def _choose(self, scores: Any, told: Any) -> Any:
        """Return the chosen tokens, int64 [B], for scores [B, V] and what these slots are told."""
        import torch

        kept_out = scores[:, self._kept_out]
        scores[:, self._kept_out] = kept_out.masked_fill(is_early(told), -torch.inf)
        draws, recent = draws_and_recent(told)
        return self._sampling.choose(scores, recent, draws)

    def _say(self, chosen: dict[int, int], work: _Work) -> None:
        """Give each piece the token that was chosen for its slot; one that ends leaves its slot."""
        for slot, token in chosen.items():
            piece = work.pieces[slot]
            if token not in self._ends:
                piece.tokens.append(token)
            if token in self._ends or len(piece.tokens) >= piece.prompt.longest:
                work.results[piece.number] = piece.tokens
                del work.pieces[slot]
                self._slots.empty(slot)


def without_long_silence(tokens: Sequence[int], silent: Sequence[int]) -> list[int]:
    """Drop silent tokens after a few in a row, as upstream does before the flow."""
    kept, run = [], 0
    for token in tokens:
        run = run + 1 if token in silent else 0
        if run <= _MOST_SILENT:
            kept.append(token)
    return kept


def _groups(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Yield pieces whose prompts are read together, the longest first, each group within a bound."""
    group: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: -int(piece.prompt.read.shape[1])):
        if group and group[0].prompt.read.shape[1] * (len(group) + 1) > _MOST_READ:
            yield group
            group = []
        group.append(piece)
    if group:
        yield group
