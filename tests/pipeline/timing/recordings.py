"""Files that say who speaks when, as other programs write them."""

import json
from collections.abc import Iterable
from pathlib import Path

Spoken = tuple[str, float, float]
"""A speaker, and the start and the end of what it says, in seconds."""

TALK: tuple[Spoken, ...] = (
    ("bob", 0.0, 2.0),
    ("ann", 2.3, 4.0),
    ("ann", 4.1, 6.0),
    ("bob", 3.0, 3.4),
    ("ann", 6.5, 8.0),
    ("bob", 7.2, 10.0),
    ("ann", 12.0, 13.0),
)
"""Bob speaks, Ann answers after 0.3 s, with a pause of 0.1 s, which joins, and one of 0.5 s, and Bob says "right" in
between. He interrupts her 0.8 s before her end, and she answers after 2 s."""


def rttm(path: Path, spoken: Iterable[Spoken], recording: str = "call") -> Path:
    lines = [
        f"SPEAKER {recording} 1 {start:.4f} {end - start:.4f} <NA> <NA> {name} <NA> <NA>\n"
        for name, start, end in spoken
    ]
    path.write_text(";; a comment\n" + "".join(lines), encoding="utf-8")
    return path


def supervisions(path: Path, spoken: Iterable[Spoken], text: str | None = None) -> Path:
    rows = [
        {"id": f"s{n}", "recording_id": "call", "start": start, "duration": end - start, "channel": 0, "speaker": name}
        | ({"text": text} if text else {})
        for n, (name, start, end) in enumerate(spoken)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
