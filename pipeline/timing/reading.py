"""Reads who speaks when: RTTM files, Lhotse's supervisions, and Parley's own corpora.

In files, a recording takes part if it has two speakers. Without names of speakers, the channels are the speakers.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from manifests.corpus import Corpus
from manifests.errors import InputError, UserError
from manifests.json_text import parse_json
from manifests.manifest import MANIFEST_NAME
from manifests.storage import Place, open_place
from pipeline.readers.text_stream import TextSource, find_file
from pipeline.timing.talks import Stretch, Talk, recorded_talk, talk_of

Recordings = dict[str, dict[str, list[Stretch]]]
"""Stretches by recording and speaker."""


def read_talks(paths: Sequence[str], agent: str | None = None, tell: Callable[[str], None] = print) -> Iterator[Talk]:
    """Yield the talks in files and corpora; `agent` is the name of the speaker (or channel) who is the agent.

    `tell` is told what was left out. Raises InputError for a file that is not as it should be, UserError where there
    is no talk at all.
    """
    found = 0
    for path in paths:
        place = open_place(path)
        for talk in _corpus_talks(place) if (place / MANIFEST_NAME).is_file() else _file_talks(path, agent, tell):
            found += 1
            yield talk
    if not found:
        raise UserError(
            f"no talk of two speakers in {', '.join(paths)}: a corpus needs timelines (stage arrange), a file needs "
            "recordings of two speakers"
        )


def _corpus_talks(place: Place) -> Iterator[Talk]:
    for dialogue in Corpus(place).dialogues(audio=False):
        if talk := talk_of(dialogue):
            yield talk


def _file_talks(path: str, agent: str | None, tell: Callable[[str], None]) -> Iterator[Talk]:
    recordings = _recordings(path)
    others = 0
    for name, parties in recordings.items():
        if len(parties) == 2:
            yield recorded_talk(name, parties, agent)
        else:
            others += 1
    if others:
        tell(f"{path}: {others} of {len(recordings)} recordings left out, which do not have two speakers")


def _recordings(path: str) -> Recordings:
    place = find_file(path)
    read = _rttm_line if ".rttm" in place.name.lower() else _supervision
    found: Recordings = defaultdict(lambda: defaultdict(list))
    for number, line in enumerate(_lines(TextSource(place)), start=1):
        if not line.strip():
            continue
        try:
            if (entry := read(line)) is not None:
                recording, speaker, stretch = entry
                found[recording][speaker].append(stretch)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            what = "a line of RTTM" if read is _rttm_line else "a supervision of Lhotse as JSON"
            detail = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{place.name} line {number} is not {what}: {detail}") from None
    return found


def _rttm_line(line: str) -> tuple[str, str, Stretch] | None:
    """Return recording, speaker and stretch of a line `SPEAKER file channel start duration <NA> <NA> name ...`."""
    if line.startswith(";;"):
        return None
    kind, *cells = line.split()
    if kind != "SPEAKER":
        return None
    if len(cells) < 7:
        raise ValueError(f"it has {1 + len(cells)} fields, and at least 8 are needed")
    recording, channel, start, duration, _, _, speaker = cells[:7]
    return recording, channel if speaker == "<NA>" else speaker, _stretch(start, duration, None)


def _supervision(line: str) -> tuple[str, str, Stretch]:
    row = parse_json(line)
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    speaker = row.get("speaker")
    text = row.get("text")
    words = len(text.split()) if isinstance(text, str) and text.strip() else None
    channel = str(row["channel"]) if speaker is None else str(speaker)
    return str(row["recording_id"]), channel, _stretch(row["start"], row["duration"], words)


def _stretch(start: Any, duration: Any, words: int | None) -> Stretch:
    begins, length = float(start), float(duration)
    if not (math.isfinite(begins) and math.isfinite(length) and begins >= 0 and length > 0):
        raise ValueError(f"start {start} and duration {duration} are no stretch of time")
    return Stretch(begins, begins + length, words=words)


def _lines(source: TextSource) -> Iterator[str]:
    rest = ""
    while piece := source.read():
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    if source.broken:
        raise InputError(f"the file breaks off: {source.broken}")
    yield rest
