"""docs/extending.md is a whole package: it is taken out of the page, installed, and a job runs with what it brings."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from manifests.corpus import Corpus, decode
from parley.testing import audit_stage, make_context, make_dialogue
from pipeline.stages.registry import STAGES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL))
CARDS = [{"front": f"What is the capital of country number {i}?", "back": f"It is city {i}."} for i in range(5)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the page's package is installed, entry points included."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name, text in FILES.items():
        path = source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (source / "beep_for_parley" / "__init__.py").touch()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    return target


def parley(installed: Path, *words: object) -> str:
    env = {**os.environ, "PYTHONPATH": f"{installed}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def parley_each(installed: Path, *commands: tuple[str, ...]) -> list[str]:
    """What each of the commands prints, all in one process."""
    env = {**os.environ, "PYTHONPATH": f"{installed}:{ROOT}"}
    code = """if True:
        import sys
        from pipeline.cli.main import cli
        for words in sys.argv[1:]:
            cli(words.split(), standalone_mode=False)
            print(end="\\f")
    """
    command = [sys.executable, "-c", code, *map(" ".join, commands)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout.split("\f")[:-1]


def bank_of_beeps(directory: Path) -> Path:
    """The bank of tones, spoken with by the page's engine."""
    shipped = ROOT / "voicebank" / "voices" / "tone"
    directory.mkdir()
    (directory / "card.json").write_text((shipped / "card.json").read_text())
    voices = (shipped / "voices.jsonl").read_text().replace('"engine": "tone"', '"engine": "beep"')
    (directory / "voices.jsonl").write_text(voices)
    return directory


def test_the_page_holds_the_whole_package() -> None:
    names = ["pyproject.toml", *(f"beep_for_parley/{name}.py" for name in ("beep", "hush", "lines", "cards"))]
    assert list(FILES) == names


@pytest.mark.parametrize("runner", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_job_runs_with_a_strangers_engine_stage_format_and_exporter(
    runner: str, installed: Path, tmp_path: Path
) -> None:
    cards = tmp_path / "cards.jsonl"
    cards.write_text("".join(json.dumps(card) + "\n" for card in CARDS))
    settings = ["models.beeper={engine: beep, hz: 300}", "synthesize.engine=beeper", "hush.fade_ms=1000"]
    settings += [f"cast.bank={bank_of_beeps(tmp_path / 'voices')}", "gate.wer_limit=1", "gate.ladder=[]"]
    options = [word for setting in settings for word in ("--set", setting)]
    out = tmp_path / "corpus"
    parley(installed, "run", "tone-dry-run", "--input", cards, "--out", out, "--runner", runner, *options)
    rows = [row for status in ("kept", "rejected", "failed") for row in Corpus(out, status=status)]  # type: ignore[arg-type]
    assert sorted(row.turns[0].original_text for row in rows) == [card["front"] for card in CARDS]
    assert all(len(row.provenance) == 10 for row in rows)
    steps = {step.stage: step for step in rows[0].provenance}
    assert steps["synthesize"].version == "300 Hz beep 0.3"
    assert list(steps)[list(steps).index("hush") - 1] == "render"
    samples, rate = decode(rows[0].turns[0].take.audio)  # type: ignore[union-attr]
    begin, middle = (np.abs(samples[int(at * rate) :][: rate // 10]).max() for at in (0.15, 1.0))
    assert 0 < begin < 0.5 * middle, "the beginning is faded in"
    status = rows[0].status
    told = parley(installed, "corpus", "export", out, "--to", "lines", "--out", tmp_path / "text", "--status", status)
    lines = (tmp_path / "text" / "train-00000.txt").read_text().splitlines()
    assert len(lines) == sum(row.status == status for row in rows) and "written" in told
    assert lines[0].startswith("user: ") and "| agent: " in lines[0]


def test_a_stranger_is_listed_and_shown_beside_parleys_own(installed: Path) -> None:
    named = {"engines": "beep", "stages": "hush", "exporters": "lines", "formats": "cards"}
    lists = parley_each(installed, *((what, "list") for what in named))
    assert [f"{name}\t" in text for name, text in zip(named.values(), lists, strict=True)] == [True] * 4
    pages = parley_each(installed, *((what, "show", name) for what, name in named.items()))
    assert len(pages) == 4 and all(pages)


def test_the_pages_stage_obeys_the_laws(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    from beep_for_parley.hush import STAGE, HushSettings  # type: ignore[import-not-found]

    monkeypatch.setitem(STAGES.added, (None, "hush"), STAGE)
    recipe = make_context().recipe
    context = make_context(recipe.model_copy(update={"stages": {**recipe.stages, "hush": HushSettings()}}))
    audit_stage(STAGE, [make_dialogue(spoken=True), make_dialogue(dialogue_id="test-2", spoken=True)], context)


def test_the_pages_engine_obeys_the_laws(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    from beep_for_parley.beep import ENGINE, BeepModel

    engine = ENGINE.open(BeepModel(engine="beep", hz=300))
    assert (engine.name, engine.version) == ("beep", ENGINE.version(BeepModel(engine="beep", hz=300)))
