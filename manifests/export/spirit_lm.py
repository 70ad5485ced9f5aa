"""Spirit LM's sequences: JSONL, a row for each turn.

`text` is the sequence: spans of text and of units that take turns at the borders of words, or one kind alone behind
its mark. In training the paper draws spans anew in every step, so a row has the raw streams and the word times beside
it: `text` is one draw. With `pitch` and `style`, tokenizers of the corpus too, speech is the expressive model's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.export._rows import Row
from manifests.export._seeded import SEED, generator_for
from manifests.export._speech_tokens import NO_TOKENS
from manifests.export._text_rows import TextRowsWriter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._words import turn_words
from manifests.export.contract import Exporter, ExportSettings
from manifests.forms.spirit_lm import RATES, STREAMS, Kind, Markers, drawn_spans, interleaved, stream_text
from manifests.forms.words import NO_WORD_TIMES, TimedWords
from manifests.languages import is_unspaced
from manifests.schema import Dialogue, Turn

_WORDS = "fewest and most words of a span of {}, as 5-15"


@dataclass(frozen=True)
class SpiritLmSettings(ExportSettings):
    """The sizes of spans are ours: they are not known."""

    form: Literal["interleaved", "speech", "text"] = field(
        default="interleaved", metadata={"description": "both kinds in turn, or one kind alone"}
    )
    tokenizer: str = field(default="hubert-l11-km500", metadata={"description": f"{TOKENIZER}: the units"})
    pitch: str = field(default="", metadata={"description": "tokenizer of the pitch; empty: the base model's speech"})
    style: str = field(default="", metadata={"description": "tokenizer of the style; empty: the base model's speech"})
    hubert_rate: float = field(
        default=RATES["hubert"], metadata={"description": "units a second by which streams are sorted"}
    )
    markers: Markers = field(
        default="paper",
        metadata={"description": "[TEXT] and [SPEECH], or [Text] and [Speech] as in the released code"},
    )
    roles: Literal["both", "user", "agent"] = field(
        default="both", metadata={"description": "whose turns are written"}
    )
    text_words: str = field(default="5-15", metadata={"description": _WORDS.format("text")})
    speech_words: str = field(default="5-15", metadata={"description": _WORDS.format("speech")})
    seed: int = field(default=0, metadata={"description": SEED})

    def __post_init__(self) -> None:
        _ = self.sizes
        if bool(self.pitch) != bool(self.style):
            raise ValueError("pitch and style belong together: name both tokenizers, or none")
        if self.hubert_rate <= 0:
            raise ValueError(f"hubert_rate must be above 0, not {self.hubert_rate}")

    @property
    def sizes(self) -> dict[Kind, tuple[int, int]]:
        return {"text": _range("text_words", self.text_words), "speech": _range("speech_words", self.speech_words)}


@dataclass(frozen=True)
class SpiritLmWriter(TextRowsWriter):
    """`kinds` are the tokens of each stream."""

    settings: SpiritLmSettings
    kinds: Mapping[str, TokenKind]

    def problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        turns = [turn for _, turn in self._chosen(dialogue)]
        if not turns:
            return "it has no turn of this role"
        if self.settings.form != "speech":
            texts = [turn.text or "" for turn in turns]
            if not all(text.strip() for text in texts):
                return "a turn has no text"
            if any("[" in text for text in texts):
                return "a text contains ["
        for kind in self.kinds.values():
            if problem := kind.problem([kind.of_turn(turn) for turn in turns], NO_TOKENS):
                return problem
        timed = self.settings.form != "interleaved" or all(map(turn_words, turns))
        return None if timed else NO_WORD_TIMES

    def rows(self, dialogue: Dialogue) -> Iterable[Row]:
        draw = generator_for(self.settings.seed, "spirit-lm", dialogue)
        is_spaced = not is_unspaced(dialogue.language)
        for number, turn in self._chosen(dialogue):
            streams, words = self._streams(turn), turn_words(turn)
            parts: list[tuple[Kind, str]] = []
            if self.settings.form == "text":
                parts = [("text", (turn.text or "").strip())]
            elif self.settings.form == "speech" or words is None:
                parts = [("speech", self._text_of(streams))]
            else:
                for span in drawn_spans(len(words.words), self.settings.sizes, draw):
                    said = words.text(span.first, span.end)
                    cut = self._text_of(self._cut(streams, words, span.first, span.end))
                    parts.append((span.kind, said if span.kind == "text" else cut))
            row: Row = {"id": dialogue.dialogue_id, "turn": number, "role": turn.role, "language": dialogue.language}
            row["text"] = interleaved(parts, self.settings.markers, is_spaced)
            row["transcript"] = turn.text
            row |= {name: " ".join(map(str, ids)) for name, ids in streams.items()}
            row["words"] = _timed(turn)
            yield row

    def _streams(self, turn: Turn) -> dict[str, tuple[int, ...]]:
        found = {name: kind.of_turn(turn) for name, kind in self.kinds.items()}
        return {name: tokens.books[0] for name, tokens in found.items() if tokens}

    def _cut(
        self, streams: Mapping[str, Sequence[int]], words: TimedWords, first: int, end: int
    ) -> dict[str, Sequence[int]]:
        """Return what of each stream lies in these words. Style lasts a second, so all that touches them is taken."""
        cut: dict[str, Sequence[int]] = {}
        for name, ids in streams.items():
            frame_s = self.kinds[name].frame_s
            borders = words.frames(frame_s, len(ids))
            start, stop = borders[first], borders[end]
            if name == "style":
                begins = words.starts[first] if first else Fraction(0)
                stop = len(ids) if end == len(words.words) else -int(-words.starts[end] // frame_s)
                start = min(int(begins // frame_s), len(ids) - 1)
            cut[name] = ids[start : max(stop, start + 1) if name == "style" else stop]
        return cut

    def _text_of(self, streams: Mapping[str, Sequence[int]]) -> str:
        return stream_text(streams, {**RATES, "hubert": self.settings.hubert_rate})

    def _chosen(self, dialogue: Dialogue) -> list[tuple[int, Turn]]:
        heard = (each for each in enumerate(dialogue.turns) if not dialogue.leaves_out(each[1]))
        return [each for each in heard if self.settings.roles in ("both", each[1].role)]


def _timed(turn: Turn) -> list[list[str | float | None]] | None:
    """Return each word with its start and its end in seconds, None where they are not known."""
    take = turn.take
    if take is None or take.audio is None or take.word_times is None or take.word_times.problem is not None:
        return None
    rate = take.audio.sample_rate
    return [
        [word.text, *(None if at is None else at / rate for at in (word.start_sample, word.end_sample))]
        for word in take.word_times.words
    ]


def _range(name: str, text: str) -> tuple[int, int]:
    """Return the numbers of a range as "5-15"; raises ValueError for another text."""
    low, _, high = text.partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()) or not 1 <= int(low) <= int(high or low):
        raise ValueError(f"{name} is {text}: take a range of words as 5-15")
    return int(low), int(high or low)


def open_spirit_lm(corpus: Corpus, settings: SpiritLmSettings) -> SpiritLmWriter:
    """Look which tokens the corpus has of each stream; text alone needs none."""
    names = {"style": settings.style, "pitch": settings.pitch, "hubert": settings.tokenizer}
    wanted = {} if settings.form == "text" else {name: names[name] for name in STREAMS if names[name]}
    return SpiritLmWriter(settings, {name: open_kind(corpus, "spirit-lm", of) for name, of in wanted.items()})


EXPORTER = Exporter(
    "spirit-lm",
    "Spirit LM's sequences: spans of text and of units, with pitch and style where the corpus has them",
    open_spirit_lm,
    SpiritLmSettings,
)
