"""A corpus of recordings, as one names it on the command line."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from manifests.errors import InputError
from manifests.storage import Place, open_place
from voicebank.layouts.clip import SourceClip

_HEAD_CLIPS = 256


@dataclass(frozen=True)
class RecordingCorpus:
    """`read` lists its clips in an order that is always the same. `dataset` begins the id of every speaker."""

    place: Place
    layout: str
    dataset: str
    license: str | None
    read: Callable[[Place], Iterator[SourceClip]]

    def clips(self) -> Iterator[SourceClip]:
        return self.read(self.place)

    def identity(self) -> dict[str, Any]:
        """What tells another corpus: names, and the hash of its first clips. InputError where it cannot be read.

        The whole listing is not read again whenever a build is continued, so a change further back is not noticed.
        """
        head = [asdict(clip) for clip in islice(self.clips(), _HEAD_CLIPS)]
        if not head:
            raise InputError(f"--input holds no clips in the layout {self.layout}")
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode("ascii")).hexdigest()
        return {"dataset": self.dataset, "layout": self.layout, "license": self.license, "first_clips_sha256": digest}


def open_corpus(uri: str, layout: str, dataset: str | None = None, license: str | None = None) -> RecordingCorpus:
    """The corpus there. Its name and license are the layout's, where nothing else is said. Raises InputError."""
    from voicebank.layouts import LAYOUTS

    if layout not in LAYOUTS:
        raise InputError(f"no layout {layout!r}; there are: {', '.join(LAYOUTS)}")
    known = LAYOUTS[layout]
    name = dataset or layout
    if not name.isprintable() or "/" in name:
        raise InputError(f"--dataset {name!r}: no control characters and no /")
    return RecordingCorpus(open_place(uri), layout, name, license or known.license, known.read)
