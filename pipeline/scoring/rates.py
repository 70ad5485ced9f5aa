"""Error rates with their evidence: what was compared, and how many edits it took."""

from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Levenshtein

from manifests.schema import AlignmentChunk, EditKind, Metric, Score
from pipeline.scoring.chinese_syllables import syllable_edits
from pipeline.scoring.normalize import has_syllables, metric, normalize, normalizer_version

# NeMo Curator scores the first and the last 12 characters (nemo_curator/stages/audio/metrics/wer.py).
EDGE_CHARACTERS = 12

_KINDS: dict[str, EditKind] = {"equal": "equal", "replace": "substitute", "insert": "insert", "delete": "delete"}


def score(reference: str, hypothesis: str, language: str, edge_characters: int = EDGE_CHARACTERS) -> Score:
    """Compare raw texts of `language` (a BCP 47 tag), both normalized in the same way."""
    kind = metric(language)
    expected, heard = normalize(reference, language), normalize(hypothesis, language)
    if kind == "cer":
        expected, heard = expected.replace(" ", ""), heard.replace(" ", "")
    edits, alignment = _align(expected, heard, kind)
    length = len(expected) if kind == "cer" else len(expected.split())
    syllables = None
    if has_syllables(language):
        syllables = syllable_edits(expected, heard, alignment) if edits else 0
    return Score(
        metric=kind,
        rate=edits / length if length else None,
        edits=edits,
        reference_length=length,
        edge_error=edge_error(expected, heard, edge_characters),
        normalizer=normalizer_version(language),
        alignment=alignment,
        syllable_edits=syllables,
        syllable_rate=syllables / length if length and syllables is not None else None,
    )


def pooled(scores: Iterable[Score]) -> float | None:
    """Sum of edits over sum of reference lengths (a micro average); None where no score has a reference.

    Edits against an empty reference count: words heard where none were meant are errors of the dialogue.
    """
    return _pooled((one.edits, one.reference_length) for one in scores)


def pooled_syllables(scores: Iterable[Score]) -> float | None:
    """The same sum by toned syllables; None also where no score counts them."""
    return _pooled((one.syllable_edits, one.reference_length) for one in scores if one.syllable_edits is not None)


def _pooled(counts: Iterable[tuple[int, int]]) -> float | None:
    edits = length = 0
    for of_one, characters in counts:
        edits += of_one
        length += characters
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


def _align(expected: str, heard: str, kind: Metric) -> tuple[int, tuple[AlignmentChunk, ...]]:
    """The edits of one alignment, and the alignment. Equal texts, the common case, need no algorithm."""
    if expected == heard:
        return 0, (AlignmentChunk("equal", expected, heard),) if expected else ()
    space = "" if kind == "cer" else " "
    ours: Sequence[str] = expected if kind == "cer" else expected.split()
    theirs: Sequence[str] = heard if kind == "cer" else heard.split()
    edits, chunks = 0, []
    for run in Levenshtein.opcodes(ours, theirs):
        meant, said = ours[run.src_start : run.src_end], theirs[run.dest_start : run.dest_end]
        chunks.append(AlignmentChunk(_KINDS[run.tag], space.join(meant), space.join(said)))
        edits += 0 if run.tag == "equal" else max(len(meant), len(said))
    return edits, tuple(chunks)
