"""Silences C++ libraries that write to the process's stderr, past `sys.stderr`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop everything written to file descriptor 2 during the block; if the block raises, write it after all.

    Ray's core announces there that its log level was set, which can be done only through the environment.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:  # an interrupt too: the output may tell what the block waited for
            os.dup2(terminal, 2)
            said.seek(0)
            os.write(2, said.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
