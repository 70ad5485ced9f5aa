"""Reads and writes the manifest, the JSON file that says what a corpus holds and how it was made.

It is written last, so its existence means that the corpus is complete. It contains no time and no absolute path: the
same input, recipe and seed give the same manifest. `manifest.sha256` beside it has its hash, in the form that
`sha256sum -c manifest.sha256` checks.
"""

import dataclasses
import hashlib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from manifests.errors import CorpusError
from manifests.json_text import parse_json
from manifests.schema import SCHEMA_VERSION, FinalStatus, version_problem
from manifests.shards import ShardInfo
from manifests.storage import Place

FORMAT = "parley-corpus"
MANIFEST_NAME = "manifest.json"
CHECKSUM_NAME = "manifest.sha256"
SIGNER = "sign/c2pa"
"""Entry of `engines` in a corpus whose clips are signed: the library that signed them."""
LARGEST = 2**62
"""Largest number in a manifest: sums of a few still fit the 64 bits that readers compute with."""
_Record = TypeVar("_Record")
_SAMPLE_RATE = re.compile(r"[1-9][0-9]{0,8}")

FINAL_STATUSES: tuple[FinalStatus, ...] = ("kept", "rejected", "failed")


@dataclass(frozen=True, slots=True)
class RecipeRecord:
    """Records the recipe: `settings` as it was run, every default filled in; `digest` is the one in each row.

    `earlier`: digests in the rows of a job whose recipe was changed on the way, with `--accept-changes`.
    """

    name: str
    digest: str
    settings: dict[str, Any]
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Describes one input. `file` is a bare name; `rows` is how many rows it gave, readable or not."""

    dataset: str
    rows: int
    license: str | None = None
    format: str | None = None
    file: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """Describes `metadata.json`; `sha256` covers the whole file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """Counts the clips that are also files beside the shards, and their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts what the shards hold. The statuses are kept, rejected and failed; a status without rows is left out.

    `rows`, `turns`: by status. `reasons`: rows by reason. `languages`: rows by status and language. `samples`: audio
    samples of the turns' clips by status, language and sample rate in Hz (as a string: JSON keys are strings).
    `tracks`: by status, those of rows that are mixed. `timelines`: the lengths of timelines, as `samples`.
    """

    rows: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    languages: dict[str, dict[str, int]] = field(default_factory=dict)
    samples: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    tracks: dict[str, int] = field(default_factory=dict)
    timelines: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    @property
    def input_rows(self) -> int:
        return sum(self.rows.values())

    def audio_s(self, status: str, language: str | None = None) -> float:
        """Return the seconds of audio of one status, in one language or in all."""
        languages = self.samples.get(status, {})
        chosen = languages.values() if language is None else [languages.get(language, {})]
        return float(sum(samples / int(rate) for rates in chosen for rate, samples in rates.items()))


def sum_counts(several: Iterable[Counts]) -> Counts:
    """Add up the counts of parts of a corpus."""
    total: dict[str, Any] = {}
    for counts in several:
        total = _added(total, dataclasses.asdict(counts))
    return Counts(**total)


def _added(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Add nested numbers."""
    names = (*a, *(name for name in b if name not in a))
    return {
        name: (
            _added(a.get(name, {}), b.get(name, {}))
            if isinstance(a.get(name, b.get(name)), Mapping)
            else a.get(name, 0) + b.get(name, 0)
        )
        for name in names
    }


@dataclass(frozen=True, slots=True)
class Manifest:
    """Holds everything in `manifest.json`. `shards` lists the shards of each status, in the order of their rows.

    `engines` maps kind/name to the version that ran ("asr/pocketsphinx": "5.1.1 ..."). `metadata` and `clips` are None
    where the corpus has no such files.
    """

    parley_version: str
    seed: int
    recipe: RecipeRecord
    engines: dict[str, str]
    sources: tuple[SourceFile, ...]
    counts: Counts
    shards: dict[str, tuple[ShardInfo, ...]]
    metadata: MetadataFile | None = None
    clips: ClipFiles | None = None
    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION


def manifest_text(manifest: Manifest) -> str:
    """Return the JSON text of the manifest: sorted keys, one final line break."""
    return json.dumps(dataclasses.asdict(manifest), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def checksum_text(data: bytes) -> str:
    """Return the content of `manifest.sha256` for the bytes of a manifest, as `sha256sum manifest.json` prints it."""
    return f"{hashlib.sha256(data).hexdigest()}  {MANIFEST_NAME}\n"


def manifest_digest(manifest: Manifest) -> str:
    """Return the SHA-256 of the file that a manifest is written as: it names the corpus, to every byte of a shard."""
    return hashlib.sha256(manifest_text(manifest).encode("utf-8")).hexdigest()


def recipe_digest(settings: Mapping[str, Any], seed: int) -> str:
    """Return the digest of a recipe with its seed, which each row has: the SHA-256 of their canonical JSON."""
    canonical = json.dumps(
        {"recipe": settings, "seed": seed}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def write_manifest(place: Place, manifest: Manifest) -> None:
    """Write `manifest.sha256`, then `manifest.json`, into the corpus directory `place`. Do it last."""
    data = manifest_text(manifest).encode("utf-8")
    (place / CHECKSUM_NAME).write_text(checksum_text(data))
    (place / MANIFEST_NAME).write_bytes(data)


def manifest_hash(place: Place) -> str:
    """Return the SHA-256 of the manifest's bytes in the corpus directory `place`; raises CorpusError without one."""
    try:
        return hashlib.sha256((place / MANIFEST_NAME).read_bytes()).hexdigest()
    except OSError as error:
        raise CorpusError(f"{place}: no {MANIFEST_NAME} can be read") from error


def load_manifest(place: Place) -> Manifest:
    """Load the manifest of the corpus directory `place`; raises a one-line CorpusError for anything wrong with it."""
    path = place / MANIFEST_NAME
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise CorpusError(f"{place}: no {MANIFEST_NAME}: not a corpus, or one that was never finished") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from error
    try:
        return parse_manifest(text)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error


def parse_manifest(text: str) -> Manifest:
    """Parse the JSON text of a manifest; raises a CorpusError that says what is wrong."""
    try:
        data = parse_json(text)
    except ValueError as error:
        raise CorpusError(f"not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise CorpusError(f"not a manifest: its format is not {FORMAT}")
    if problem := version_problem(data.get("schema_version")):
        raise CorpusError(f"a corpus of {problem}")
    manifest = parse_record(Manifest, data, "manifest")
    _check_numbers(manifest)
    _check_paths(manifest)
    return manifest


def parse_record(kind: type[_Record], data: object, name: str) -> _Record:
    """Convert what JSON held to a dataclass; raises a CorpusError that names the wrong entry, below `name`."""
    return typing.cast(_Record, _parse(kind, data, name))


def _check_paths(manifest: Manifest) -> None:
    """Raise CorpusError for a shard that would be read from outside the corpus."""
    for status, shards in manifest.shards.items():
        for shard in shards:
            if "\\" in shard.path or not all(part.strip(".") for part in shard.path.split("/")):
                raise CorpusError(f"a shard of {status} rows has the wrong path {shard.path}")


def _check_numbers(manifest: Manifest) -> None:
    """Raise CorpusError for sizes and rates that a reader cannot compute with."""
    counted = (*manifest.counts.samples.values(), *manifest.counts.timelines.values())
    rates = {rate for languages in counted for part in languages.values() for rate in part}
    odd_rates = sorted(rate for rate in rates if not _SAMPLE_RATE.fullmatch(rate))
    if odd_rates:
        raise CorpusError(f"manifest.counts has impossible sample rates: {', '.join(odd_rates)}")
    for shard in (shard for shards in manifest.shards.values() for shard in shards):
        if shard.rows < 0 or shard.bytes < 0:
            raise CorpusError(f"{shard.path} has a negative number of rows or bytes")


def _parse(kind: Any, value: Any, where: str) -> Any:
    """Convert a JSON `value` to an object of the annotation `kind`; `where` names it in the error."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin is types.UnionType:
        return None if value is None else _parse(arguments[0], value, where)
    if origin is dict and isinstance(value, dict):
        return {key: _parse(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is tuple and isinstance(value, list):
        return tuple(_parse(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if is_dataclass(kind) and isinstance(value, dict):
        return _parse_fields(kind, value, where)
    if kind is int and type(value) is int and abs(value) > LARGEST:
        raise CorpusError(f"{where} is too large a number")
    if kind in (str, int, bool) and type(value) is kind:
        return value
    raise CorpusError(f"{where} has the wrong type: {type(value).__name__}")


def _parse_fields(kind: Any, value: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    names = {part.name for part in fields(kind)}
    unknown, missing = sorted(value.keys() - names), sorted(names - value.keys())
    if unknown or missing:
        raise CorpusError(
            "; ".join(
                f"{where} {word} {', '.join(keys)}"
                for word, keys in (("has unknown", unknown), ("lacks", missing))
                if keys
            )
        )
    return kind(**{name: _parse(hints[name], value[name], f"{where}.{name}") for name in value})
