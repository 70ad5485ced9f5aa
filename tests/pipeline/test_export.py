"""The machine that exporters share: pieces, refusals, settings, and how a killed export continues."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.errors import ResumeRefused, UserError
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place
from parley.testing.corpora import make_corpus, make_kept, make_rows
from parley.testing.exports import export_to
from pipeline import export
from pipeline.exporters import EXPORTERS


@dataclass(frozen=True)
class ListSettings(ExportSettings):
    refuse: str = field(default="", metadata={"description": "end of the ids to refuse"})


@dataclass(frozen=True)
class ListWriter(PieceWriter):
    refuse: str
    fail_at: int | None = None
    leave: bool = False

    def problem(self, dialogue: Dialogue) -> str | None:
        return "its id" if self.refuse and dialogue.dialogue_id.endswith(self.refuse) else None

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[str]:
        if piece.number == self.fail_at:
            raise RuntimeError("killed")
        ids = [next(dialogues).dialogue_id] if self.leave else [dialogue.dialogue_id for dialogue in dialogues]
        (out / f"{piece.stem}.txt").write_text(" ".join(ids))
        return ids

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        (out / "all.json").write_text(json.dumps({piece.stem: ids for piece, ids in pieces}))
        return ["read it"]


@pytest.fixture
def behavior(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How the exporter "list" behaves; pieces have two rows."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(export, "PIECE_ROWS", 2)
    exporter = Exporter("list", "ids", lambda corpus, settings: ListWriter(settings.refuse, **asked), ListSettings)
    monkeypatch.setitem(EXPORTERS.added, (None, "list"), exporter)
    return asked


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(make_corpus(tmp_path / "corpus", [make_kept(number) for number in range(5)]))


def test_parts_are_consecutive_rows_of_a_split(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    result, out = export_to("list", {"train": corpus[:3], "test": corpus[3:]}, tmp_path / "out")
    ids = [dialogue.dialogue_id for dialogue in corpus]
    assert json.loads((out / "all.json").read_text()) == {
        "train-00000": ids[:2],
        "train-00001": ids[2:3],
        "test-00000": ids[3:],
    }
    assert (result.written, dict(result.refused), list(result.notes)) == (5, {}, ["read it"])
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["all.json", "export.json", "test-00000.txt", "train-00000.txt", "train-00001.txt"]
    )


def test_long_dialogues_make_short_parts(
    behavior: dict[str, Any], corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PIECE_S", 0.15)  # a dialogue has 0.1 s
    _, out = export_to("list", {"train": corpus}, tmp_path / "out")
    assert len(list(out.glob("train-*.txt"))) == 5


def test_what_is_refused_is_counted_and_left_out(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    result, out = export_to("list", {"train": corpus}, tmp_path / "out", refuse="00004")
    assert (result.written, dict(result.refused)) == (4, {"its id": 1})
    assert list(json.loads((out / "all.json").read_text())) == ["train-00000", "train-00001"], "an empty piece is none"


def test_what_a_writer_leaves_is_counted(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    behavior["leave"] = True
    result, _ = export_to("list", {"train": corpus}, tmp_path / "out")
    assert (result.written, dict(result.refused)) == (3, {"the exporter did not take it": 2})


def test_a_killed_export_continues_and_gives_the_same_files(
    behavior: dict[str, Any], corpus: Corpus, tmp_path: Path
) -> None:
    _, whole = export_to("list", {"train": corpus}, tmp_path / "whole")
    behavior["fail_at"] = 1
    with pytest.raises(RuntimeError, match="killed"):
        export_to("list", {"train": corpus}, tmp_path / "out")
    (tmp_path / "out" / "train-00000.txt").write_text("not written again")
    behavior["fail_at"] = 0  # the piece that is written is not asked for
    _, out = export_to("list", {"train": corpus}, tmp_path / "out")
    assert (out / "train-00000.txt").read_text() == "not written again"
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in out.iterdir())
    for name in set(names) - {"train-00000.txt"}:
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_a_finished_export_is_not_made_again(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    first, _ = export_to("list", {"train": corpus}, tmp_path / "out", refuse="00004")
    behavior["fail_at"] = 0
    again, _ = export_to("list", {"train": corpus}, tmp_path / "out", refuse="00004")
    assert (first.written, dict(first.refused), list(first.notes)) == (again.written, again.refused, list(again.notes))
    with pytest.raises(ResumeRefused, match=r"another finished export; changed: settings\.refuse"):
        export_to("list", {"train": corpus}, tmp_path / "out")
    with pytest.raises(ResumeRefused, match=r"changed: rows\.train"):
        export_to("list", {"train": corpus[:4]}, tmp_path / "out", refuse="00004")


def test_another_export_does_not_continue_a_killed_one(
    behavior: dict[str, Any], corpus: Corpus, tmp_path: Path
) -> None:
    behavior["fail_at"] = 1
    with pytest.raises(RuntimeError):
        export_to("list", {"train": corpus}, tmp_path / "out")
    with pytest.raises(ResumeRefused, match=r"changed: settings\.refuse"):
        export_to("list", {"train": corpus}, tmp_path / "out", refuse="x")


def test_foreign_files_are_left_alone(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"holds mine\.txt"):
        export_to("list", {"train": corpus}, tmp_path / "out")


def test_nothing_is_written_into_the_corpus(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="inside the corpus"):
        export_to("list", {"train": corpus}, tmp_path / "corpus" / "out")


def test_nothing_to_export_is_an_error(behavior: dict[str, Any], tmp_path: Path) -> None:
    empty = Corpus(make_corpus(tmp_path / "corpus", make_rows(0, 1, 1)))
    with pytest.raises(UserError, match="no row to export"):
        export_to("list", {"train": empty}, tmp_path / "out")


def test_wrong_settings_are_named(behavior: dict[str, Any], corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no setting refues; did you mean 'refuse'\? \(there are: refuse\)"):
        export_to("list", {"train": corpus}, tmp_path / "out", refues="x")
    with pytest.raises(UserError, match="setting refuse: Input should be a valid string"):
        export_to("list", {"train": corpus}, tmp_path / "out", refuse=1)
