"""One flipped bit in one file of a sound corpus: `validate --deep` must see every one, and no reader may crash.

The corpus has dialogues on two channels, clips, a view and a token set beside the rows.
"""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.corpus import Corpus
from manifests.manifest import load_manifest, write_manifest
from manifests.metadata import write_metadata
from manifests.stats import stats
from manifests.storage import Place, open_place
from manifests.validate import validate
from manifests.views import write_view
from parley.testing import make_corpus, make_rows
from pipeline.audit.corpus_view import open_view
from pipeline.export import export_corpus, export_settings
from pipeline.exporters import EXPORTERS
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.recipe import Pool
from pipeline.report.report import write_report
from pipeline.timing.reading import read_talks
from pipeline.timing.statistics import TimingStatistics
from pipeline.tokens.make import make_token_set
from pipeline.tokens.work import TokenOrder
from tests.mixed import make_mixed
from tests.mutations.mutate import Outcome, flip
from tests.mutations.written import first_row

KINDS = {
    "shard": "shards/*.parquet",
    "clip": "audio/**/*.wav",
    "track": "audio/**/*_track-*",
    "metadata.json": "metadata.json",
    "manifest.json": "manifest.json",
    "manifest.sha256": "manifest.sha256",
    "view": "views/*.parquet",
    "view's JSON": "views/*.json",
    "token file": "tokens/*/*.parquet",
    "token set's JSON": "tokens/*.json",
}
"""The files of a corpus by kind."""


def flip_corpus(count: int, seed: int, where: Path) -> Outcome:
    """Flip that many bits, one after another, in a corpus that is made in `where`. `missed` counts what nobody saw."""
    corpus = where / "corpus"
    outcome, place = Outcome(), make_flippable(corpus)
    if problems := validate(place, deep=True).problems:
        raise AssertionError(f"the corpus is not sound to begin with: {problems}")
    for number in range(count):
        dice = random.Random(f"{seed} flip {number}")
        kind = sorted(KINDS)[number % len(KINDS)]
        file = dice.choice(sorted(corpus.glob(KINDS[kind])))
        whole = file.read_bytes()
        file.write_bytes(flip(whole, dice))
        for deep in (True, False):
            depth = "deep" if deep else "plain"
            outcome.flipped[f"{depth} {kind}"] += 1
            report = outcome.attempt(f"{kind} {depth} (number {number})", lambda d=deep: validate(place, d))
            outcome.missed[f"{depth} {kind}"] += report is not None and report.ok
        for name, read in _readers(place, where / "out", number < len(KINDS) or number % 7 == 0):
            outcome.attempt(f"{kind} {name} (number {number})", read)
        shutil.rmtree(where / "out", ignore_errors=True)
        file.write_bytes(whole)
    return outcome


def make_flippable(where: Path) -> Place:
    """Make a sound corpus with every kind of file."""
    rows = make_rows(5, 3, 2)
    mixed = [replace(make_mixed(100 + number), recipe=rows[0].recipe) for number in range(2)]
    place = make_corpus(where, [*rows, *mixed], clips=True)
    written = write_metadata(place / "metadata.json", Corpus(place), {})
    write_manifest(place, replace(load_manifest(place), metadata=written))
    kept = pa.array([row.dialogue_id for row in Corpus(place)])
    numbers = np.arange(len(kept), dtype=np.int8) % 2
    write_view(place, "halves", ["a", "b"], numbers, kept, {"made": "for flips"}, "0.1.0")
    order = TokenOrder("tone", {}, "both", "both", Pool(stages=("tokenizer",)))
    make_token_set(place, "side", order, LocalRunner(), Listener())
    return place


def _readers(place: Place, out: Path, dear: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what reads a corpus, by name; `dear`: with what takes longest."""
    yield "stats", lambda: stats(place)
    yield "reader", lambda: list(Corpus(place))
    yield "reader of tokens", lambda: list(Corpus(place, tokens="side"))
    yield "reader of a view", lambda: list(Corpus(place, view="halves/a"))
    yield "random access", lambda: first_row(place)
    yield "audit", lambda: open_view(place)
    yield "timing", lambda: _timing([str(place.path)])
    if not dear:
        return
    yield "report", lambda: write_report(place, open_place(out / "report"), rows=2, clips="inside")
    yield "export", lambda: _export(place, open_place(out / "export"))


def _timing(files: Sequence[str]) -> Any:
    found = TimingStatistics()
    for talk in read_talks(files, None, lambda words: None):
        found.add(talk)
    return found.figures()


def _export(place: Place, out: Place) -> Any:
    exporter = EXPORTERS.named("webdataset")[0]
    splits = {"train": Corpus(place)}
    return export_corpus(exporter, export_settings(exporter, {}), splits, out, LocalRunner(), lambda done, total: None)
