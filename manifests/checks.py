"""Checks one row in depth: its clips, and for a kept row the evidence that it deserved to be kept."""

from collections.abc import Iterator

from manifests.audio import decode
from manifests.clips import part_path
from manifests.errors import CorpusError, LawBroken
from manifests.hashes import Names
from manifests.parts import PartKey, audio_parts, part_label
from manifests.schema import Audio, Dialogue
from manifests.storage import Place


def path_problems(dialogue: Dialogue, files: Names) -> Iterator[str]:
    """Yield the clips and tracks of a row whose path is not theirs, or not among the `files` of the corpus.

    A path in the data is compared, never followed: it may point anywhere.
    """
    for key, audio in audio_parts(dialogue):
        if audio.path is None:
            continue
        if audio.path != _expected_path(dialogue, key, audio):
            yield f"{part_label(key)}: the path of the clip is not the one that its row gives it"
        elif audio.path not in files:
            yield f"{part_label(key)}: the file {audio.path} is missing"


def expected_paths(dialogue: Dialogue) -> Iterator[str]:
    """Yield the paths of a row's clips and tracks that are the ones which the row gives them."""
    for key, audio in audio_parts(dialogue):
        if audio.path is not None and audio.path == _expected_path(dialogue, key, audio):
            yield audio.path


def audio_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield the clips in a row that cannot be decoded, or are not what the row says of them."""
    for number, turn in enumerate(dialogue.turns):
        clips = [(f"turn {number}", turn.audio)]
        clips += [(f"turn {number}, rejected take {take.number}", take.audio) for take in turn.rejected_clips]
        for where, audio in clips:
            if audio is not None:
                try:
                    decode(audio)
                except CorpusError as error:
                    yield f"{where}: {error}"


def file_problems(place: Place, dialogue: Dialogue, files: Names) -> Iterator[str]:
    """Yield the clips and tracks of a row whose file, among the `files` of the corpus at `place`, has other bytes."""
    for key, audio in audio_parts(dialogue):
        path = audio.path
        if path is None or path != _expected_path(dialogue, key, audio) or path not in files:
            continue
        try:
            if (place / path).read_bytes() != audio.bytes:
                yield f"{part_label(key)}: the file {path} differs from the clip in the row"
        except OSError as error:
            yield f"{part_label(key)}: the file {path} cannot be read: {error}"


def _expected_path(dialogue: Dialogue, key: PartKey, audio: Audio) -> str | None:
    try:
        return part_path(dialogue, key, audio)
    except LawBroken:
        return None


def kept_problems(dialogue: Dialogue) -> Iterator[str]:
    """Yield the evidence that a kept row lacks, for the row itself and for each turn that is heard."""
    if dialogue.status != "kept":
        return
    if not dialogue.turns:
        yield "kept, without turns"
    if dialogue.cer is None and dialogue.wer is None:
        yield "kept, without a pooled score"
    for number, turn in enumerate(dialogue.turns):
        if turn.kind != "turn" and dialogue.leaves_out(turn):
            continue
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
