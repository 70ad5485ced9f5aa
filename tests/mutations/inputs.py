"""Spoiled input files, through detection, readers, blocks and the text stages of the rules engine."""

import json
import random
from pathlib import Path
from typing import Any

from manifests.storage import open_place
from pipeline.engines.registry import load_engine
from pipeline.job.blocks import read_block
from pipeline.job.commits import write_hashes
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import open_inputs
from pipeline.readers import formats
from pipeline.recipes.load import load_recipe
from pipeline.stages.contract import Context, run_stage
from pipeline.stages.registry import engines_of, find_stage
from tests.mutations.mutate import Outcome, spoil, spoil_value
from tests.pipeline.readers.conftest import CONTAINERS

_STAGES = ("rewrite", "screen", "respond")
_ROWS = 4


def spoil_inputs(count: int, seed: int, where: Path) -> Outcome:
    """Read that many spoiled files, which lie in `where` one after another."""
    outcome, recipe = Outcome(), load_recipe("ke-speechchat-offline")
    engines = {key: load_engine(*key) for key in engines_of(recipe, _STAGES)}
    context = Context(recipe, seed, engines, {}, {})
    for number in range(count):
        dice = random.Random(f"{seed} input {number}")
        name, container = dice.choice(sorted(formats())), dice.choice(sorted(CONTAINERS))
        file = where / "input"
        file.write_bytes(_file(name, container, dice))
        outcome.attempt(f"{name} in {container}, number {number}", lambda file=file: _through(file, where, context))
    return outcome


def _file(name: str, container: str, dice: random.Random) -> bytes:
    rows: list[Any] = [formats()[name].example] * _ROWS
    for _ in range(dice.choice((0, 1, 1, 2))):
        rows = spoil_value(rows, dice) if dice.random() < 0.9 else rows
        rows = rows if isinstance(rows, list) and rows else [rows]
    try:
        data = CONTAINERS[container](rows)
    except Exception:  # noqa: BLE001  what Parquet cannot hold, or UTF-8 cannot encode, goes in as ASCII lines
        data = "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")
    return spoil(data, dice) if dice.random() < 0.5 else data


def _through(file: Path, where: Path, context: Context) -> None:
    blocks = open_place(where / "blocks")
    blocks.delete()
    files = open_inputs([str(file)])
    scratch = open_place(where / "ids")
    cut = ingest(files, IngestOptions(), context.recipe, "digest", blocks, scratch, lambda rows: None)
    write_hashes(blocks, cut.hashes)
    counts = cut.counts
    dialogues = [row for block in range(counts["blocks"]) for row in read_block(blocks, block)]
    if len(dialogues) != counts["rows"]:
        raise AssertionError(f"{counts['rows']} rows became {len(dialogues)}")
    for name in _STAGES:
        dialogues = run_stage(find_stage(name), dialogues, context)
