"""Fixtures of tests that run whole jobs with the tone engines."""

import json
from pathlib import Path

import pytest

from tests.pipeline.tone_job import (
    ROWS,
    make_job,
    run_tone,
)


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "rows.json"
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def finished(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "corpus"
    run_tone(make_job(input_file), out)
    return out
