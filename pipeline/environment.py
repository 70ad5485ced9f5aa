"""Puts faults of the environment into a sentence: a full disk, a read-only file system, a server that is not there.

They are neither the data's fault nor ours, and once they are mended the same command continues.
"""

import re
import sqlite3

from manifests.errors import ParleyError, UserError

ENVIRONMENT_ERRORS = (OSError, MemoryError, sqlite3.OperationalError)
"""What Python and its libraries raise where the machine does not give what was asked of it."""

_CONTINUES = "once that is mended, the same command continues"
_LONGEST = 400


def environment_error(error: BaseException) -> ParleyError | None:
    """Return the error for users if `error` is one of the environment; None for any other, which is a bug."""
    if isinstance(error, MemoryError):
        return UserError(f"there is not enough memory{_detail(error)}; {_CONTINUES}")
    if isinstance(error, OSError):
        return UserError(f"{_short(_said(error))}; {_CONTINUES}")
    if isinstance(error, sqlite3.OperationalError):
        return UserError(f"a temporary database: {_short(str(error))}; {_CONTINUES}")
    return None


def _said(error: OSError) -> str:
    """Return what the system said, without the numbers that pyarrow and Python put around it."""
    text = error.strerror or str(error) or type(error).__name__
    text = re.sub(r"\[[Ee]rrno \d+\] ", "", text.replace(". Detail: ", ": "))
    name = error.filename
    text = f"{text}: {error.filename2}" if error.filename2 else text
    return f"{name.decode(errors='replace') if isinstance(name, bytes) else name}: {text}" if name else text


def _detail(error: MemoryError) -> str:
    text = next(iter(str(error).splitlines()), "")
    return f": {_short(text)}" if text else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
