"""Doors: a file says what it holds, and what it holds says the same."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import pytest

from manifests.errors import EngineUnavailable
from pipeline.doors import Door
from pipeline.engines.contract import KINDS, Engine
from pipeline.engines.registry import ENGINES, find_engine, is_engine
from pipeline.exporters import EXPORTERS
from pipeline.readers.formats import INPUT_FORMATS
from pipeline.stages.registry import STAGES


def test_every_engine_lies_where_its_kind_and_name_say() -> None:
    for engine in ENGINES.all():
        module = import_module(f"pipeline.engines.{engine.kind}.{engine.name.replace('-', '_')}")
        assert engine in vars(module).values(), f"{engine.kind} {engine.name}"
    assert {engine.kind for engine in ENGINES.all()} == set(KINDS)


def test_every_stage_and_exporter_lies_where_its_name_says() -> None:
    for stage in STAGES.all():
        assert stage in vars(import_module(f"pipeline.stages.{stage.name}")).values()
    for exporter in EXPORTERS.all():
        assert exporter in vars(import_module(f"manifests.export.{exporter.name.replace('-', '_')}")).values()


@pytest.mark.parametrize("door", [ENGINES, STAGES, EXPORTERS, INPUT_FORMATS], ids=lambda door: door.group)
def test_names_need_no_import_and_are_those_of_what_is_found(door: Door[object]) -> None:
    found = [thing.name for thing in door.all()]  # type: ignore[attr-defined]
    assert sorted(door.names()) == sorted(set(found))
    assert all(thing.about and "\n" not in thing.about for thing in door.all())  # type: ignore[attr-defined]


def test_one_engine_is_found_without_importing_the_others() -> None:
    code = """
import sys
from pipeline.engines.registry import find_engine
find_engine("tts", "tone")
print(sorted(name for name in sys.modules if name.startswith("pipeline.engines.tts.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pipeline.engines.tts.tone']"


def test_what_a_process_adds_hides_the_rest_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = replace(find_engine("tts", "tone"), about="mine")
    monkeypatch.setitem(ENGINES.added, ("tts", "tone"), mine)
    assert ENGINES.named("tone", "tts") == [mine]
    assert find_engine("asr", "tone").about != "mine"
    monkeypatch.setitem(ENGINES.added, ("tts", "quite-new"), replace(mine, name="quite-new"))
    assert is_engine("quite-new") and "quite-new" in ENGINES.names()


def test_a_plug_in_that_cannot_be_imported_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.doors._single_modules", lambda group: ("nowhere_at_all.beep",))
    door = Door("parley.tests", Engine)
    with pytest.raises(EngineUnavailable, match=r"beep \(nowhere_at_all\.beep\) cannot be imported: "):
        door.named("beep")
