"""Writes README.md, the card that a hub shows: a YAML header for programs, and Markdown for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from manifests.export.hf import COLUMNS
from manifests.export.hf_nested import OF_DIALOGUE, OF_TURN
from pipeline.publish.facts import Facts
from pipeline.publish.options import PublishOptions
from pipeline.publish.statements import Statements, citation_of, render, title_of
from pipeline.views.choose import Configs

CARD = "README.md"
DATA = "data"
PROVENANCE = "provenance"

_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10**10, 10**11, 10**12)
_SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")


@dataclass(frozen=True)
class Files:
    """Describes the Parquet files of a part: their paths, rows, bytes, and bytes before Parquet's compression."""

    paths: tuple[str, ...]
    rows: int
    bytes: int
    plain_bytes: int


def card_text(
    facts: Facts,
    statements: Statements,
    options: PublishOptions,
    configs: Configs,
    files: Mapping[str, Files],
    sample_rate: int | None,
) -> str:
    """Return the whole text of the card."""
    header = yaml.safe_dump(
        _header(facts, options, configs, files, sample_rate), sort_keys=False, allow_unicode=True, width=1000
    )
    first = next(path for part in files.values() for path in part.paths)
    body = render(
        "card.md",
        {
            "facts": facts,
            "options": options,
            "title": title_of(facts, options),
            "engines": sorted(facts.manifest.engines.items()),
            "is_split": set(configs) == {"default"},
            "configs": list(configs),
            "snippet": render("verify.py.txt", {"file": first, "layout": options.layout}).rstrip(),
            "citation": citation_of(facts, options),
            **vars(statements),
        },
    )
    return f"---\n{header}---\n\n{body.rstrip()}\n"


def size_category(rows: int) -> str:
    """Return the hub's name for the size of a data set of so many rows."""
    if rows < _SIZES[0]:
        return f"n<{_SIZE_NAMES[0]}"
    for index, limit in enumerate(_SIZES[1:], start=1):
        if rows < limit:
            return f"{_SIZE_NAMES[index - 1]}<n<{_SIZE_NAMES[index]}"
    return f"n>{_SIZE_NAMES[-1]}"


def _header(
    facts: Facts, options: PublishOptions, configs: Configs, files: Mapping[str, Files], sample_rate: int | None
) -> dict[str, Any]:
    tags = ["parley", "synthetic", "spoken-dialogue", *(["watermarked"] if facts.marks else [])]
    tasks = ["automatic-speech-recognition", "text-to-speech", "audio-to-audio"]
    return {
        "pretty_name": title_of(facts, options),
        "language": sorted(facts.languages),
        **options.hub_license,
        "tags": [*tags, *(["c2pa"] if facts.signed else [])],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": [f"extended|other-{name}" for name in sorted(facts.datasets)],
        "size_categories": [size_category(sum(part.rows for part in files.values()))],
        **({"task_categories": tasks} if facts.is_speech else {}),
        "configs": [
            {
                "config_name": config,
                **({"default": True} if config == "default" and len(configs) > 1 else {}),
                "data_files": [
                    {"split": split, "path": [f"{DATA}/{part}-*.parquet" for part in parts]}
                    for split, parts in splits.items()
                ],
            }
            for config, splits in configs.items()
        ],
        "dataset_info": [_info(config, splits, files, options, sample_rate) for config, splits in configs.items()],
    }


def _info(
    config: str,
    splits: Mapping[str, Sequence[str]],
    files: Mapping[str, Files],
    options: PublishOptions,
    sample_rate: int | None,
) -> dict[str, Any]:
    """Return the features and sizes of a config."""
    used = sorted({part for parts in splits.values() for part in parts})
    return {
        "config_name": config,
        "features": _features(options, sample_rate),
        "splits": [
            {
                "name": split,
                "num_bytes": sum(files[part].plain_bytes for part in parts),
                "num_examples": sum(files[part].rows for part in parts),
            }
            for split, parts in splits.items()
        ],
        "download_size": sum(files[part].bytes for part in used),
        "dataset_size": sum(files[part].plain_bytes for parts in splits.values() for part in parts),
    }


def _features(options: PublishOptions, sample_rate: int | None) -> list[dict[str, Any]]:
    audio = {"name": "audio", "dtype": {"audio": {"sampling_rate": sample_rate, "decode": False}}}
    if options.layout == "flat":
        return [*_plain(COLUMNS), audio]
    return [*_plain(OF_DIALOGUE), {"name": "turns", "list": [*_plain(OF_TURN), audio]}]


def _plain(columns: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": kind} for name, kind in columns.items()]
