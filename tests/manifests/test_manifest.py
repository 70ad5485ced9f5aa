"""The manifest: what is written is what is read, and anything else is one line."""

import json

import pytest

from manifests.errors import CorpusError
from manifests.manifest import Counts, load_manifest, manifest_text, parse_manifest, write_manifest
from manifests.storage import open_place
from parley.testing.corpora import make_corpus, make_rows
from tests.tables import each_row


@pytest.fixture
def place(tmp_path):
    return make_corpus(tmp_path / "corpus", make_rows())


def test_round_trip(place, tmp_path):
    manifest = load_manifest(place)
    write_manifest(open_place(tmp_path / "copy"), manifest)
    assert load_manifest(open_place(tmp_path / "copy")) == manifest
    assert manifest.recipe.settings == {"gate": {"max_wer": 0.1}}


def test_text_is_the_same_wherever_the_corpus_is(place, tmp_path):
    other = make_corpus(tmp_path / "elsewhere", make_rows())
    assert manifest_text(load_manifest(other)) == manifest_text(load_manifest(place))
    assert str(tmp_path) not in manifest_text(load_manifest(place))


def test_keys_are_sorted(place):
    text = manifest_text(load_manifest(place))
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_counts(place):
    counts = load_manifest(place).counts
    assert counts == Counts(
        rows={"kept": 6, "rejected": 3, "failed": 2},
        turns={"kept": 12, "rejected": 6, "failed": 2},
        reasons={"error_rate": 3, "no_voice": 2},
        languages={"kept": {"en": 6}, "rejected": {"en": 3}, "failed": {"zh": 2}},
        samples={"kept": {"en": {"16000": 9600}}, "rejected": {"en": {"16000": 4800}}},
    )
    assert counts.input_rows == 11


@pytest.mark.parametrize(
    ("status", "language", "seconds"),
    [("kept", None, 3.0), ("kept", "en", 1.0), ("kept", "zh", 2.0), ("kept", "fr", 0.0), ("failed", None, 0.0)],
)
def test_seconds_are_a_view_of_samples(status, language, seconds):
    counts = Counts(samples={"kept": {"en": {"16000": 8000, "8000": 4000}, "zh": {"16000": 32000}}})
    assert counts.audio_s(status, language) == seconds


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(data):
        for key in path:
            data = data[key]
        data[last] = value

    return change


def _drop(*path):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("format", "other"), "not a manifest: its format is not parley-corpus"),
        (_set("schema_version", 99), "a corpus of schema version 99, .* reads schema version 3: read it with"),
        (_set("schema_version", 1), "a corpus of schema version 1, .* reads schema version 3: build the corpus again"),
        (_set("schema_version", "2"), "schema version '2'"),
        (_drop("schema_version"), "schema version None"),
        (_set("extra", 1), "manifest has unknown extra"),
        (_drop("seed"), "manifest lacks seed"),
        (_set("seed", "7"), "manifest.seed has the wrong type: str"),
        (_set("seed", True), "manifest.seed has the wrong type: bool"),
        (_set("shards", []), "manifest.shards has the wrong type: list"),
        (_drop("recipe", "digest"), "manifest.recipe lacks digest"),
        (_set("shards", "kept", 0, "color", 1), r"manifest.shards.kept\[0\] has unknown color"),
        (_set("shards", "kept", 0, "rows", -1), "kept-00000.parquet has a negative number of rows"),
        (_set("sources", 0, "rows", None), r"manifest.sources\[0\].rows has the wrong type: NoneType"),
        (_set("counts", "samples", "kept", "en", {"0": 5}), "impossible sample rates: 0"),
        (_set("counts", "samples", "kept", "en", {"16k": 5}), "impossible sample rates: 16k"),
    ],
)
def test_a_wrong_manifest_is_one_line(place, change, message):
    data = json.loads((place / "manifest.json").read_text())
    change(data)
    (place / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(CorpusError, match=rf"^\S*manifest\.json: [^\n]*{message}[^\n]*$"):
        load_manifest(place)


@each_row("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": "parley-corpus"'])
def test_text_that_is_no_manifest(text):
    with pytest.raises(CorpusError, match=r"^not "):
        parse_manifest(text)


def test_bytes_that_are_no_text(place):
    (place / "manifest.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match=r"manifest\.json: cannot be read"):
        load_manifest(place)


def test_no_manifest_means_not_finished(tmp_path):
    with pytest.raises(CorpusError, match=r"no manifest\.json: not a corpus, or one that was never finished$"):
        load_manifest(open_place(tmp_path))
