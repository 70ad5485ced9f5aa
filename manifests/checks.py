"""Checks one row in depth: its clips, and for a kept row the evidence that it deserved to be kept."""

from collections.abc import Iterator

from manifests.audio import decode
from manifests.clips import clip_path
from manifests.errors import CorpusError, LawBroken
from manifests.schema import Dialogue
from manifests.storage import Place


def clip_problems(place: Place, dialogue: Dialogue) -> Iterator[str]:
    """Yield the problems of a row's clips, in the corpus at `place`."""
    for number, turn in enumerate(dialogue.turns):
        if turn.audio is not None:
            try:
                decode(turn.audio)
            except CorpusError as error:
                yield f"turn {number}: {error}"
            if turn.audio.path is not None:
                yield from (f"turn {number}: {problem}" for problem in _file_problems(place, dialogue, number))


def _file_problems(place: Place, dialogue: Dialogue, turn: int) -> Iterator[str]:
    audio = dialogue.turns[turn].audio
    # A path in the data is compared, never followed: it may point anywhere.
    if audio is None or audio.path is None or audio.path != _expected_path(dialogue, turn):
        yield "the path of the clip is not the one that its row gives it"
        return
    try:
        same = (place / audio.path).read_bytes() == audio.bytes
    except OSError:
        yield f"the file {audio.path} is missing"
        return
    if not same:
        yield f"the file {audio.path} differs from the clip in the row"


def _expected_path(dialogue: Dialogue, turn: int) -> str | None:
    try:
        return clip_path(dialogue, turn)
    except LawBroken:
        return None


def kept_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield the evidence that a kept row lacks, for the row itself and for each of its turns."""
    if dialogue.status != "kept":
        return
    if not dialogue.turns:
        yield "kept, without turns"
    if dialogue.cer is None and dialogue.wer is None:
        yield "kept, without a pooled score"
    for number, turn in enumerate(dialogue.turns):
        evidence = {
            "audio": turn.audio,
            "text": turn.text or None,
            "hypothesis": turn.hypothesis,
            "score": turn.score.rate if turn.score else None,
            "watermark": turn.take.watermark if turn.take else None,
        }
        lacking = [name for name, value in evidence.items() if value is None]
        if lacking:
            yield f"turn {number}: kept, without {', '.join(lacking)}"
