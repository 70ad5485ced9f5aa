"""Publishes a corpus into a directory: exports it for `datasets`, and writes what describes it.

::

    OUT/data/train-00000.parquet      the rows, as the exporter `hf` or `hf-nested` writes them
    OUT/README.md                     the card
    OUT/croissant.json                the same for machines
    OUT/provenance/manifest.json      the manifest of the corpus, with its hash beside it
    OUT/export.json                   what was exported
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export.contract import Exporter, ExportSettings
from manifests.export.hf import EXPORTER as HF
from manifests.export.hf import HfWriter
from manifests.export.hf_nested import EXPORTER as HF_NESTED
from manifests.manifest import write_manifest
from manifests.storage import Place
from pipeline.export import export_corpus
from pipeline.job.directory import refuse_links
from pipeline.job.runner.tasks import Runner
from pipeline.publish.card import CARD, DATA, PROVENANCE, Files, card_text
from pipeline.publish.croissant import CROISSANT, croissant_text
from pipeline.publish.facts import gather_facts
from pipeline.publish.options import PublishOptions
from pipeline.publish.statements import make_statements
from pipeline.views.choose import Configs

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,63}")


@dataclass(frozen=True)
class Published:
    """Counts what was written: dialogues, rows, bytes of Parquet, and dialogues refused, by reason."""

    dialogues: int
    rows: int
    bytes: int
    refused: Mapping[str, int]


def publish_corpus(
    parts: Mapping[str, Corpus],
    out: Place,
    options: PublishOptions,
    runner: Runner,
    progress: Callable[[int, int], None],
    configs: Configs | None = None,
    bank: str | None = None,
) -> Published:
    """Write the parts of a corpus, disjoint and by name, into `out`, or continue an earlier run of the same.

    `configs` says which splits of parts a user may load; by default, one config whose splits are the parts. `bank` is
    the voice bank of the corpus, if it does not ship. Raises UserError for names that are none, and otherwise as
    `export_corpus` and `gather_facts` do.
    """
    chosen = configs or {"default": {part: [part] for part in parts}}
    _check_names(parts, chosen)
    refuse_links(out, deep=True)
    exporter = _exporter(options)
    export = export_corpus(exporter, ExportSettings(), parts, out, runner, progress)
    if not export.written:
        raise UserError(f"nothing can be published: {'; '.join(export.refused)}")
    writer = _writer(exporter, parts)
    facts = gather_facts(parts, lambda dialogue: writer.problem(dialogue) is None, bank)
    files = {part: _files(out, part) for part in parts}
    filled = {part: found for part, found in files.items() if found.paths}
    kept = {config: _filled(splits, filled) for config, splits in chosen.items()}
    kept = {config: splits for config, splits in kept.items() if splits}
    statements = make_statements(facts, export.refused)
    hashes = {path: _sha256(out / path) for found in filled.values() for path in found.paths if options.name is None}
    write_manifest(out / PROVENANCE, facts.manifest)
    (out / CROISSANT).write_text(croissant_text(facts, statements, options, filled, hashes))
    (out / CARD).write_text(card_text(facts, statements, options, kept, filled, writer.sample_rate))
    return Published(
        facts.dialogues,
        sum(found.rows for found in filled.values()),
        sum(found.bytes for found in filled.values()),
        export.refused,
    )


def _exporter(options: PublishOptions) -> Exporter:
    return HF if options.layout == "flat" else HF_NESTED


def _writer(exporter: Exporter, parts: Mapping[str, Corpus]) -> HfWriter:
    """Open the writer that `export_corpus` opened: it judges by the largest part."""
    writer = exporter.open(max((part for part in parts.values() if len(part)), key=len), ExportSettings())
    assert isinstance(writer, HfWriter)
    return writer


def _check_names(parts: Mapping[str, Corpus], configs: Configs) -> None:
    splits = {split for config in configs.values() for split in config}
    for name in (*parts, *configs, *splits):
        if not _NAME.fullmatch(name):
            raise UserError(f"a part or split cannot be named {name!r} on the hub: letters, digits, _ and dots")
    used = {part for config in configs.values() for named in config.values() for part in named}
    if unknown := sorted(used - set(parts)):
        raise UserError(f"no part {unknown[0]!r}; there are: {', '.join(parts)}")


def _filled(splits: Mapping[str, Sequence[str]], files: Mapping[str, Files]) -> dict[str, list[str]]:
    """Return the splits without the parts of which nothing was written."""
    named = {split: [part for part in parts if part in files] for split, parts in splits.items()}
    return {split: parts for split, parts in named.items() if parts}


def _files(out: Place, part: str) -> Files:
    name = re.compile(rf"{re.escape(part)}-\d{{5,}}\.parquet")
    found = [file for file in (out / DATA).list() if name.fullmatch(file.name)]
    footers = [_footer(file) for file in found]
    return Files(
        tuple(f"{DATA}/{file.name}" for file in found),
        sum(footer.num_rows for footer in footers),
        sum(file.size() for file in found),
        sum(footer.row_group(group).total_byte_size for footer in footers for group in range(footer.num_row_groups)),
    )


def _footer(file: Place) -> pq.FileMetaData:
    with file.filesystem.open_input_file(file.path) as stream:
        return pq.read_metadata(stream)


def _sha256(file: Place) -> str:
    digest = hashlib.sha256()
    with file.filesystem.open_input_stream(file.path) as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()
