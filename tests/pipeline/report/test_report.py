"""`parley corpus report`: the file, its clips, and nothing of a stranger's that acts."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from manifests.errors import UserError
from manifests.manifest import load_manifest, write_manifest
from manifests.storage import Place, open_place
from parley.testing import make_corpus, make_rows
from pipeline.cli.main import cli
from pipeline.job.gpu_use import GpuUse
from pipeline.job.profile import PoolTime
from pipeline.report.clips import PageClips
from pipeline.report.cost import read_cost
from pipeline.report.report import write_report
from pipeline.show.report.page import json_text, write_page
from tests.pipeline.report.conftest import page_json
from tests.pipeline.report.reported import MARKUP, reported, rows
from tests.pipeline.show.tags import NASTY, Tags


def test_every_row_is_shown_with_its_clips(page: Path, data: Any) -> None:
    shown = page_json(page, "rows")
    assert Counter(row["s"] for row in shown) == Counter(dialogue.status for dialogue in rows())
    clips = [turn["clip"] for row in shown for turn in row["t"] if "clip" in turn]
    assert len(clips) == len(set(clips)) == 20
    assert all((page.parent / clip).read_bytes()[:4] == b"RIFF" for clip in clips)
    assert all(len(turn["w"]) == 160 for row in shown for turn in row["t"] if "clip" in turn)
    assert data["rows"] == {"kept": 5, "rejected": 5, "failed": 1} and data["cost"] is None


def test_the_same_corpus_gives_the_same_bytes(corpus: Place, page: Path, tmp_path: Path) -> None:
    write_report(corpus, open_place(tmp_path))
    assert files(tmp_path) == files(page.parent)
    write_report(corpus, open_place(tmp_path))
    assert files(tmp_path) == files(page.parent), "and again in its place"


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_texts_of_rows_are_data_and_never_markup(page: Path) -> None:
    tags = Tags(page.read_text("utf-8"))
    scripts = [attributes for tag, attributes in tags.found if tag == "script"]
    assert [one.get("type") for one in scripts] == ["application/json", "application/json", None]
    assert not {tag for tag, _ in tags.found} & {"img", "iframe", "link", "object", "embed", "base"}
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    assert NASTY not in page.read_text("utf-8")
    (odd,) = [row for row in page_json(page, "rows") if row["id"] == MARKUP]
    assert odd["t"][0]["x"] == MARKUP and odd["t"][0]["k"][0]["v"] == MARKUP


def test_the_policy_allows_the_pages_own_script_and_style_alone(page: Path) -> None:
    text = page.read_text("utf-8")
    tags = Tags(text).found
    policy = next(str(a["content"]) for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for name, start, end in (("script-src", "<script>", "</script>"), ("style-src", "<style>", "</style>")):
        inside = text.split(start)[1].split(end)[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert allowed[name] == f"'sha256-{digest}'"
    assert allowed["default-src"] == "'none'" and "unsafe" not in policy and "http" not in policy
    assert allowed["require-trusted-types-for"] == "'script'"


def test_the_script_makes_no_markup_and_loads_nothing(page: Path) -> None:
    script = page.read_text("utf-8").rsplit("<script>", 1)[1]
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp|import\("
    )
    assert not re.search(forbidden, script)
    assert set(re.findall(r"https?://[^'\"` )]+", script)) == {"http://www.w3.org/2000/svg"}, "the name of SVG"


def test_all_ids_that_the_script_names_are_in_the_page(page: Path) -> None:
    text = page.read_text("utf-8")
    ids = {attributes["id"] for _, attributes in Tags(text).found if "id" in attributes}
    named = set(re.findall(r"byId\('([a-z-]+)'\)", text))
    assert named and named <= ids


class Elements(HTMLParser):
    """Checks that every element that is opened is closed."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_the_page_is_well_formed(page: Path) -> None:
    assert Elements(page.read_text("utf-8")).stack == []


def test_clips_inside_the_page(corpus: Place, tmp_path: Path) -> None:
    written = write_report(corpus, open_place(tmp_path / "one.html"), clips="inside")
    assert written.folder is None and [p.name for p in tmp_path.iterdir()] == ["one.html"]
    first = page_json(tmp_path / "one.html", "rows")[0]["t"][0]["clip"]
    address = page_json(tmp_path / "one.html", first.removeprefix("#"))
    assert address.startswith("data:audio/wav;base64,UklGR")


def test_clips_that_no_page_holds_are_refused(corpus: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.report.clips.INSIDE_MB", 0.1)
    with pytest.raises(UserError, match="fewer --rows, or --clips beside"):
        write_report(corpus, open_place(tmp_path / "one.html"), clips="inside")
    assert list(tmp_path.iterdir()) == [], "half a page is no page"


def test_no_clips(corpus: Place, tmp_path: Path) -> None:
    write_report(corpus, open_place(tmp_path), clips="none")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    shown = page_json(tmp_path / "report.html", "rows")
    assert not any("clip" in turn for row in shown for turn in row["t"]) and any(
        "w" in t for r in shown for t in r["t"]
    )


def test_fewer_rows_change_no_number(corpus: Place, data: Any, tmp_path: Path) -> None:
    written = write_report(corpus, open_place(tmp_path), rows=4, clips="none")
    assert (written.shown, written.rows) == (4, 11) and len(page_json(tmp_path / "report.html", "rows")) == 4
    assert page_json(tmp_path / "report.html", "data") == {**data, "clips": "none"}


def test_a_folder_of_somebody_else_is_left_alone(corpus: Place, tmp_path: Path) -> None:
    (tmp_path / "report-clips").mkdir()
    (tmp_path / "report-clips" / "mine.wav").write_text("mine")
    with pytest.raises(UserError, match=r"report-clips holds mine\.wav"):
        write_report(corpus, open_place(tmp_path))
    assert files(tmp_path) == {"report-clips/mine.wav": b"mine"}


def test_clips_of_an_earlier_report_are_removed(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "000099-1.flac").write_text("old")
    with PageClips("beside", open_place(tmp_path / "c")):
        assert list((tmp_path / "c").iterdir()) == []


def test_a_report_inside_the_corpus_is_refused(corpus: Place) -> None:
    for name in ("report", "report.html", "."):
        with pytest.raises(UserError, match="--out is inside the corpus"):
            write_report(corpus, corpus / name)


def test_a_file_that_is_no_page_is_not_written_over(corpus: Place, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"is a file that is no page: notes\.txt"):
        write_report(corpus, open_place(tmp_path / "notes.txt"))


def test_a_recipe_that_cannot_be_read_leaves_the_limit_open(tmp_path: Path) -> None:
    write_report(make_corpus(tmp_path / "c", make_rows()), open_place(tmp_path / "out"))
    found = page_json(tmp_path / "out" / "report.html", "data")
    assert {one["limit"] for one in found["limits"]["metrics"].values()} == {None}
    assert not any(row.get("b") for row in page_json(tmp_path / "out" / "report.html", "rows"))


def test_private_paths_do_not_appear(tmp_path: Path) -> None:
    place = reported(tmp_path / "home" / "jdoe" / "c", name="/home/jdoe/mine.yaml")
    manifest = load_manifest(place)
    write_manifest(place, replace(manifest, engines={"asr/x": "1 of /home/jdoe/models/x"}))
    write_report(place, open_place(tmp_path / "out"))
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "jdoe" not in text and str(tmp_path) not in text
    assert page_json(tmp_path / "out" / "report.html", "data")["recipe"] == "mine.yaml"


REPORT = {
    "block": 0,
    "seconds": {"synthesize": 7200.0, "gate": 1.5},
    "tokens": {"writer": {"requests": 3, "prompt": 50}},
}


def commit(corpus: Path, name: str, report: Any) -> None:
    path = corpus / "work" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report))


def test_cost_is_that_of_all_passes(tmp_path: Path) -> None:
    assert read_cost(open_place(tmp_path)) is None
    commit(tmp_path, "take-1/000000.live-0.json", REPORT)
    commit(tmp_path, "take-2/000000.live-0.json", REPORT)
    commit(tmp_path, "answers/000000.live-0.json", REPORT)
    commit(tmp_path, "take-2/000001.live-0.json", {**REPORT, "seconds": {"gate": -1}})
    commit(tmp_path, "take-2/000002.live-0.json", {**REPORT, "tokens": {"writer": {"requests": "many"}}})
    found = read_cost(open_place(tmp_path))
    assert found is not None and (found["blocks"], found["unread"]) == (2, 2)
    assert found["stages"][0] == {"stage": "synthesize", "pool": "voices", "seconds": 14400.0}
    (writer,) = found["tokens"]
    assert (writer["requests"], writer["prompt"], writer["completion"]) == (6, 100, 0)


def test_where_the_time_of_the_pools_went_is_read_from_the_log(tmp_path: Path) -> None:
    commit(tmp_path, "take-1/000000.live-0.json", REPORT)
    gpu = GpuUse(10, busy=2.7, power_w=2030, limit_w=7000)
    one = {"voices": PoolTime(2, 90.0, 10.0, audio_s=180.0, gpu=gpu), "proof": PoolTime(1, 5.0, 45.0)}
    lines = [json.dumps({"pools": {name: asdict(spent) for name, spent in one.items()}})] * 2
    lines += [
        json.dumps(REPORT),
        '{"pools": {"voices": {"busy_s": "all"}}}',
        '{"pools": {"a": {"busy_s": 1e999}}}',
        "{",
    ]
    (tmp_path / "work" / "log.jsonl").write_text("\n".join(lines))
    found = read_cost(open_place(tmp_path))
    assert found is not None
    voices, proof = found["pools"]
    assert (voices["busy"], voices["starved"], voices["speed"], proof["busy"]) == (0.9, 0.1, 2.0, 0.1)
    assert voices["gpu"] == "GPU busy 27%, 203 of 700 W"
    assert found["advice"].startswith("proof waits for voices: its GPUs have room")


def test_links_in_the_work_of_a_stranger_are_not_followed(tmp_path: Path) -> None:
    commit(tmp_path / "elsewhere", "take-1/000000.live-0.json", REPORT)
    (tmp_path / "c" / "work" / "take-2").mkdir(parents=True)
    (tmp_path / "c" / "work" / "take-1").symlink_to(tmp_path / "elsewhere" / "work" / "take-1")
    (tmp_path / "c" / "work" / "take-2" / "000000.live-0.json").symlink_to(
        tmp_path / "elsewhere" / "work" / "take-1" / "000000.live-0.json"
    )
    assert read_cost(open_place(tmp_path / "c")) is None


def test_an_empty_corpus(tmp_path: Path) -> None:
    write_report(make_corpus(tmp_path / "c", []), open_place(tmp_path / "out"))
    assert page_json(tmp_path / "out" / "report.html", "rows") == []
    assert page_json(tmp_path / "out" / "report.html", "data")["flow"] == {"input": 0, "kept": 0, "stages": []}


def test_half_a_surrogate_in_a_manifest_breaks_no_page(tmp_path: Path) -> None:
    write_page(open_place(tmp_path / "p.html"), {"corpus": "\ud800"}, [{"id": "\ud800</script>"}], lambda: [])
    assert page_json(tmp_path / "p.html", "rows") == [{"id": "?</script>"}]
    assert json_text("</script><!--") == '"\\u003c/script\\u003e\\u003c!--"'


def test_the_command(corpus: Place, page: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["corpus", "report", corpus.path, "--out", str(tmp_path / "r.html"), "--rows", "5"])
    assert ran.exit_code == 0, ran.output
    assert re.search(r"page +\S*/r\.html\nclips +\S*/r-clips\ndialogues +5 of 11\n", ran.stdout)
    ran = CliRunner().invoke(cli, ["corpus", "report", corpus.path, "--out", str(tmp_path), "--bank", "nobody's"])
    assert ran.exit_code != 0
