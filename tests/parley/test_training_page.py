"""The code of docs/training.md runs, and does what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

from manifests.epochs import Ends
from parley.testing import make_corpus
from parley.testing.corpora import make_kept

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")


def test_code_runs(tmp_path, capsys):
    pytest.importorskip("torch")
    rows = [make_kept(number, num_samples=800 + 10 * number) for number in range(9)]
    names = {"where": make_corpus(tmp_path, rows).path, "np": np}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 19
    assert "9 user (830,)" in printed
    assert "user what is number 8 voice-user (1320,) 24000" in printed  # 880 samples, at one and a half times the rate
    assert sum(rows for rows, _ in names["batches"]) == 9
    assert len(names["rest"]) == len(set(names["rest"])) == 8


def test_it_names_every_way_to_end_an_epoch():
    shown = re.findall(r'^\| `"(\w+)"` \|', PAGE, re.MULTILINE)
    assert tuple(shown) == Ends.__args__
