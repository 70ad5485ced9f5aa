"""The recipes under examples/ load, name only what exists, and the first one runs."""

import re
from pathlib import Path

from manifests.corpus import Corpus
from pipeline.cli.main import cli
from pipeline.engines.registry import ENGINES
from pipeline.prompts import named_digest
from pipeline.recipes.load import load_recipe
from pipeline.stages.registry import engines_of, find_stage
from tests.tables import each_row

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SAMPLE = ROOT / "pipeline" / "samples" / "instructions_en.json"
TONES = ("cast.bank=tone", "synthesize.engine=tone", "watermark.engine=tone-mark", "transcribe.engine=tone")
# Tones are not bound to what a mouth can do.
SPEED = "gate.spaced_speed={slowest: 1, fastest: 1000, pause_s: 2}"


@each_row("path", EXAMPLES)
def test_an_example_names_only_keys_engines_and_prompts_that_exist(path: Path) -> None:
    recipe = load_recipe(str(path))
    assert recipe.name == path.stem
    for kind, name in engines_of(recipe, tuple(recipe.stages)):
        assert ENGINES.named(recipe.engine_of(name), kind), f"{kind} {name}"
    for prompt in [prompt for stage in recipe.stages for prompt in find_stage(stage).prompts(recipe)]:
        assert named_digest(prompt, recipe.languages)


def test_the_examples_show_what_their_page_promises() -> None:
    first, large, servers = (load_recipe(str(path)) for path in EXAMPLES)
    assert not first.models
    assert {"dedup", "converse"} <= set(large.stages)
    assert sum(pool.gpus * pool.workers for pool in large.pools.values()) == 2
    assert {"openai", "openai-speech", "openai-transcription"} <= {servers.engine_of(name) for name in servers.models}
    assert "assess" in servers.stages


def test_the_page_lists_every_example() -> None:
    linked = re.findall(r"\]\((\S+\.yaml)\)", (ROOT / "examples" / "README.md").read_text(encoding="utf-8"))
    assert sorted(linked) == [path.name for path in EXAMPLES]


def test_the_first_steps_run(tmp_path: Path) -> None:
    job = ["run", str(ROOT / "examples" / "first-steps.yaml"), "--input", str(SAMPLE), "--limit", "3"]
    changes = [word for value in (*TONES, SPEED) for word in ("--set", value)]
    cli([*job, "--out", str(tmp_path / "corpus"), "--runner", "local", *changes], standalone_mode=False)
    rows = Corpus(tmp_path / "corpus").manifest.counts.rows
    assert sum(rows.values()) == 3
    assert rows["kept"] >= 1
