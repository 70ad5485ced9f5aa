"""Run by the Python of `datasets`: prints what it reads in the directory, as JSON.

    python read_datasets.py DIRECTORY

One object for each row, with its values; of an Audio, the path, and the SHA-256 of its samples.
"""

import hashlib
import io
import json
import sys

import soundfile
from datasets import Audio, load_dataset


def main(directory: str) -> None:
    whole = load_dataset(directory, cache_dir=f"{directory}-cache")
    streamed = {split: load_dataset(directory, split=split, streaming=True) for split in whole}
    found = {
        split: {
            "audio": [name for name, kind in rows.features.items() if isinstance(kind, Audio)],
            "rate": [kind.sampling_rate for kind in rows.features.values() if isinstance(kind, Audio)],
            "rows": [_plain(row) for row in rows],
            "streamed": [_plain(row) for row in streamed[split]],
        }
        for split, rows in whole.items()
    }
    print(json.dumps(found))


def _plain(row: dict) -> dict:
    return {name: _clip(value) if isinstance(value, dict) else value for name, value in row.items()}


def _clip(value: dict) -> list:
    if "bytes" not in value:
        return [value["path"], len(value["array"]), value["sampling_rate"]]
    samples, rate = soundfile.read(io.BytesIO(value["bytes"]), dtype="int16")
    return [value["path"], hashlib.sha256(samples.tobytes()).hexdigest(), rate]


if __name__ == "__main__":
    main(sys.argv[1])
