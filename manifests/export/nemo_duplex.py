"""NeMo's duplex speech-to-speech data set (`speechlm2`, DuplexS2SDataset), as Lhotse Shar.

The data set puts a turn's text into frames of 80 ms: a mark where the turn starts, a token in each frame from there,
an end mark in the frame where the turn ends. It says nothing where that goes wrong, so here

- speakers are exactly `user` and `agent`: with another name the target is empty;
- both tracks end on a frame, at least one frame after the last turn: else its end mark is never written;
- both tracks have exactly the rates that are configured: not every version resamples the agent's;
- a turn with more tokens than frames is refused: they would run over its end mark, and over the next turn;
- so are two turns of one speaker that meet in a frame, where one mark would replace the other, and texts in which the
  data set would take something for a time mark.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._shar import SharCut, delete_leftovers, supervision, write_shard
from manifests.export._text_tokens import CHARACTERS, TokenCounter, check_characters, token_counter
from manifests.export._timeline import Spot, sample_at, spots
from manifests.export._tracks import (
    GAP,
    ROLES,
    check_gap,
    check_rate,
    end_sample,
    track,
    tracks_end,
    tracks_problem,
    turn_facts,
)
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place

_GAP_MS = 640
"""The silence between turns in SALM-Duplex, for which the data set was written (0.64 s)."""
_TIME_MARK = re.compile(r"<\|\d+\|>")
_NO_TOKENIZER = (
    "exporter nemo-duplex needs the setting tokenizer, since tokens that do not fit into a turn's frames are lost: "
    "name the directory of the model's tokenizer (for transformers), or 'characters', with characters_per_token"
)
_TOKENIZER = "directory of the model's text tokenizer, for transformers; or 'characters', to count by characters"
_CHARACTERS = "with tokenizer=characters: characters taken for one token, a guess"


@dataclass(frozen=True)
class NemoSettings(ExportSettings):
    tokenizer: str = field(default="", metadata={"description": _TOKENIZER})
    characters_per_token: float = field(default=1.0, metadata={"description": _CHARACTERS})
    gap_ms: int = field(default=_GAP_MS, metadata={"description": GAP})
    user_rate: int = field(default=16_000, metadata={"description": "sample rate of the user's track in Hz"})
    agent_rate: int = field(default=22_050, metadata={"description": "sample rate of the agent's track in Hz"})
    frame_ms: int = field(default=80, metadata={"description": "length of a frame in milliseconds"})

    def __post_init__(self) -> None:
        check_gap(self.gap_ms)
        check_characters(self.characters_per_token)
        if not 1 <= self.frame_ms <= 1000:
            raise ValueError(f"frame_ms must be 1 to 1000, not {self.frame_ms}")
        for rate in (self.user_rate, self.agent_rate):
            check_rate(rate)
            if not rate or self.frame_ms * rate % 1000:
                raise ValueError(f"a frame of {self.frame_ms} ms is no whole number of samples at {rate} Hz")

    @property
    def frame(self) -> Fraction:
        """The length of a frame in seconds."""
        return Fraction(self.frame_ms, 1000)


@dataclass(frozen=True)
class NemoWriter(PieceWriter):
    settings: NemoSettings
    count: TokenCounter

    def problem(self, dialogue: Dialogue) -> str | None:
        if problem := tracks_problem(dialogue, self.settings.user_rate):
            return problem
        if all(turn.role != "agent" for turn in dialogue.turns if not dialogue.leaves_out(turn)):
            return "it has no turn of the agent"
        texts = [turn.text or "" for turn in dialogue.turns if not dialogue.leaves_out(turn)]
        if not all(text.strip() for text in texts):
            return "a turn has no text"
        if any(_TIME_MARK.search(text) for text in texts):
            return "a text holds what NeMo takes for a time mark"
        return self._frame_problem(dialogue)

    def _frame_problem(self, dialogue: Dialogue) -> str | None:
        """Return what NeMo would lose in frames, for the user's turns too: it reads both."""
        places = spots(dialogue, self.settings.gap_ms)
        for role in ROLES:
            turns = [(spot, *self._frames(dialogue, spot)) for spot in places if spot.role == role]
            if any(end >= start for (_, _, end), (_, start, _) in pairwise(turns)):
                return "two turns of one speaker meet in a frame"
            if any(1 + self.count(_text(dialogue, spot)) > end - start for spot, start, end in turns):
                return "a turn has more text tokens than frames"
        return None

    def _frames(self, dialogue: Dialogue, spot: Spot) -> tuple[int, int]:
        """Return the frames of the turn's marks, as NeMo counts them: of its start, and of its end."""
        rate = self.settings.user_rate
        hop = self.settings.frame_ms * rate // 1000
        start, end = sample_at(spot.start, rate), end_sample(dialogue, spot, rate)
        return (start + hop // 2) // hop, (end + hop // 2) // hop

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        cuts = (_cut(dialogue, self.settings) for dialogue in dialogues)
        write_shard(out / piece.split, piece.number, cuts, indexed=False)

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        delete_leftovers(out, {piece.split for piece, _ in pieces})
        if self.count.tokenizer == CHARACTERS:
            taken = f"{self.settings.characters_per_token:g} characters were taken for one"
            return [f"text tokens were not counted with the model's tokenizer: {taken}"]
        return ()


def _cut(dialogue: Dialogue, settings: NemoSettings) -> SharCut:
    places, name = spots(dialogue, settings.gap_ms), dialogue.dialogue_id
    end = Fraction(tracks_end(dialogue, places, settings.user_rate), settings.user_rate)
    frames = max(ceil(end / settings.frame), ceil(max(spot.end for spot in places) / settings.frame) + 1)
    user, agent = (
        track(dialogue, places, role, rate, frames * settings.frame_ms * rate // 1000)
        for role, rate in zip(ROLES, (settings.user_rate, settings.agent_rate), strict=True)
    )
    rate = settings.user_rate
    turns = [supervision(turn_facts(dialogue, spot, rate), name, dialogue.language, rate) for spot in places]
    custom = {"dialogue_id": name}
    return SharCut(name, user, rate, agent, settings.agent_rate, turns, custom)


def _text(dialogue: Dialogue, spot: Spot) -> str:
    """Return the text with single blanks, as the data set makes it before it counts."""
    return " ".join((dialogue.turns[spot.turn].text or "").split())


def open_nemo(corpus: Corpus, settings: NemoSettings) -> NemoWriter:
    """Load the tokenizer; raises UserError if none is named, or if it cannot be loaded."""
    if not settings.tokenizer:
        raise UserError(_NO_TOKENIZER)
    return NemoWriter(settings, token_counter(settings.tokenizer, settings.characters_per_token))


EXPORTER = Exporter(
    "nemo-duplex",
    "NeMo's DuplexS2SDataset: Lhotse Shar with both tracks at its rates, and text that fits into its frames",
    open_nemo,
    NemoSettings,
    read_by="nemo_toolkit 3.0.0, with lhotse 1.33.0",
)
