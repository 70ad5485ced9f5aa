"""How the command ends: by signals, by a thread where the main one does not listen, and with the code of its error."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STOPPED = "parley: stopped; the same command continues\n"

BEGIN = """
import sys, time
from pipeline import ending
ending.GRACE_S = 0.5
ending.watch_signals()
"""
READY = 'print("ready", flush=True)\n'
DEAF = """
said = False
while True:
    try:
        if not said:
            said = True
            print("ready", flush=True)
        time.sleep(0.05)
    except KeyboardInterrupt:
        pass
"""

# what runs once the process is ready: (its code, the signals sent to it, exit code, stderr)
ENDS: dict[str, tuple[str, list[signal.Signals], int, str]] = {
    "a swallowed interrupt": (DEAF, [signal.SIGINT], 130, STOPPED),
    "a swallowed SIGTERM": (DEAF, [signal.SIGTERM], 143, STOPPED),
    "twice": (DEAF, [signal.SIGTERM, signal.SIGINT], 143, STOPPED),
    "at once": (
        "ending.GRACE_S = 600.0\nwith ending.stopping_at_once():" + DEAF.replace("\n", "\n    "),
        [signal.SIGINT],
        130,
        STOPPED,
    ),
    "a handler that a library has replaced": (
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(15))\n"
        "try:\n    " + READY + "    time.sleep(60)\nexcept SystemExit as end:\n    ending.end_process(end.code)",
        [signal.SIGTERM],
        143,
        STOPPED,
    ),
    "another thread": (
        READY + "import threading\nthreading.Thread(target=ending.end_failed, args=('Ray ended', 4)).start()" + DEAF,
        [],
        4,
        "parley: Ray ended\n",
    ),
    "no signal": (READY + "ending.end_process(3)", [], 3, ""),
}


def test_whatever_the_main_thread_does_the_process_ends() -> None:
    wrong = []
    for name, (code, signals, expected, said) in ENDS.items():
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for number in signals:
            process.send_signal(number)
            time.sleep(0.1)
        try:
            _, error = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            wrong.append((name, "hangs"))
            continue
        if (process.returncode, error) != (expected, said):
            wrong.append((name, f"exit {process.returncode}, {error!r}"))
    assert not wrong


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_job_that_is_stopped_says_so_and_goes_on(number: signal.Signals, code: int, tmp_path: Path) -> None:
    source, out = tmp_path / "rows.json", tmp_path / "out"
    source.write_text(
        json.dumps([{"instruction": f"Why is number {i} liked?", "output": "It is lucky."} for i in range(400)])
    )
    words = ["run", "tone-dry-run", "--runner", "local", "--input", str(source), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words, "--set", "block_rows=4"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("work/take-1/*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.endswith(STOPPED), "Traceback" in said) == (code, True, False)
    assert not (out / "manifest.json").exists() and not list(out.rglob(".tmp-*"))
