"""One flipped bit in one file of a sound corpus: `validate --deep` must see every one, and no reader may crash."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from manifests.corpus import Corpus
from manifests.manifest import load_manifest, write_manifest
from manifests.metadata import write_metadata
from manifests.stats import stats
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing import make_corpus, make_rows
from tests.mutations.mutate import Outcome, flip
from tests.mutations.written import first_row

KINDS = ("shard", "clip", "metadata.json", "manifest.json", "manifest.sha256")


def flip_corpus(count: int, seed: int, where: Path) -> Outcome:
    """Flip that many bits, one after another, in a corpus that is made in `where`. `missed` counts what nobody saw."""
    outcome, place = Outcome(), make_corpus(where, make_rows(6, 3, 2), clips=True)
    written = write_metadata(place / "metadata.json", Corpus(place), {})
    write_manifest(place, replace(load_manifest(place), metadata=written))
    if not validate(place, deep=True).ok:
        raise AssertionError("the corpus is not sound to begin with")
    for number in range(count):
        dice = random.Random(f"{seed} flip {number}")
        kind = KINDS[number % len(KINDS)]
        file = dice.choice(_files(where, kind))
        whole = file.read_bytes()
        file.write_bytes(flip(whole, dice))
        for deep in (True, False):
            depth = "deep" if deep else "plain"
            outcome.flipped[f"{depth} {kind}"] += 1
            report = outcome.attempt(
                f"{kind} {depth} (number {number})", lambda d=deep: validate(open_place(where), d)
            )
            outcome.missed[f"{depth} {kind}"] += report is not None and report.ok
        for read in (stats, lambda place: list(Corpus(place)), first_row):
            outcome.attempt(f"{kind} read (number {number})", lambda read=read: read(place))
        file.write_bytes(whole)
    return outcome


def _files(where: Path, kind: str) -> Sequence[Path]:
    below = {"shard": "shards/*.parquet", "clip": "audio/**/*.wav"}
    return sorted(where.glob(below.get(kind, kind)))
