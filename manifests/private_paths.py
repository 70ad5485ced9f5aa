"""Keeps the paths of this machine out of messages, manifests and cards, which are passed on to others.

Libraries quote the paths that they were given, and the name of a home directory is often a person's name.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from manifests.credentials import has_user_info

# An absolute path, or one from a home directory: not inside a word, an address (https://host/path) or a tag (</s>).
_PATH = re.compile(r"(?:\bfile://|(?<![\w</]))~?(?:/[^\s/:'\"`,;()\[\]]+)+/?")

# At the start of a text or of a word: /home/me, ~/data, C:\data, file:///data.
_PRIVATE = re.compile(r"""(?:^|(?<=[\s"'=(,:]))(?:/[^\s/]|~[\w.-]*/|[A-Za-z]:[\\/]\S)|\bfile:/""")

_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def public_text(text: str, names: Mapping[str, str] = _NO_NAMES, limit: int | None = None) -> str:
    """Put a message on one line and shorten every path in it to its last part.

    `names` maps texts that are known to be private to their replacements. A line longer than `limit` characters is cut
    off there.
    """
    line = " ".join(text.split())
    for private, public in names.items():
        line = line.replace(private, public)
    return _PATH.sub(lambda path: PurePosixPath(path[0]).name, line)[:limit]


def is_private(text: str) -> bool:
    """Tell whether a text holds an absolute path of this machine, or an address with a user or a password in it."""
    return _PRIVATE.search(text) is not None or has_user_info(text)
