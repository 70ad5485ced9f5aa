"""Exports of small corpora, as `parley corpus export` makes them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from manifests.corpus import Corpus
from manifests.export.contract import Export
from manifests.schema import Dialogue
from manifests.storage import open_place
from parley.testing.corpora import make_corpus
from pipeline.export import export_corpus, export_settings
from pipeline.exporters import EXPORTERS
from pipeline.job.runner.local import LocalRunner


def export_rows(name: str, rows: Iterable[Dialogue], directory: Path, **settings: Any) -> tuple[Export, Path]:
    """Make a corpus of the kept rows in `directory`, export it with the exporter of that name, and return what the
    export did and the directory with its files."""
    corpus = Corpus(make_corpus(directory / "corpus", rows))
    return export_to(name, {"train": corpus}, directory / "out", **settings)


def export_to(name: str, splits: dict[str, Corpus], out: Path, **settings: Any) -> tuple[Export, Path]:
    """Export the corpora, by the name of their split, to `out`."""
    (exporter,) = EXPORTERS.named(name)
    chosen = export_settings(exporter, settings)
    return export_corpus(exporter, chosen, splits, open_place(out), LocalRunner(), lambda done, total: None), out
