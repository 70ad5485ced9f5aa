"""SyncLLM's sequences: JSONL, a row for each dialogue.

`form` is the stage of its training. "sentences", the first: turns one behind the other, each sentence as text or as
units without repeats. "chunks", the second and third: two streams on one clock. Their streams are the channels of a
mixed dialogue; where a corpus is spoken turn by turn, `silence_unit` gives the other speaker a unit for every frame
of a turn, so that nobody overlaps, as in the second stage.

The model's side is speaker 0, which is the clock. No public code reads this: its authors have published no loader.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.export._channels import ROLES, channels_problem
from manifests.export._rows import Row
from manifests.export._seeded import SEED, generator_for
from manifests.export._text_rows import TextRowsWriter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, floor_turns
from manifests.export._words import turn_words
from manifests.export.contract import Exporter, ExportSettings
from manifests.forms.syncllm import SentencePart, interleaved, turns_text
from manifests.forms.units import merged
from manifests.forms.words import NO_WORD_TIMES
from manifests.schema import Dialogue, Role, Turn

_SPEECH_SHARE = "share of the sentences that are units, drawn for each dialogue: the normal's mean, cut to 0..1"


@dataclass(frozen=True)
class SyncLlmSettings(ExportSettings):
    """The paper's chunks are 160, 200 and 240 ms; its shares of speech grow in training, and are not known."""

    form: Literal["chunks", "sentences"] = field(
        default="chunks", metadata={"description": "chunks of two streams, or turns of sentences"}
    )
    tokenizer: str = field(default="hubert-l11-km500", metadata={"description": TOKENIZER})
    chunk_ms: int = field(default=160, metadata={"description": "length of a chunk in milliseconds"})
    speaker_0: Role = field(default="agent", metadata={"description": "who is speaker 0, the clock"})
    silence_unit: int = field(
        default=-1, metadata={"description": "for dialogues that were not mixed: the unit of silence; -1: refuse them"}
    )
    speech_share: float = field(default=0.5, metadata={"description": _SPEECH_SHARE})
    speech_share_sd: float = field(default=0.2, metadata={"description": "standard deviation of that share"})
    seed: int = field(default=0, metadata={"description": SEED})

    def __post_init__(self) -> None:
        if not 0 <= self.speech_share <= 1 or not 0 <= self.speech_share_sd <= 1:
            raise ValueError("speech_share and speech_share_sd must be 0 to 1")


@dataclass(frozen=True)
class SyncLlmWriter(TextRowsWriter):
    settings: SyncLlmSettings
    kind: TokenKind
    chunk: int

    def problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        if self.settings.form == "chunks" and (dialogue.timeline is not None or self.settings.silence_unit < 0):
            return channels_problem(dialogue, self.kind)
        texts: tuple[Role, ...] = ("user", "agent") if self.settings.form == "sentences" else ()
        if problem := Demands(texts, (), marks=("[",)).problem(dialogue) or self.kind.turn_problem(dialogue):
            return problem
        if self.settings.form == "sentences" and any(turn_words(turn) is None for _, turn in floor_turns(dialogue)):
            return NO_WORD_TIMES
        return None

    def rows(self, dialogue: Dialogue) -> Iterable[Row]:
        row: Row = {"id": dialogue.dialogue_id, "language": dialogue.language}
        if self.settings.form == "sentences":
            row["text"] = turns_text(list(self._sentences(dialogue)))
        else:
            streams = self._streams(dialogue)
            frame_ms = float(1000 * self.kind.frame_s)
            row |= {"text": interleaved(streams, self.chunk), "chunk_units": self.chunk}
            row |= {"num_units": len(streams[0]), "unit_ms": frame_ms}
        yield row

    def _speakers(self) -> tuple[Role, Role]:
        return ROLES if self.settings.speaker_0 == "user" else (ROLES[1], ROLES[0])

    def _streams(self, dialogue: Dialogue) -> list[tuple[int, ...]]:
        """Return the units of speaker 0 and of speaker 1, as many."""
        if dialogue.timeline is not None:
            channels = (self.kind.of_channel(dialogue, role) for role in self._speakers())
            return [tokens.books[0] for tokens in channels if tokens]
        streams: list[tuple[int, ...]] = [(), ()]
        for turn, units in self._turns(dialogue):
            for speaker, role in enumerate(self._speakers()):
                silence = (self.settings.silence_unit,) * len(units)
                streams[speaker] += units if turn.role == role else silence
        return streams

    def _sentences(self, dialogue: Dialogue) -> Iterator[tuple[int, list[SentencePart]]]:
        draw = generator_for(self.settings.seed, "syncllm", dialogue)
        share = _truncated_normal(draw, self.settings.speech_share, self.settings.speech_share_sd)
        for turn, units in self._turns(dialogue):
            words = turn_words(turn)
            assert words is not None  # else there was a problem with the dialogue
            borders = words.frames(self.kind.frame_s, len(units))
            parts: list[SentencePart] = []
            for first, end in words.sentences():
                heard = units[borders[first] : borders[end]]
                if draw.random() < share and heard:
                    parts.append(SentencePart(units=_new_units(parts, merged(heard)[0])))
                else:
                    parts.append(SentencePart(_between(parts, words.text(first, end), dialogue)))
            yield self._speakers().index(turn.role), parts

    def _turns(self, dialogue: Dialogue) -> Iterator[tuple[Turn, tuple[int, ...]]]:
        for _, turn in floor_turns(dialogue):
            if tokens := self.kind.of_turn(turn):
                yield turn, tokens.books[0]


def _between(parts: list[SentencePart], text: str, dialogue: Dialogue) -> str:
    """Return the text with a blank before it where it follows another text, so that words stay words."""
    return f" {text}" if parts and parts[-1].text is not None and text[:1].isascii() else text


def _new_units(parts: list[SentencePart], units: tuple[int, ...]) -> tuple[int, ...]:
    """Return the units without the first one where it repeats the last one of the sentence before."""
    return units[1:] if parts and parts[-1].units[-1:] == units[:1] else units


def _truncated_normal(draw: np.random.Generator, mean: float, deviation: float) -> float:
    """Draw from the normal until it lies in 0..1, as the paper's share of speech does."""
    while True:
        if 0 <= (value := float(draw.normal(mean, deviation))) <= 1:
            return value


def open_syncllm(corpus: Corpus, settings: SyncLlmSettings) -> SyncLlmWriter:
    """Raises UserError for a chunk that is no whole number of the tokenizer's frames."""
    kind = open_kind(corpus, "syncllm", settings.tokenizer)
    return SyncLlmWriter(settings, kind, kind.whole_frames(settings.chunk_ms, "a chunk"))


EXPORTER = Exporter(
    "syncllm",
    "SyncLLM's sequences: chunks of two streams of units on one clock, or turns of sentences that are text or units",
    open_syncllm,
    SyncLlmSettings,
)
