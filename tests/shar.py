"""Reads Lhotse Shar by the definition of the format."""

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any


def cuts_of(file: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [json.loads(line) for line in text.decode().splitlines()]


def pairs(file: Path) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Each sample of a tar: the file's name, its bytes, and the manifest that must stand behind it."""
    with tarfile.open(file) as tar:
        found = [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    both = list(zip(found[::2], found[1::2], strict=True))
    assert all(meta[0] == f"{data[0].rsplit('.', 1)[0]}.json" for data, meta in both)
    return [(name, data, json.loads(meta)) for (name, data), (_, meta) in both]


def facts(cut: dict[str, Any], rate: int) -> list[dict[str, Any]]:
    """The supervisions as `check_tracks` asks for them."""
    return [
        {
            "role": each["speaker"],
            "text": each["text"],
            "start_sample": round(each["start"] * rate),
            "num_samples": round(each["duration"] * rate),
        }
        for each in cut["supervisions"]
    ]
