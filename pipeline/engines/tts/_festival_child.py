"""Runs festival as a process that reads Scheme from a pipe, with a deadline for each answer."""

import os
import select
import subprocess
import time
import weakref

from manifests.errors import EngineUnavailable

_INSTALL = "install the Debian packages festival, festvox-us-slt-hts, festvox-kallpc16k and festvox-kdlpc16k"


class ChildFailed(Exception):
    """The child died or did not answer in time; it is no longer usable."""


class FestivalChild:
    """One `festival --pipe`. It is killed and reaped by `close`, when the object goes, and when Python exits.

    A Python process that is itself killed closes the pipe, and festival ends when its input does.
    """

    def __init__(self, command: str = "festival") -> None:
        try:
            self._process = subprocess.Popen(
                [command, "--pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError as error:
            raise EngineUnavailable(f"festival cannot be started: {_INSTALL}") from error
        self._asked = 0
        self.close = weakref.finalize(self, _stop, self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def evaluate(self, scheme: str, limit_s: float) -> str:
        """Evaluate `scheme` and return what festival prints meanwhile.

        The program must be our own: text from a data set must never become code. An error inside `scheme` is not an
        error here: festival reports it on stderr and reads on. Raises `ChildFailed` when the process dies or has not
        finished after `limit_s` seconds; the process is then gone.
        """
        if not self.close.alive:
            raise ChildFailed("festival has ended")
        self._asked += 1
        mark = f"parley-done-{self._asked}\n"
        try:
            self._send(f'{scheme}\n(format t "{mark[:-1]}\\n")\n(fflush nil)\n'.encode("ascii"))
            return self._read_until(mark.encode("ascii"), time.monotonic() + limit_s).decode("utf-8", "replace")
        except (OSError, ChildFailed) as error:
            self.close()
            raise ChildFailed(f"festival {error}") from error

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        while data:
            data = data[os.write(self._process.stdin.fileno(), data) :]

    def _read_until(self, mark: bytes, deadline: float) -> bytes:
        assert self._process.stdout is not None
        output, answered = b"", self._process.stdout.fileno()
        while not output.endswith(mark):
            ready, _, _ = select.select([answered], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise ChildFailed("did not answer in time")
            piece = os.read(answered, 65536)
            if not piece:
                raise ChildFailed("died")
            output += piece
        return output[: -len(mark)]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
