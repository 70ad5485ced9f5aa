"""Reads a published corpus as its users do; runs in the environment `hub` and knows nothing of Parley.

    python hub_reading.py DIR CACHE

Prints JSON: what mlcroissant says of croissant.json and its first record, and what `datasets` makes of each config.
"""

import itertools
import json
import sys
import warnings
from typing import Any


def read_croissant(directory: str) -> dict[str, Any]:
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=f"{directory}/croissant.json")
    issues = dataset.metadata.ctx.issues
    part = dataset.metadata.record_sets[0].name
    first = {}
    if not any(file.content_url.startswith("https:") for file in dataset.metadata.file_objects):
        (record,) = itertools.islice(dataset.records(part), 1)
        first = {name.removeprefix(f"{part}/"): str(value)[:80] for name, value in record.items()}
    return {
        "errors": sorted(issues.errors),
        "warnings": sorted(issues.warnings),
        "names": sorted(name for name in dataset.metadata.to_json() if name.startswith(("rai:", "prov:"))),
        "first": first,
    }


def read_datasets(directory: str, cache: str) -> dict[str, Any]:
    import datasets

    found = {}
    for config in datasets.get_dataset_config_names(directory):
        splits = datasets.load_dataset(directory, config, cache_dir=cache)
        split = next(iter(splits.values()))
        row = split[0]
        clip = row["audio"] if "audio" in row else row["turns"][0]["audio"]
        found[config] = {
            "rows": {name: len(rows) for name, rows in splits.items()},
            "features": str(split.features),
            "clip": [len(clip["bytes"]), clip["path"]],
        }
    return found


def main() -> None:
    directory, cache = sys.argv[1:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = {"croissant": read_croissant(directory), "datasets": read_datasets(directory, cache)}
    found["warned"] = [str(warning.message) for warning in caught if "dataset_info" in str(warning.message)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
