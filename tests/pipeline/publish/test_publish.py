"""Publishing: what the card and the Croissant file say is counted, and nothing else."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from manifests.corpus import Corpus
from manifests.errors import ResumeRefused, UserError
from manifests.manifest import CHECKSUM_NAME, MANIFEST_NAME, checksum_text, load_manifest, manifest_digest
from manifests.private_paths import is_private
from manifests.schema import Dialogue
from manifests.storage import open_place
from parley.testing.corpora import make_audio, make_corpus, make_kept, make_rows, with_take
from pipeline.cli.main import cli
from pipeline.job.runner.local import LocalRunner
from pipeline.publish.card import Configs, size_category
from pipeline.publish.facts import gather_facts
from pipeline.publish.options import PublishOptions
from pipeline.publish.publish import Published, publish_corpus
from tests.tables import each_row

DAY = date(2026, 11, 27)


def publish(
    parts: Mapping[str, Corpus], out: Path, configs: Configs | None = None, **options: Any
) -> tuple[Published, dict[str, Any], str]:
    """Publish, and return what was done, the card's header and its body."""
    chosen = PublishOptions(DAY, **options)
    done = publish_corpus(parts, open_place(out), chosen, LocalRunner(), lambda done, total: None, configs)
    _, header, body = (out / "README.md").read_text("utf-8").split("---\n", 2)
    return done, yaml.safe_load(header), body


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(make_corpus(tmp_path / "corpus", make_rows(6, 3, 2)))


def test_header_and_files_agree(corpus: Corpus, tmp_path: Path) -> None:
    done, header, _ = publish({"train": corpus[:4], "test": corpus[4:]}, tmp_path / "out", license="CC-BY-4.0")
    assert (done.dialogues, done.rows, done.refused) == (6, 12, {})
    assert (header["license"], header["language"], header["size_categories"]) == ("cc-by-4.0", ["en"], ["n<1K"])
    assert {"parley", "synthetic"} <= set(header["tags"]) and "c2pa" not in header["tags"]
    assert header["annotations_creators"] == header["language_creators"] == ["machine-generated"]
    assert header["source_datasets"] == ["extended|other-made"]
    (config,) = header["configs"]
    for entry in config["data_files"]:
        (file,) = (tmp_path / "out").glob(entry["path"][0])
        assert file.name == f"{entry['split']}-00000.parquet"
    (info,) = header["dataset_info"]
    rows = {split["name"]: split["num_examples"] for split in info["splits"]}
    files = {path.name.split("-")[0]: path for path in (tmp_path / "out" / "data").iterdir()}
    assert rows == {name: pq.read_metadata(path).num_rows for name, path in files.items()} == {"train": 8, "test": 4}
    assert info["download_size"] == sum(path.stat().st_size for path in files.values()) == done.bytes
    assert [feature["name"] for feature in info["features"]] == pq.read_schema(files["train"]).names


def test_the_body_counts(corpus: Corpus, tmp_path: Path) -> None:
    _, _, body = publish({"train": corpus}, tmp_path / "out")
    counts = [
        "6 synthetic dialogues, 12 turns",
        "| `train` | 6 | 12 | 0.000 |",
        "| kept | 6 | 54.5% |",
        "| `error_rate` | 3 | the transcript is too far from the intended text (CER or WER) |",
        "| texts of `made` | `CC0-1.0` | 6 dialogues |",
        "Kept rows by language: `en` 66.7% of 9, `zh` 0.0% of 2.",
        "No row of the 2 in the language `zh` was kept.",
        "The side of the user has 1 voice; the most frequent one speaks in 100.0% of the dialogues.",
        "12 of 12 clips are recorded as marked (`tone`; lowest score 0.990)",
    ]
    for words in counts:
        assert words in body, words
    unknown = ["**not stated by the publisher**", "The genders of the voices are unknown", "The clips are tones"]
    for words in unknown:
        assert words in body, words
    assert "No recognizer listened to the clips" in body


def test_the_manifest_goes_along(corpus: Corpus, tmp_path: Path) -> None:
    publish({"train": corpus}, tmp_path / "out")
    copied = tmp_path / "out" / "provenance"
    assert load_manifest(open_place(copied)) == corpus.manifest
    assert (copied / CHECKSUM_NAME).read_text() == checksum_text((copied / MANIFEST_NAME).read_bytes())
    assert manifest_digest(corpus.manifest) in (tmp_path / "out" / "README.md").read_text()


def test_croissant_and_card_say_the_same(corpus: Corpus, tmp_path: Path) -> None:
    _, _, body = publish({"train": corpus}, tmp_path / "out", name="acme/talks", license="CC-BY-4.0")
    said = json.loads((tmp_path / "out" / "croissant.json").read_text())
    lists = ("rai:dataLimitations", "rai:dataBiases", "rai:personalSensitiveInformation", "rai:dataUseCases")
    for line in (line for name in lists for line in said[name]):
        assert f"* {line}\n" in body
    assert said["rai:dataSocialImpact"] in body and said["rai:hasSyntheticData"] is True
    assert said["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert (said["url"], said["datePublished"]) == ("https://huggingface.co/datasets/acme/talks", "2026-11-27")
    assert [source["prov:label"] for source in said["prov:wasDerivedFrom"]] == ["made"]
    agents = [agent["prov:label"] for agent in said["prov:wasGeneratedBy"]["prov:wasAssociatedWith"]]
    assert agents == ["parley 0.1.0", "tts/tone 1"]
    assert said["citeAs"].startswith("@misc{parley-") and "author = {{acme}}" in said["citeAs"]


def test_without_a_name_the_croissant_file_has_the_hashes_of_the_files(corpus: Corpus, tmp_path: Path) -> None:
    import hashlib

    publish({"train": corpus}, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "croissant.json").read_text())
    (file,) = [part for part in said["distribution"] if part["@type"] == "cr:FileObject"]
    data = (tmp_path / "out" / file["contentUrl"]).read_bytes()
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert "creator" not in said and "author" not in said["citeAs"]


def test_subsets_are_configs_of_shared_files(corpus: Corpus, tmp_path: Path) -> None:
    configs = {"small": {"train": ["small"]}, "large": {"train": ["small", "more"]}}
    _, header, body = publish({"small": corpus[:2], "more": corpus[2:]}, tmp_path / "out", configs)
    paths = {entry["config_name"]: entry["data_files"][0]["path"] for entry in header["configs"]}
    assert paths == {"small": ["data/small-*.parquet"], "large": ["data/small-*.parquet", "data/more-*.parquet"]}
    rows = {info["config_name"]: info["splits"][0]["num_examples"] for info in header["dataset_info"]}
    assert rows == {"small": 4, "large": 12}
    assert 'large = load_dataset("DIRECTORY", "large")' in body
    with pytest.raises(UserError, match="no part 'huge'"):
        publish({"small": corpus}, tmp_path / "other", {"all": {"train": ["huge"]}})
    with pytest.raises(UserError, match="cannot be named 'a-b'"):
        publish({"a-b": corpus}, tmp_path / "other")


def test_the_nested_layout_has_a_row_for_each_dialogue(corpus: Corpus, tmp_path: Path) -> None:
    done, header, _ = publish({"train": corpus}, tmp_path / "out", layout="nested")
    assert (done.dialogues, done.rows) == (6, 6)
    (info,) = header["dataset_info"]
    assert [feature["name"] for feature in info["features"]][-1] == "turns"
    schema = pq.read_schema(tmp_path / "out" / "data" / "train-00000.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["turns"]["_type"] == "List" and features["turns"]["feature"]["audio"]["_type"] == "Audio"
    rows = pq.read_table(tmp_path / "out" / "data").to_pylist()
    assert [[turn["audio"]["bytes"] for turn in row["turns"]] for row in rows] == [
        [turn.audio.bytes for turn in dialogue.turns if turn.audio] for dialogue in corpus
    ]


def test_only_what_is_written_is_counted(tmp_path: Path) -> None:
    rows = [make_kept(number) for number in range(3)]
    other = replace(make_audio(), sample_rate=8_000)
    rows[2] = replace(rows[2], turns=(with_take(rows[2].turns[0], audio=other), rows[2].turns[1]))
    corpus = Corpus(make_corpus(tmp_path / "corpus", rows))
    done, _, body = publish({"train": corpus}, tmp_path / "out")
    assert (done.dialogues, done.refused) == (2, {"its sample rate is not that of the corpus": 1})
    assert "2 synthetic dialogues, 4 turns" in body and "8,000 Hz" not in body
    assert "1 kept dialogues are not published: its sample rate is not that of the corpus." in body


def test_the_same_command_again_gives_the_same_files_and_another_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    publish({"train": corpus}, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out" / "README.md").unlink()  # as if it had been killed before the end
    publish({"train": corpus}, tmp_path / "out")
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    with pytest.raises(ResumeRefused, match="another finished export"):
        publish({"train": corpus[:3]}, tmp_path / "out")


def test_genders_and_licenses_are_those_of_the_corpuss_own_bank(finished: Path, tmp_path: Path) -> None:
    _, _, body = publish({"train": Corpus(finished)}, tmp_path / "out")
    assert "Genders of the voices of the user, by dialogue: " in body and "| voices | `CC0-1.0` |" in body
    with pytest.raises(UserError, match="made with other voices than those of offline"):
        gather_facts({"train": Corpus(finished)}, lambda row: True, "offline")
    other = Corpus(finished)
    other.manifest = replace(other.manifest, engines={**other.manifest.engines, "voices": "0" * 64})
    assert gather_facts({"train": other}, lambda row: True, None).bank is None


def test_the_code_in_the_card_finds_the_marks(finished: Path, tmp_path: Path) -> None:
    _, _, body = publish({"train": Corpus(finished)}, tmp_path / "out")
    code = body.split("## How to verify the watermark")[1].split("```python\n")[1].split("```")[0]
    with contextlib.chdir(tmp_path / "out"), contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    lines = printed.getvalue().splitlines()
    assert len(lines) == sum(len(row.turns) for row in Corpus(finished))
    assert all(line.endswith(" True") for line in lines)


def test_a_corpus_of_a_stranger_writes_no_markup_and_no_paths(tmp_path: Path) -> None:
    def hostile(row: Dialogue) -> Dialogue:
        name = "| x |\n# owned\n`code` \x1b[31m /home/me/secret.json"
        return replace(row, source=replace(row.source, dataset=name, license="<script>/root/key</script>"))

    corpus = Corpus(make_corpus(tmp_path / "corpus", [hostile(make_kept(number)) for number in range(2)]))
    _, header, body = publish({"train": corpus}, tmp_path / "out")
    assert "\n# owned" not in body and "\x1b" not in body
    assert header["license"] == "unknown"
    for file in ("README.md", "croissant.json"):
        text = (tmp_path / "out" / file).read_text("utf-8")
        assert str(tmp_path) not in text and "/home/me" not in text and "/root/key" not in text
        assert not [line for line in text.splitlines() if is_private(line)], file


@each_row(
    "options, words",
    [
        ({"name": "no-organization"}, "ORGANIZATION/NAME"),
        ({"name": "a/b/c"}, "ORGANIZATION/NAME"),
        ({"name": "../b"}, "ORGANIZATION/NAME"),
        ({"license_link": "/home/me/LICENSE"}, "--license-link is published"),
        ({"title": "x\ny"}, "--title is published"),
        ({"license": "***"}, "needs a name"),
    ],
)
def test_wrong_options_are_named(options: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        _ = PublishOptions(DAY, **options).hub_license  # type: ignore[arg-type]


def test_a_license_of_ones_own_has_a_name_and_a_link() -> None:
    stated = PublishOptions(DAY, license="Acme Research 1.0", license_link="https://acme.example/license").hub_license
    assert stated == {
        "license": "other",
        "license_name": "acme-research-1.0",
        "license_link": "https://acme.example/license",
    }


@each_row(
    "rows, name",
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (9_999, "1K<n<10K"),
        (10_000, "10K<n<100K"),
        (123_456_789, "100M<n<1B"),
        (10**12, "n>1T"),
    ],
)
def test_size_categories(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_the_card_is_one_that_the_hubs_own_client_reads(corpus: Corpus, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="the extra `publish` is not installed")
    publish({"train": corpus}, tmp_path / "out", license="CC-BY-4.0", title="Made talks")
    card = hub.DatasetCard.load(tmp_path / "out" / "README.md")
    assert (card.data.license, card.data.pretty_name, card.data.language) == ("cc-by-4.0", "Made talks", ["en"])
    assert card.data.size_categories == ["n<1K"] and card.data.configs[0]["config_name"] == "default"


def test_the_command(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    words = ["corpus", "publish", corpus.place.path, "--out", str(tmp_path / "out"), "--runner", "local"]
    ran = CliRunner().invoke(cli, words)
    assert ran.exit_code == 0 and "6 dialogues, 12 rows" in ran.stdout and "not stated" in ran.stdout
    run: Callable[..., Any] = lambda *more: CliRunner().invoke(cli, [*words, *more])  # noqa: E731
    assert isinstance(run("--push").exception, UserError)
    refused = run("--push", "--name", "acme/talks").exception
    assert isinstance(refused, ResumeRefused | UserError) and os.environ.get("HF_TOKEN") is None
