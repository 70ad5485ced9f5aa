"""Ends the command when it is told to stop: one sentence, a code, and never a hang.

SIGTERM, which batch systems send, does what an interrupt does. Python runs a signal's handler in the main thread,
which may be deep in a library, and a library may swallow the exception. So a thread reads every signal as it comes
(Python writes them to a file descriptor at once), and ends the process itself if it is still there after GRACE_S, or
at once while nothing is under way that needs an end of its own.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

GRACE_S = 20.0
"""Time for a stopped job to release what it holds: Kubernetes waits 30 s before it kills, SLURM as long."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_S = 0.05
_HEARD_S = 1.0


class _Ending:
    """The state of the process's end; one for each process, as signals are."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.heard = threading.Event()
        self.at_once = False
        self.is_watching = False
        self.stderr = 2
        self._said = threading.Lock()

    def say(self, sentence: str) -> None:
        """Write the sentence once, whoever comes first, to the stderr that the process began with."""
        if not self.is_watching:
            print(f"parley: {sentence}", file=sys.stderr, flush=True)
        elif self._said.acquire(blocking=False):
            os.write(self.stderr, f"parley: {sentence}\n".encode("utf-8", "backslashreplace"))


_ending = _Ending()


def watch_signals() -> None:
    """Have SIGINT and SIGTERM end this process, from the main thread. Do it once."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    _ending.stderr, _ending.is_watching = os.dup(2), True
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(reading,), name="signals", daemon=True).start()
    handle_signals()


def handle_signals() -> None:
    """Take the handlers back from a library that has replaced them."""
    if _ending.is_watching:
        for number in _SIGNALS:
            signal.signal(number, _stop)


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """During the block nothing needs an end of its own, and what runs in it must not be interrupted half-way."""
    _ending.at_once = True
    try:
        yield
    finally:
        _ending.at_once = False
        handle_signals()


def say(sentence: str) -> None:
    """Say why the process ends, once: whoever comes first."""
    _ending.say(sentence)


def say_stopped() -> int:
    """Say that an interrupt has stopped the command; return the exit code: 130, or 143 after SIGTERM."""
    say("stopped; the same command continues")
    return 128 + (_ending.received or signal.SIGINT)


def end_failed(sentence: str, code: int) -> None:
    """End the command from any thread, whatever the others do; a process that is not the command goes on."""
    if _ending.is_watching:
        say(sentence)
        end_now(code)


def end_process(code: object) -> NoReturn:
    """End the process as `sys.exit` does, but at once after an interrupt, or after an error where Ray was used."""
    # A handler of Ray's came first, perhaps even before the thread that reads the signals.
    if code in _SIGNALS and _ending.is_watching and _ending.heard.wait(_HEARD_S) and code == _ending.received:
        code = say_stopped()
    if isinstance(code, int) and (_ending.received or (code and "ray" in sys.modules)):
        end_now(code)
    sys.exit(code)  # type: ignore[arg-type]


def end_now(code: int) -> NoReturn:
    """End the process without taking the libraries apart: Ray's may crash or wait for ever when that is done."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader has gone
            continue
    os._exit(code)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    _ending.received = _ending.received or number
    raise KeyboardInterrupt


def _end_in_time(reading: int) -> None:
    """Wait for a signal, then for the process to end by itself, and end it if it does not."""
    while (number := os.read(reading, 1)[0]) not in _SIGNALS:
        continue
    _ending.received = _ending.received or number
    _ending.heard.set()
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and not _ending.at_once:
        time.sleep(_LOOK_S)
    end_now(say_stopped())
