"""Writes clips as files beside the shards, and the tracks of rows that have some.

Their paths are `audio/<status>/<2 hexadecimal digits>/<dialogue_id>_<turn>_<role>.<codec>`, and for a track
`<dialogue_id>_track-<user, agent or mono>.<codec>`, or `..._track-user-clean.<codec>`.
"""

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import get_args

from manifests.errors import LawBroken
from manifests.manifest import FINAL_STATUSES
from manifests.parts import PartKey, part_label, with_parts
from manifests.schema import Audio, Dialogue, Role
from manifests.storage import Place
from manifests.writer import CLIPS

# 200 characters leave room for turn, role, track and codec within the 255 bytes of a file name.
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_SAFE_NAME = re.compile(r"[0-9]+_(user|agent)|track-(user|agent|mono)(-clean)?")
_SAFE_CODEC = re.compile(r"[a-z0-9]{1,8}")

# Each clip waits for the disk or the network, so several are written at once; the queue, and so memory, is bounded.
_THREADS = 8
_AHEAD = 32


def is_safe_id(dialogue_id: str) -> bool:
    """Tell whether clips can be named after the dialogue."""
    return _SAFE_ID.fullmatch(dialogue_id) is not None


def clip_path(dialogue: Dialogue, turn: int) -> str:
    """Return the path, relative to the corpus, of the clip of the 0-based `turn`, which has audio.

    The two digits spread the clips over 256 directories. Raises LawBroken for an id, role or codec that could lead
    out of the directory: Parley makes the ids, never the data.
    """
    role, audio = dialogue.turns[turn].role, dialogue.turns[turn].audio
    if audio is None or role not in get_args(Role):
        raise LawBroken(f"turn {turn} of {dialogue.dialogue_id!r} has no safe name for a clip")
    return part_path(dialogue, turn, audio)


def part_path(dialogue: Dialogue, key: PartKey, audio: Audio) -> str:
    """Return the path of the file of a turn's clip or a track. See `clip_path`."""
    name = f"{key}_{dialogue.turns[key].role}" if isinstance(key, int) else f"track-{key}"
    safe = (
        dialogue.status in FINAL_STATUSES and is_safe_id(dialogue.dialogue_id) and _SAFE_CODEC.fullmatch(audio.codec)
    )
    if not safe or not _SAFE_NAME.fullmatch(name):
        raise LawBroken(f"{part_label(key)} of {dialogue.dialogue_id!r} has no safe name for a clip")
    spread = hashlib.sha256(dialogue.dialogue_id.encode()).hexdigest()[:2]
    return f"{CLIPS}/{dialogue.status}/{spread}/{dialogue.dialogue_id}_{name}.{audio.codec}"


def has_safe_names(dialogue: Dialogue) -> bool:
    """Tell whether files named after the dialogue stay where they are written. All its turns have audio."""
    try:
        return all(clip_path(dialogue, turn) for turn in range(len(dialogue.turns)))
    except LawBroken:
        return False


def write_clips(place: Place, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue]:
    """Write every clip below the corpus directory `place` and yield the dialogues, in order, with `Audio.path` set.

    A dialogue is yielded when its clips are on disk. The bytes stay in the row.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Dialogue]] = deque()
        for dialogue in dialogues:
            waiting.append(pool.submit(_write, place, dialogue))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _write(place: Place, dialogue: Dialogue) -> Dialogue:
    def write(key: PartKey, audio: Audio) -> Audio:
        path = part_path(dialogue, key, audio)
        (place / path).write_bytes(audio.bytes)
        return replace(audio, path=path)

    return with_parts(dialogue, write)
