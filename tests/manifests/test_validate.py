"""Every check of `validate`, each with a corpus that is broken in that way."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.corpus import Corpus
from manifests.errors import CorpusError
from manifests.hashes import Hashes, hash64
from manifests.manifest import RecipeRecord, load_manifest, recipe_digest, write_manifest
from manifests.metadata import write_metadata
from manifests.shards import write_shard
from manifests.stats import stats
from manifests.storage import open_place
from manifests.validate import check_files, validate
from parley.testing.corpora import make_corpus, make_rejected, make_rows, make_score, with_take
from tests.spreading import backwards

ROWS = make_rows(6, 3, 2)
FIRST = "shards/kept-00000.parquet"


def _problems(where: Path, deep: bool = False, **options) -> list[str]:
    return [str(problem) for problem in validate(open_place(where), deep=deep, **options).problems]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("clips", [False, True])
def test_a_good_corpus_has_no_problems(tmp_path, deep, clips):
    report = validate(make_corpus(tmp_path, ROWS, clips=clips), deep=deep)
    assert report.problems == () and report.ok
    assert (report.deep, report.rows, report.total) == (deep, 11, 0)


def test_an_empty_corpus_is_a_good_one(tmp_path):
    assert validate(make_corpus(tmp_path, []), deep=True).ok


def _edit_manifest(change):
    def break_it(where: Path) -> None:
        data = json.loads((where / "manifest.json").read_text())
        change(data)
        (where / "manifest.json").write_text(json.dumps(data))

    return break_it


def _cut(where: Path) -> None:
    (where / FIRST).write_bytes((where / FIRST).read_bytes()[:-10])


def _foreign_schema(where: Path) -> None:
    pq.write_table(pa.table({"text": ["hello"]}), where / FIRST)


def _write(path: str, data: bytes = b"?"):
    def break_it(where: Path) -> None:
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_bytes(data)

    return break_it


def _count(data, *path_and_value):
    *path, last, value = path_and_value
    for key in path:
        data = data[key]
    data[last] = value


SHALLOW = {
    "no manifest": (lambda where: (where / "manifest.json").unlink(), "manifest.json: .*never finished"),
    "broken manifest": (_write("manifest.json", b"{"), "manifest.json: .*not JSON"),
    "shard missing": (lambda where: (where / FIRST).unlink(), f"{FIRST}: .*the shard is missing"),
    "shard cut": (_cut, f"{FIRST}: [0-9]+ bytes, but the manifest says"),
    "shard unreadable": (_cut, f"{FIRST}: .*the shard is damaged"),
    "shard of something else": (_foreign_schema, f"{FIRST}: .*not a table of corpus rows"),
    "rows of a shard": (
        _edit_manifest(lambda data: _count(data["shards"]["kept"][0], "rows", 3)),
        f"{FIRST}: 4 rows, but the manifest says 3",
    ),
    "counts by status": (
        _edit_manifest(lambda data: _count(data, "counts", "rows", "kept", 7)),
        r"manifest.json: counts.rows is .*'kept': 7.*, but the shards hold .*'kept': 6",
    ),
    "counts by reason": (
        _edit_manifest(lambda data: _count(data, "counts", "reasons", {})),
        "manifest.json: counts.reasons is {}, but",
    ),
    "counts of audio": (
        _edit_manifest(lambda data: _count(data, "counts", "samples", "kept", "en", "16000", 1)),
        "manifest.json: counts.samples is",
    ),
    "counts of turns": (
        _edit_manifest(lambda data: _count(data, "counts", "turns", "failed", 9)),
        "manifest.json: counts.turns is",
    ),
    "counts by language": (
        _edit_manifest(lambda data: _count(data, "counts", "languages", "kept", {"fr": 6})),
        "manifest.json: counts.languages is",
    ),
    "rows in and out": (
        _edit_manifest(lambda data: _count(data["sources"][0], "rows", 12)),
        "manifest.json: 6 kept [+] 3 rejected [+] 2 failed rows are not the 12 of the sources",
    ),
    "path of a shard": (
        _edit_manifest(lambda data: _count(data["shards"]["kept"][0], "path", "../../secret.parquet")),
        "manifest.json: .*a shard of kept rows has the wrong path ../../secret.parquet",
    ),
    "unknown status": (
        _edit_manifest(lambda data: data["shards"].update(live=[])),
        "manifest.json: shards of the unknown status live",
    ),
    "stray file": (_write("notes.txt"), "notes.txt: does not belong to the corpus"),
    "stray shard": (_write("shards/kept-00009.parquet"), "shards/kept-00009.parquet: not in the manifest"),
    "leftover": (_write("shards/.tmp-1-kept-00000.parquet"), "shards/.tmp-1-kept-00000.parquet: not in the manifest"),
}


@pytest.mark.parametrize("case", SHALLOW)
def test_shallow_checks_of_files(tmp_path, case):
    break_it, message = SHALLOW[case]
    make_corpus(tmp_path, ROWS)
    break_it(tmp_path)
    for deep in (False, True):
        assert _matching(_problems(tmp_path, deep), message)


def _matching(problems: list[str], message: str) -> list[str]:
    return [problem for problem in problems if re.search(rf"^{message}", problem)]


ROW_CHECKS = {
    "live": ({"status": "live"}, "the status is live"),
    "kept with a reason": ({"reason": "code"}, "kept, with the reason code"),
    "rejected without a reason": ({"status": "rejected"}, "rejected, with the reason None"),
    "unknown reason": ({"status": "rejected", "reason": "tired"}, "rejected, with the reason tired"),
    "reason of the other kind": ({"status": "rejected", "reason": "no_voice"}, "rejected, but no_voice"),
    "wrong shard": ({"status": "rejected", "reason": "code"}, "a row that is rejected, in a shard of kept rows"),
    "repeated id": ({"dialogue_id": "made-00000000"}, "an earlier row has the same id made-00000000"),
}


@pytest.mark.parametrize("case", ROW_CHECKS)
def test_shallow_checks_of_rows(tmp_path, monkeypatch, case):
    """The odd row stands at row 2 of the first shard, with a manifest that is otherwise right."""
    changes, message = ROW_CHECKS[case]
    place = make_corpus(tmp_path, ROWS)
    _replace_first_shard(place, [*ROWS[:2], replace(ROWS[2], **changes), ROWS[3]])
    problems = [problem for problem in _problems(tmp_path) if "counts." not in problem]
    assert _matching(problems, f"{FIRST} row 2: {message}") == problems != []


def _replace_first_shard(place, rows) -> None:
    """Other rows in the first shard, and the manifest knows its new size and hash."""
    manifest = load_manifest(place)
    info = write_shard(place / FIRST, rows, FIRST)
    kept = (info, *manifest.shards["kept"][1:])
    write_manifest(place, replace(manifest, shards={**manifest.shards, "kept": kept}))


def _turn(row, **changes):
    return replace(row, turns=(replace(row.turns[0], **changes), *row.turns[1:]))


def _take(row, **changes):
    return replace(row, turns=(with_take(row.turns[0], **changes), *row.turns[1:]))


def _audio(row, **changes):
    return _take(row, audio=replace(row.turns[0].audio, **changes))


def _hearing(row, **changes):
    return _take(row, hearing=replace(row.turns[0].take.hearing, **changes))


_NO_RATE = make_score()


DEEP_ROWS = {
    "no text": (lambda row: _turn(row, text=None), "turn 0: kept, without text"),
    "empty text": (lambda row: _turn(row, text=""), "turn 0: kept, without text"),
    "no hypothesis": (lambda row: _hearing(row, hypothesis=None), "turn 0: kept, without hypothesis"),
    "no score": (lambda row: _hearing(row, score=None), "turn 0: kept, without score"),
    "a score without a rate": (lambda row: _hearing(row, score=_NO_RATE), "turn 0: kept, without score"),
    "no watermark": (lambda row: _take(row, watermark=None), "turn 0: kept, without watermark"),
    "no audio": (lambda row: _take(row, audio=None), "turn 0: kept, without audio"),
    "no hearing": (lambda row: _take(row, hearing=None), "turn 0: kept, without hypothesis, score"),
    "no take": (lambda row: _turn(row, take=None), "turn 0: kept, without audio, hypothesis, score, watermark"),
    "no pooled score": (lambda row: replace(row, wer=None), "kept, without a pooled score"),
    "no turns": (lambda row: replace(row, turns=()), "kept, without turns"),
    "clip is noise": (lambda row: _audio(row, bytes=b"RIFF?"), "turn 0: .*cannot be decoded"),
    "clip is longer": (lambda row: _audio(row, num_samples=801), "turn 0: .*800 samples at 16000 Hz"),
    "clip has another rate": (lambda row: _audio(row, sample_rate=8000), "turn 0: .*800 samples at 16000 Hz"),
}


@pytest.mark.parametrize("case", DEEP_ROWS)
def test_deep_checks_of_rows(tmp_path, case):
    change, message = DEEP_ROWS[case]
    place = make_corpus(tmp_path, ROWS, clips=True)
    rows = _kept(place)[:4]
    _replace_first_shard(place, [*rows[:2], change(rows[2]), rows[3]])
    assert _matching(_problems(tmp_path, deep=True), f"{FIRST} row 2: {message}")
    assert not _matching(_problems(tmp_path), f"{FIRST} row 2")


def _kept(place):
    return list(Corpus(place))


def _flip(path: Path, where: int) -> None:
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(bytes(data))


def _flip_shard(where: Path) -> None:
    """One bit of a sample: the file is still Parquet, the clip still a clip."""
    _flip(where / FIRST, (where / FIRST).read_bytes().index(b"RIFF") + 500)


def _first_clip(where: Path) -> Path:
    return sorted((where / "audio" / "kept").rglob("*.wav"))[0]


DEEP_FILES = {
    "hash of a shard": (_flip_shard, f"{FIRST}: the sha256 is not the one in the manifest"),
    "clip file differs": (lambda where: _flip(_first_clip(where), 500), ".* differs from the clip in the row"),
}


@pytest.mark.parametrize("case", DEEP_FILES)
def test_only_deep_checks_read_audio(tmp_path, case):
    break_it, message = DEEP_FILES[case]
    make_corpus(tmp_path, ROWS, clips=True)
    break_it(tmp_path)
    assert _matching(_problems(tmp_path, deep=True), message)
    assert _problems(tmp_path) == []


CLIP_FILES = {
    "missing": (lambda where: _first_clip(where).unlink(), ".* turn [01]: the file audio/.* is missing"),
    "all missing": (
        lambda where: shutil.rmtree(where / "audio"),
        "audio: 0 files of 0 bytes, but the manifest says 18 files of 29592 bytes",
    ),
    "cut": (
        lambda where: _first_clip(where).write_bytes(_first_clip(where).read_bytes()[:-1]),
        "audio: 18 files of 29591 bytes, but the manifest says 18 files of 29592 bytes",
    ),
    "of no row": (_write("audio/kept/00/x_0_user.wav"), "audio/kept/00/x_0_user.wav: does not belong to any row"),
    "stray file": (_write("audio/README"), "audio/README: does not belong to any row"),
    "its path in the row leads out": (
        lambda where: _replace_row(where, _audio(make_rows(3)[2], path="../../etc/passwd")),
        f"{FIRST} row 2: turn 0: the path of the clip is not the one",
    ),
}


@pytest.mark.parametrize("case", CLIP_FILES)
def test_clips_are_looked_for(tmp_path, case):
    break_it, message = CLIP_FILES[case]
    make_corpus(tmp_path, ROWS, clips=True)
    break_it(tmp_path)
    for deep in (False, True):
        assert _matching(_problems(tmp_path, deep), message)


def _replace_row(where: Path, row) -> None:
    place = open_place(where)
    rows = _kept(place)[:4]
    _replace_first_shard(place, [*rows[:2], row, rows[3]])


def _with_metadata(where: Path) -> Path:
    place = make_corpus(where, ROWS)
    written = write_metadata(place / "metadata.json", ROWS[:6], {})
    write_manifest(place, replace(load_manifest(place), metadata=written))
    return where / "metadata.json"


METADATA = {
    "emptied": (lambda file: file.write_bytes(b""), "metadata.json: 0 bytes, but the manifest says"),
    "deleted": (lambda file: file.unlink(), "metadata.json: the file is missing"),
    "one bit": (lambda file: _flip(file, 100), "metadata.json: the sha256 is not the one in the manifest"),
}


@pytest.mark.parametrize("case", METADATA)
def test_the_metadata_file_is_the_one_in_the_manifest(tmp_path, case):
    break_it, message = METADATA[case]
    file = _with_metadata(tmp_path)
    assert _problems(tmp_path) == []
    break_it(file)
    assert len(_matching(_problems(tmp_path), message)) == 1


def test_a_metadata_file_that_nobody_wrote(tmp_path):
    make_corpus(tmp_path, ROWS)
    (tmp_path / "metadata.json").write_text("[]\n")
    assert _problems(tmp_path) == ["metadata.json: not in the manifest"]


def test_the_manifest_has_a_checksum_that_sha256sum_checks(tmp_path):
    make_corpus(tmp_path, ROWS)
    subprocess.run(["sha256sum", "--check", "--strict", "manifest.sha256"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_no_byte_of_the_manifest_changes_unseen(tmp_path, name):
    make_corpus(tmp_path, ROWS)
    file = tmp_path / name
    whole = file.read_bytes()
    unseen = []
    for where in range(0, len(whole), 37):
        file.write_bytes(whole[:where] + bytes([whole[where] ^ 1]) + whole[where + 1 :])
        if not _problems(tmp_path):
            unseen.append(where)
    file.unlink()
    assert unseen == [] and len(_problems(tmp_path)) == 1


def test_the_recipe_is_that_of_its_digest_and_of_the_rows(tmp_path):
    place = make_corpus(tmp_path, ROWS)
    manifest = load_manifest(place)
    write_manifest(place, replace(manifest, recipe=replace(manifest.recipe, settings={"gate": {"max_wer": 0.9}})))
    assert _problems(tmp_path) == ["manifest.json: the recipe is not the one of its digest"]
    settings = {"gate": {"max_wer": 0.9}}
    other = RecipeRecord("made", recipe_digest(settings, manifest.seed), settings)
    write_manifest(place, replace(manifest, recipe=other))
    wrong = f"the recipe is {manifest.recipe.digest}, which is not the one in the manifest"
    assert [text.partition(": ")[2] for text in _problems(tmp_path)] == [wrong] * 11
    write_manifest(place, replace(manifest, recipe=replace(other, earlier=(manifest.recipe.digest,))))
    assert _problems(tmp_path) == []


# A footer, or a value, that is no longer text: pyarrow raises UnicodeDecodeError, or hands the bytes on.
def _spoil_footer(where: Path) -> None:
    data = bytearray((where / FIRST).read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[data.index(b"dialogue_id", footer)] ^= 0x80
    (where / FIRST).write_bytes(bytes(data))


def _spoil_text(where: Path) -> None:
    table = pq.read_table(where / FIRST)
    texts = pa.StringArray.from_buffers(
        4, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"), pa.py_buffer(b"\xff" * 4)
    )
    field = table.schema.get_field_index("language")
    pq.write_table(table.set_column(field, table.schema.field(field), texts), where / FIRST)


@pytest.mark.parametrize("spoil", [_spoil_footer, _spoil_text])
def test_a_damaged_shard_is_one_line_for_every_reader(tmp_path, spoil):
    place = make_corpus(tmp_path, ROWS)
    spoil(tmp_path)
    for deep in (False, True):
        assert len(_matching(_problems(tmp_path, deep), f"{FIRST}: .*the shard is damaged")) == 1
    readers = (lambda: list(Corpus(place)), lambda: Corpus(place)[0], lambda: list(Corpus(place).select(["language"])))
    for read in (*readers, lambda: stats(place)):
        with pytest.raises(CorpusError, match=r"^.*kept-00000.parquet: the shard is damaged: .*$"):
            read()


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(file.read_bytes()[:-1])])
def test_a_finished_corpus_is_asked_for_its_files(tmp_path, spoil):
    _with_metadata(tmp_path)
    place, manifest = open_place(tmp_path), load_manifest(open_place(tmp_path))
    check_files(place, manifest)
    for name in (FIRST, "metadata.json"):
        whole = (tmp_path / name).read_bytes()
        spoil(tmp_path / name)
        with pytest.raises(CorpusError, match=f"is damaged: {name} is missing or has another size"):
            check_files(place, manifest)
        (tmp_path / name).write_bytes(whole)


def test_what_is_named_may_stand_beside(tmp_path):
    make_corpus(tmp_path, ROWS)
    (tmp_path / "card.md").write_text("#")
    assert _problems(tmp_path, beside={"card.md"}) == []


def test_all_problems_are_counted_and_the_first_listed(tmp_path, monkeypatch):
    monkeypatch.setattr("manifests.validate.LISTED", 2)
    make_corpus(tmp_path, ROWS)
    for name in "abcde":
        (tmp_path / name).write_text("?")
    report = validate(open_place(tmp_path))
    assert (report.total, len(report.problems), report.ok) == (5, 2, False)


def _missing_clip_and_bad_row(where: Path) -> None:
    sorted((where / "audio" / "kept").rglob("*.wav"))[3].unlink()
    (where / "audio" / "kept" / "stray.wav").write_bytes(b"?")
    (where / FIRST).write_bytes((where / FIRST).read_bytes()[:-10])


@pytest.mark.parametrize("break_it", [lambda where: None, _missing_clip_and_bad_row])
def test_shards_checked_elsewhere_in_another_order_give_the_same_report(tmp_path, break_it):
    place = make_corpus(tmp_path, [*ROWS, *make_rows(2, 0, 0)], clips=True, max_rows=2)
    break_it(tmp_path)
    here = validate(place, deep=True)
    assert validate(place, deep=True, spread=backwards) == here and here.rows > 8


def test_rows_with_the_same_id_in_different_shards(tmp_path):
    twice = [*ROWS[:6], replace(make_rejected(0), dialogue_id=ROWS[1].dialogue_id)]
    make_corpus(tmp_path, twice)
    assert _problems(tmp_path) == ["shards/rejected-00000.parquet row 0: an earlier row has the same id made-00000001"]


def test_hashes():
    hashes = Hashes()
    for text in ["a", "b", "a", "c"]:
        hashes.add(text)
    assert hashes.repeated() == {hash64("a")}
    assert ["a" in hashes, "c" in hashes, "d" in hashes] == [True, True, False]
    hashes.add("d")
    assert "d" in hashes
