"""Small corpora on disk, made of nothing but names and texts: layouts never open audio."""

import tempfile
from contextlib import contextmanager

from manifests.storage import open_place
from voicebank.layouts import LAYOUTS


@contextmanager
def corpus_of(files, at=""):
    """A place with these files (path: content, text or bytes); `at` is the directory below it that is opened."""
    with tempfile.TemporaryDirectory() as directory:
        root = open_place(directory)
        for path, content in files.items():
            (root / path).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        yield root / at if at else root


def clips_of(layout, files, at=""):
    with corpus_of(files, at) as place:
        return list(LAYOUTS[layout].read(place))


def shown(clips, *names):
    """Each clip's values of these names."""
    return [tuple(getattr(clip, name) for name in names) for clip in clips]
