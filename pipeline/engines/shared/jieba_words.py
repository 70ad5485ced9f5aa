"""Loads jieba, which cuts Chinese into words."""

import logging
import tempfile
from typing import Any

from manifests.libraries import extra, library

INSTALL = extra("kokoro")


def load_jieba(needed_by: str) -> Any:
    """Return the library with its dictionary loaded; raises EngineUnavailable where it is missing."""
    jieba = library("jieba", needed_by, INSTALL)
    jieba.setLogLevel(logging.WARNING)
    # jieba loads any file of its cache's name in the common temporary directory, whoever wrote it.
    with tempfile.TemporaryDirectory(prefix="parley-jieba-") as private:
        jieba.dt.tmp_dir = private
        jieba.initialize()
    return jieba
