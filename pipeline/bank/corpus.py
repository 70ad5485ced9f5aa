"""Opens a corpus of recordings that the command line names."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from manifests.errors import InputError
from manifests.storage import Place, open_place
from pipeline.job.names import check_names, shown
from voicebank.layouts.clip import SourceClip

_HEAD_CLIPS = 256


@dataclass(frozen=True)
class RecordingCorpus:
    """Describes a corpus. `read` lists its clips in a fixed order. Every speaker's id begins with `dataset`."""

    place: Place
    layout: str
    dataset: str
    license: str | None
    read: Callable[[Place], Iterator[SourceClip]]

    def clips(self) -> Iterator[SourceClip]:
        return self.read(self.place)

    def identity(self) -> dict[str, Any]:
        """Return what identifies the corpus: names, and the hash of its first clips; raises InputError if unreadable.

        A continued build does not read the whole listing again, so it does not notice changes further back.
        """
        head = [asdict(clip) for clip in islice(self.clips(), _HEAD_CLIPS)]
        if not head:
            raise InputError(f"--input holds no clips in the layout {self.layout}")
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode("ascii")).hexdigest()
        return {"dataset": self.dataset, "layout": self.layout, "license": self.license, "first_clips_sha256": digest}


def open_corpus(uri: str, layout: str, dataset: str | None = None, license: str | None = None) -> RecordingCorpus:
    """Open the corpus at `uri`; name and license default to those of the layout. Raises InputError."""
    from voicebank.layouts import LAYOUTS

    if layout not in LAYOUTS:
        raise InputError(f"no layout {layout!r}; there are: {', '.join(LAYOUTS)}")
    known = LAYOUTS[layout]
    check_names(dataset, license)
    name = dataset or layout
    if "/" in name:
        raise InputError(f"--dataset {shown(name)}: leave out /")
    return RecordingCorpus(open_place(uri), layout, name, license or known.license, known.read)
