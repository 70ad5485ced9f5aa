"""Leaves the recordings of a bank's voices in its file, and reads each when it is asked for.

A recording takes 0.1 to 0.2 MB, so those of 40,000 voices would take some 6 GB in each process that casts. A
`StoredVoice` knows where its own lies; `prompt_audio` reads it, and `is_recorded` says that there is one.
"""

import threading
from collections import OrderedDict
from dataclasses import fields
from typing import Any

from manifests.errors import CorpusError
from manifests.row_groups import RowGroupReader, label
from manifests.storage import Place
from voicebank.voice import Voice

COLUMN = "prompt_audio"

_GROUPS_KEPT = 4
"""Row groups of clips in memory: voices of a bank that is read in its order, and an agent's beside."""


class ClipStore:
    """Reads recordings of a bank's table. Threads may share it; what is pickled is only where it lies."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._file = RowGroupReader(place)
        self._groups: OrderedDict[int, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return ClipStore, (self._place,)

    def groups_with(self) -> list[bool | None]:
        """Tell of each row group whether all of its voices have recordings, or none; None: some, or it is not said."""
        counts = self._file.nulls(COLUMN)
        return [True if nulls == 0 else False if nulls == rows else None for nulls, rows in counts]

    def read(self, group: int, row: int) -> bytes | None:
        """Return the recording in that row of a row group. Raises CorpusError for a damaged file."""
        with self._lock:
            if group not in self._groups:
                self._groups[group] = self._file.read(group, COLUMN)
                if len(self._groups) > _GROUPS_KEPT:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(group)
            value: bytes | None = self._groups[group][row].as_py()
        if value is not None and not value:
            raise CorpusError(f"{label(self._place)}: bad {COLUMN}: empty")
        return value


class StoredVoice(Voice):
    """A voice whose recording is in its bank's file."""

    __slots__ = ("_stored",)
    _stored: "tuple[ClipStore, int, int] | bytes | None"

    @property
    def prompt_audio(self) -> bytes | None:
        """The whole file of the recording, read now."""
        where = self._stored
        return where[0].read(where[1], where[2]) if isinstance(where, tuple) else where

    @prompt_audio.setter
    def prompt_audio(self, value: Any) -> None:
        object.__setattr__(self, "_stored", value)

    @property
    def is_recorded(self) -> bool:
        return self._stored is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Voice) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(tuple(_values(self).values()))


def stored(voice: Voice, store: ClipStore, group: int, row: int) -> Voice:
    """Return the voice with its recording left where it is."""
    return StoredVoice(**_values(voice) | {"embedding": voice.embedding, COLUMN: (store, group, row)})


def changed(voice: Voice, **changes: Any) -> Voice:
    """Return the voice with these changes, as `replace` does, its recording left where it is."""
    known = {name: getattr(voice, name) for name in (f.name for f in fields(Voice)) if name != COLUMN}
    known[COLUMN] = voice._stored if isinstance(voice, StoredVoice) else voice.prompt_audio
    return type(voice)(**known | changes)


def _values(voice: Voice) -> dict[str, Any]:
    """Return what is compared."""
    return {f.name: getattr(voice, f.name) for f in fields(Voice) if f.compare}
