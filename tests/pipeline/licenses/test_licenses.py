"""Licenses: expressions, the parts of a row, and what a use is allowed of."""

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.manifest import load_manifest, write_manifest
from manifests.schema import Source, SpeechTokens, Step
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.corpora import make_corpus, with_take
from pipeline.engines.registry import ENGINES
from pipeline.licenses.report import report_licenses
from pipeline.licenses.terms import joined_expression, load_terms, parse_terms
from pipeline.licenses.text import license_text
from pipeline.stages.registry import STAGES
from tests.manifests.test_token_sets import ROWS, write_set
from tests.pipeline.views.corpora import made_corpus, made_row

TERMS = load_terms()


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("Apache-2.0", "allowed"),
        ("apache-2.0", "allowed"),
        ("CC-BY-NC-4.0", "forbidden"),
        ("MIT AND CC-BY-NC-4.0", "forbidden"),
        ("MIT OR CC-BY-NC-4.0", "allowed"),
        ("Apache-2.0 AND (MIT OR LicenseRef-Nobody)", "allowed"),
        ("Apache-2.0 AND LicenseRef-Nobody", "unknown"),
        ("LicenseRef-Qwen AND MIT", "conditions"),
        ("LicenseRef-Qwen AND LicenseRef-Nobody", "unknown"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "allowed"),
        ("cc by nc 4.0", "unknown"),
        ("MIT/Apache", "unknown"),
        ("NOASSERTION", "unknown"),
        (None, "unknown"),
    ],
)
def test_verdicts(expression, verdict):
    assert TERMS.verdict(expression, "commercial")[0] == verdict


def test_the_reason_names_the_license():
    assert TERMS.verdict("MIT AND CC-BY-NC-4.0", "commercial")[1] == "CC-BY-NC-4.0 forbids commercial use"
    assert "100 million" in TERMS.verdict("LicenseRef-Qwen", "commercial")[1]
    assert TERMS.verdict(None, "research")[1] == "no license is known"
    assert "no SPDX expression" in TERMS.verdict("MIT/Apache", "research")[1]


def test_joined():
    assert joined_expression(["MIT", "MIT OR Apache-2.0", None]) == "MIT AND NOASSERTION"
    assert joined_expression(["MIT", "CC-BY-4.0"]) == "CC-BY-4.0 AND MIT"


def test_the_table_speaks_of_every_stage_and_every_engine_that_makes_something():
    assert {stage.name for stage in STAGES.all()} <= set(TERMS.stages)
    made = {engine.name for engine in ENGINES.all() if engine.kind in ("text", "tts", "watermark")}
    with_models = {engine.name for engine in ENGINES.all() if engine.settings}
    assert made - with_models <= set(TERMS.engines)
    for entry in (*TERMS.models.values(), *TERMS.engines.values()):
        assert TERMS.verdict(entry.license, "commercial")[0] != "unknown", entry


def steps(*more, model="Qwen/Qwen2.5-14B-Instruct@unpinned"):
    return (
        Step("rewrite", "openai", model, "ke-rewrite/v1@0", 1),
        Step("screen", "openai", "secret/judge@main", None, 1),
        Step("synthesize", "tone, flite", "1, 2.2", None, 1),
        Step("transcribe", "whisper", "nobody/listens@main faster-whisper", None, 1),
        *more,
    )


@pytest.fixture
def place(tmp_path):
    qwen = "Qwen/Qwen2.5-72B-Instruct@unpinned"
    rows = [
        made_row(0, provenance=steps()),
        made_row(1, provenance=steps(), source=Source("made", "1", "CC-BY-NC-4.0")),
        made_row(2, provenance=steps(), source=Source("made", "2", None)),
        made_row(3, provenance=steps(model=qwen)),
        made_row(4, provenance=steps(model="who/knows@1")),
        made_row(5, provenance=steps(Step("noisify", "fan", "3", None, 1))),
    ]
    return made_corpus(tmp_path / "corpus", rows)


def ids(corpus):
    return [int(row.dialogue_id[-1], 16) for row in corpus]


def test_every_part_counts_and_the_unknown_is_not_free(place):
    report = report_licenses(place)
    assert report.allowed["commercial"].tolist() == [True, False, False, False, False, False]
    assert report.allowed["research"].tolist() == [True, True, False, True, False, False]
    reasons = report.figures["uses"]["commercial"]["reasons"]
    assert reasons["data set made (the text): CC-BY-NC-4.0 forbids commercial use"] == 1
    assert reasons["data set made (the text): no license is known"] == 1
    assert reasons["model who/knows (words of the question): no license is known"] == 1
    assert reasons["engine fan (what the stage noisify left): no license is known"] == 1
    assert any("LicenseRef-Qwen" in reason for reason in reasons)
    parts = {(part["kind"], part["name"]): part for part in report.figures["parts"]}
    assert ("engine", "flite") not in parts  # the voices are tone's: no other synthesizer spoke
    assert parts["engine", "tone"]["rows"] == parts["voice", "of the user"]["rows"] == 6
    assert set(report.figures["not_counted"]) == {"screen", "transcribe"}
    assert "secret/judge" not in json.dumps(report.figures) and "nobody/listens" not in json.dumps(report.figures)
    assert {"license": "Apache-2.0 AND CC0-1.0", "rows": 1, "audio_h": 2.8e-05} in report.figures["licenses"]


def test_speech_tokens_count_by_what_stands_with_them(tmp_path):
    said = [
        ("snac", "snac@1", "MIT"),
        ("codec", "who/knows@2", None),
        ("speech", "Qwen/Qwen2.5-72B-Instruct@3", None),  # a model of the table
        ("mine", "mine@4", "CC-BY-NC-4.0"),
    ]
    rows = [made_row(9, provenance=steps())]
    for number, (tokenizer, revision, license) in enumerate(said):
        tokens = SpeechTokens(tokenizer, revision, 16_000, 320, 16, ((1, 2),), "wav2token", license)
        row = made_row(number, provenance=steps(Step("tokenize", tokenizer, revision, None, 1)))
        rows.append(replace(row, turns=(with_take(row.turns[0], tokens=(tokens,)), *row.turns[1:])))
    place = made_corpus(tmp_path, rows)
    report = report_licenses(place)
    assert report.allowed["commercial"].tolist() == [True, True, False, False, False]
    parts = {part["name"]: part["license"] for part in report.figures["parts"] if part["kind"] == "tokenizer"}
    assert parts == {"snac": "MIT", "codec": None, "speech": "LicenseRef-Qwen", "mine": "CC-BY-NC-4.0"}
    assert "tokenize" not in report.figures["not_counted"]


def test_a_token_set_beside_the_shards_counts_for_all_rows(tmp_path):
    place = make_corpus(tmp_path, ROWS)
    assert not _tokenizers(report_licenses(place))
    write_set(tmp_path)
    (part,) = _tokenizers(report_licenses(place))
    assert (part["name"], part["license"], part["rows"]) == ("made-up", "MIT", len(Corpus(place)))


def _tokenizers(report):
    return [part for part in report.figures["parts"] if part["kind"] == "tokenizer"]


def test_a_view_for_a_use(place):
    report = report_licenses(place)
    view = report.choose("commercial")
    assert ids(Corpus(place, view="commercial")) == [0] and view.about["use"] == "commercial"
    report.choose("research")
    assert ids(Corpus(place, view="research")) == [0, 1, 3]
    assert validate(place).ok


def test_terms_of_ones_own(place, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "licenses:\n  LicenseRef-Qwen: {commercial: allowed, research: allowed}\n  LicenseRef-Ours: "
        "{commercial: allowed, research: allowed}\ndatasets:\n  made: {license: CC0-1.0}\nmodels:\n"
        "  who/knows: {license: LicenseRef-Ours}\nengines:\n  fan: {license: MIT}\n"
    )
    report = report_licenses(place, own)
    assert report.allowed["commercial"].tolist() == [True, False, True, True, True, True]
    assert report.choose("commercial").about["terms"]["file"] == "own.yaml"


def test_the_license_of_each_row_is_written(place, tmp_path):
    report_licenses(place, rows=open_place(tmp_path / "out" / "licenses.parquet"))
    rows = pq.read_table(tmp_path / "out" / "licenses.parquet").to_pylist()
    assert [row["commercial"] for row in rows] == [
        "allowed",
        "forbidden",
        "unknown",
        "conditions",
        "unknown",
        "unknown",
    ]
    assert rows[1]["license"] == "Apache-2.0 AND CC-BY-NC-4.0 AND CC0-1.0"
    assert json.loads(rows[0]["reasons"]) == {"commercial": [], "research": []}


def test_without_its_bank_a_voice_is_unknown(tmp_path):
    place = made_corpus(tmp_path, [made_row(0, provenance=steps())], bank=None)
    report = report_licenses(place)
    assert not report.allowed["research"].any()
    assert "voice of the user (the timbre): no license is known" in report.figures["uses"]["research"]["reasons"]
    with pytest.raises(UserError, match="no row is free for research use"):
        report.choose("research")
    assert report_licenses(place, bank="tone").allowed["research"].all()


def test_virtual_voices_have_the_licenses_of_their_parents(tmp_path):
    bank = tmp_path / "bank"
    bank.mkdir()
    (bank / "card.json").write_text('{"name": "mine"}')
    (bank / "voices.jsonl").write_text(
        '{"voice_id": "v", "engine": "tone", "speaker": "v", "language": "en", "gender": "male", '
        '"license": "CC-BY-4.0 AND CC-BY-NC-SA-4.0", "parents": ["p", "q"], "weights": [0.5, 0.5]}'
    )
    place = made_corpus(tmp_path / "corpus", [made_row(0, "v", "v", provenance=steps())], bank=None)
    report = report_licenses(place, bank=str(bank))
    assert not report.allowed["commercial"].any() and report.allowed["research"].all()
    assert report.figures["duties"]["share_alike"] == ["CC-BY-NC-SA-4.0"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("licences: {}", "did you mean 'licenses'"),
        ("licenses: {X: {commercial: perhaps, research: allowed}}", "licenses.X.commercial"),
        ("[]", "sections"),
        ("{", "not valid YAML"),
    ],
)
def test_terms_that_are_none(text, says):
    with pytest.raises(UserError, match=says):
        parse_terms(text, "own.yaml")


def test_the_text_shows_reasons_and_what_does_not_count(place):
    text = license_text(report_licenses(place).figures)
    assert "commercial use: allowed 1, conditions 1, forbidden 1, unknown 3" in text
    assert "CC-BY-NC-4.0 forbids commercial use" in text and "transcribe" in text


def test_recordings_that_are_mixed_in_are_parts_of_the_mixed_rows(tmp_path):
    rows = [made_row(0, provenance=steps(Step("mix", None, None, None, 1))), made_row(1, provenance=steps())]
    place = made_corpus(tmp_path / "corpus", rows)
    manifest = load_manifest(place)

    def report(**noise):
        stages = {**manifest.recipe.settings["stages"], "mix": {"noise": {"files": "musan", **noise}, "room": None}}
        settings = {**manifest.recipe.settings, "stages": stages}
        write_manifest(place, replace(manifest, recipe=replace(manifest.recipe, settings=settings)))
        return report_licenses(place)

    assert report().allowed["commercial"].tolist() == [False, True]
    reasons = report().figures["uses"]["commercial"]["reasons"]
    assert reasons == {"data set musan (the noise): no license is known": 1}
    assert report(license="CC-BY-4.0").allowed["commercial"].tolist() == [True, True]
