"""Error rates with their evidence: what was compared, and how many edits it took."""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from pipeline.scoring.normalize import Metric, metric, normalize, normalizer_version

# NeMo Curator scores the first and the last 12 characters (nemo_curator/stages/audio/metrics/wer.py).
EDGE_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Score:
    """How far a hypothesis is from its reference.

    `rate` is `edits / reference_length` in words or characters as `metric` says; it exceeds 1 where much was
    inserted. `rate` and `edge_error` are None where nothing is left of the reference: no number describes that case.
    `reference` and `hypothesis` are the normalised texts that were compared.
    """

    metric: Metric
    rate: float | None
    substitutions: int
    deletions: int
    insertions: int
    reference_length: int
    reference: str
    hypothesis: str
    edge_error: float | None
    normalizer: str

    @property
    def edits(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def is_empty_reference(self) -> bool:
        return self.reference_length == 0


def score(reference: str, hypothesis: str, language: str, edge_characters: int = EDGE_CHARACTERS) -> Score:
    """Compare raw texts of `language` (a BCP 47 tag), both normalised in the same way."""
    kind = metric(language)
    expected, heard = normalize(reference, language), normalize(hypothesis, language)
    if kind == "cer":
        expected, heard = expected.replace(" ", ""), heard.replace(" ", "")
    substitutions, deletions, insertions = _count_edits(expected, heard, kind)
    length = len(expected) if kind == "cer" else len(expected.split())
    return Score(
        metric=kind,
        rate=(substitutions + deletions + insertions) / length if length else None,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        reference_length=length,
        reference=expected,
        hypothesis=heard,
        edge_error=edge_error(expected, heard, edge_characters),
        normalizer=normalizer_version(language),
    )


def pooled(scores: Iterable[Score]) -> float | None:
    """Sum of edits over sum of reference lengths (a micro average); None where no score has a reference.

    Edits against an empty reference count: words heard where none were meant are errors of the dialogue.
    """
    edits = length = 0
    for one in scores:
        edits += one.edits
        length += one.reference_length
    return edits / length if length else None


def edge_error(reference: str, hypothesis: str, characters: int = EDGE_CHARACTERS) -> float | None:
    """The larger error rate of the reference's first and last `characters` characters, spaces not counted.

    One Levenshtein alignment of the two whole texts decides. A substituted or deleted character counts at its own
    place in the reference; an inserted one counts at the head if it stands before one of the head's characters, at
    the tail if it stands after one of the tail's. Each sum is divided by the width of the edge, which is the whole
    reference where that is shorter. None for an empty reference.
    """
    if characters < 1:
        raise ValueError(f"an edge has at least one character, not {characters}")
    expected = reference.replace(" ", "")
    length = len(expected)
    if not length:
        return None
    if reference == hypothesis:
        return 0.0
    heard = hypothesis.replace(" ", "")
    width = min(characters, length)
    head = tail = 0
    for edit in Levenshtein.editops(expected, heard):
        at = edit.src_pos
        head += at < width
        # An insertion at `at` stands after the character at - 1; the other edits are at the character `at` itself.
        tail += (at > length - width) if edit.tag == "insert" else (at >= length - width)
    return max(head, tail) / width


def _count_edits(expected: str, heard: str, kind: Metric) -> tuple[int, int, int]:
    """Substitutions, deletions, insertions of one alignment. Equal texts, the common case, need none."""
    if expected == heard:
        return 0, 0, 0
    alignment = (
        Levenshtein.editops(expected, heard) if kind == "cer" else Levenshtein.editops(expected.split(), heard.split())
    )
    tags = [edit.tag for edit in alignment]
    return tags.count("replace"), tags.count("delete"), tags.count("insert")
