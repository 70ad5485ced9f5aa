"""Defines what was heard in a take, and how far that is from the intended text. Error rates are fractions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Metric = Literal["cer", "wer"]
EditKind = Literal["equal", "substitute", "insert", "delete"]


@dataclass(frozen=True, slots=True)
class AlignmentChunk:
    """Holds a run of words (or characters, where the metric is "cer") with the same edit operation.

    `meant` is its part of the text, `heard` its part of the transcript, both normalized, words with one space between
    them. They are equal for "equal" and have the same number of words for "substitute"; `meant` is empty for
    "insert" and `heard` for "delete".
    """

    kind: EditKind
    meant: str
    heard: str


@dataclass(frozen=True, slots=True)
class Score:
    """Says how far a transcript is from the intended text, with the alignment that shows it.

    `rate` is `edits / reference_length`, in words or characters as `metric` says; it exceeds 1 where much was
    inserted. `edge_error` is the larger error rate of the text's first and last 12 characters. Both are None where
    normalization leaves nothing of the text: no number describes that case. `normalizer` names the normalization of
    both texts and its version. The chunks of `alignment`, in order, give both texts whole. `syllable_rate` is
    `syllable_edits / reference_length`: edits of toned syllables, among which homophones are none, in Mandarin; None
    in other languages.
    """

    metric: Metric
    rate: float | None
    edits: int
    reference_length: int
    edge_error: float | None
    normalizer: str
    alignment: tuple[AlignmentChunk, ...]
    syllable_edits: int | None = None
    syllable_rate: float | None = None

    @property
    def is_empty_reference(self) -> bool:
        return self.reference_length == 0

    @property
    def reference(self) -> str:
        """The normalized intended text."""
        return self._joined(chunk.meant for chunk in self.alignment)

    @property
    def hypothesis(self) -> str:
        """The normalized transcript."""
        return self._joined(chunk.heard for chunk in self.alignment)

    @property
    def substitutions(self) -> int:
        return sum(self._length(chunk.meant) for chunk in self.alignment if chunk.kind == "substitute")

    @property
    def deletions(self) -> int:
        return sum(self._length(chunk.meant) for chunk in self.alignment if chunk.kind == "delete")

    @property
    def insertions(self) -> int:
        return sum(self._length(chunk.heard) for chunk in self.alignment if chunk.kind == "insert")

    def _joined(self, parts: Iterator[str]) -> str:
        return ("" if self.metric == "cer" else " ").join(part for part in parts if part)

    def _length(self, text: str) -> int:
        return len(text) if self.metric == "cer" else len(text.split())


@dataclass(frozen=True, slots=True)
class Hearing:
    """Holds what one recognizer heard in a take.

    `hypothesis` and `score` are None where the recognizer failed, and where the clip's length alone shows that it is
    not the text: such a clip is not given to the recognizer. `reason` says why a dialogue of this turn alone would be
    dropped after this hearing; None: the turn was understood.
    """

    recognizer: str
    hypothesis: str | None = None
    score: Score | None = None
    reason: str | None = None
