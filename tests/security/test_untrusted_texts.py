"""Texts from a stranger stay texts: rows of an input, prompt templates, voices of a bank, its card."""

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from manifests.corpus import Corpus
from manifests.errors import CorpusError, ParleyError, UserError
from manifests.storage import open_place
from manifests.validate import validate
from pipeline.bank.recipe import load_bank_recipe
from pipeline.cli.main import cli
from pipeline.engines.text._chat.template import load_template
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.run import run_job
from pipeline.job.runner.local import LocalRunner
from pipeline.prompts import split_name, write_lock
from pipeline.recipes.load import load_recipe
from pipeline.show.page import PageTable, Paragraph, Preformatted, page
from tests.tables import each_row
from voicebank.bank import load_bank

EVIL = "../../../../tmp/evil"
ROW = {
    "instruction": "What is $instruction or {{7*7}} or ${IFS} or `id` or %s here?",
    "output": "It is a plain answer about rivers.",
    "id": EVIL,
    "dataset": EVIL,
    "audio": "/etc/hostname",
    "path": EVIL,
    "voice": "(system 'id')",
    "license": "MIT",
}


def test_nothing_in_a_row_chooses_a_path_a_voice_or_a_license(tmp_path: Path) -> None:
    source = tmp_path / "rows.json"
    source.write_text(json.dumps([ROW] * 2 + [ROW | {"instruction": "Why do people like rivers?"}]))
    job = Job(load_recipe("tone-dry-run"), 0, open_inputs([str(source)]), IngestOptions())
    run_job(job, open_place(tmp_path / "out"), LocalRunner(), Listener())
    rows = list(Corpus(tmp_path / "out")) + list(Corpus(tmp_path / "out", status="rejected"))
    assert len(rows) == 3 and validate(open_place(tmp_path / "out"), deep=True, beside=("work",)).ok
    for row in rows:
        assert row.dialogue_id.startswith("rows-") and row.source.license is None and row.source.dataset == "rows"
        assert row.user_voice is None or row.user_voice in {voice.voice_id for voice in load_bank("tone").voices}
    assert not Path("/tmp/evil").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "rows.json"]


@each_row("name", ["../../etc/passwd", "/etc/passwd", "a/../b", "ke-rewrite", "ke-rewrite/v2/x", "KE/v1", "a/v1\n"])
def test_the_name_of_a_prompt_is_no_path(name: str) -> None:
    with pytest.raises(UserError, match="name a task and a version"):
        split_name(name)


TEMPLATE = {
    "task": "rewrite",
    "complaints": "v1",
    "system": "Ask it in $max_length words. JSON key question.",
    "exchange": "$question $answer",
    "forms": {"whole": "$instruction", "next": "$history $instruction"},
    "answer": {"question": "string"},
}


def store_with(tmp_path: Path, text: str) -> Path:
    root = Path(tempfile.mkdtemp(dir=tmp_path))
    (root / "rewrite" / "en").mkdir(parents=True)
    (root / "rewrite" / "en" / "v1.yaml").write_text(text)
    write_lock(root)
    return root


@each_row(
    "text",
    [
        "!!python/object/apply:os.system [id]",
        yaml.safe_dump(TEMPLATE | {"system": "${instruction.__class__} $max_length"}),
        yaml.safe_dump(TEMPLATE | {"system": "$api_key $max_length"}),
        yaml.safe_dump(TEMPLATE | {"include": "/etc/passwd"}),
        yaml.safe_dump(TEMPLATE | {"complaints": "../../../etc/passwd"}),
        yaml.safe_dump(TEMPLATE | {"forms": {"whole": "$instruction $OPENAI_API_KEY", "next": "$history"}}),
    ],
)
def test_a_prompt_template_reaches_nothing_but_its_variables(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError) as caught:
        load_template("rewrite/v1", "en", store_with(tmp_path, text))
    assert "\n" not in str(caught.value)


VOICE = {"voice_id": "v1", "engine": "tone", "speaker": "x", "language": "en", "gender": "female"}


@each_row(
    ("voice", "card"),
    [
        (VOICE | {"voice_id": "../../evil"}, {"name": "mine"}),
        (VOICE | {"voice_id": "a/b"}, {"name": "mine"}),
        (VOICE | {"voice_id": "v1\x1b[2J"}, {"name": "mine"}),
        (VOICE | {"model": "/srv/models/m"}, {"name": "mine"}),
        (VOICE | {"trust_remote_code": True}, {"name": "mine"}),
        (VOICE | {"prompt_audio": "/etc/hostname"}, {"name": "mine"}),
    ],
)
def test_a_voice_names_neither_paths_nor_code(tmp_path: Path, voice: dict[str, object], card: dict[str, str]) -> None:
    bank = Path(tempfile.mkdtemp(dir=tmp_path))
    (bank / "voices.jsonl").write_text(json.dumps(voice) + "\n")
    (bank / "card.json").write_text(json.dumps(card))
    with pytest.raises(CorpusError) as caught:
        load_bank(bank)
    assert "\n" not in str(caught.value)


@each_row("speaker", ["../../x", "/etc/passwd", "--help", "rms -o /tmp/x", 'x") (system "id', "x\ny", "en;id", ""])
def test_a_speaker_is_a_name_that_the_synthesizer_knows_or_nothing(tmp_path: Path, speaker: str) -> None:
    """What reaches a program of the offline voices is one of their own names, or in the form of one."""
    from pipeline.engines.tts.espeak_ng import _SPEAKER
    from pipeline.engines.tts.festival import _PACKAGES
    from pipeline.engines.tts.flite import _SPEAKERS

    assert speaker not in _PACKAGES and speaker not in _SPEAKERS and _SPEAKER.fullmatch(speaker) is None


def test_the_texts_of_a_bank_do_not_steer_the_terminal(tmp_path: Path) -> None:
    steering = "\x1b]0;PWNED\x07\u202e"
    (tmp_path / "voices.jsonl").write_text(json.dumps(VOICE | {"speaker": "x" + steering}) + "\n")
    (tmp_path / "card.json").write_text(json.dumps({"name": "mine" + steering, "about": {steering: [steering]}}))
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "ref.json").write_text(json.dumps([{"ref_wav_path": "../x" + steering, "prompt_text": "a"}]))
    import_ = ["voicebank", "import", "--format", "cleans2s", "--from", str(clips), "--out", str(tmp_path / "out")]
    for arguments in (["voicebank", "list", str(tmp_path)], [*import_, "--gender", "female", "--language", "en"]):
        ran = CliRunner().invoke(cli, arguments)
        from pipeline.cli.output import message

        shown = ran.output + message(str(ran.exception or ""))
        assert shown.strip() and not {c for c in shown if c in "\x1b\x07\u202e"}


@each_row("text", ["!!python/object/apply:os.system [id]", "a: !include x", "&a [*a, *a]"])
def test_a_recipe_file_is_data(tmp_path: Path, text: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    for load in (load_recipe, load_bank_recipe):
        with pytest.raises(ParleyError):
            load(str(file))


def test_a_page_shows_markup_as_text() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'</td>"
    shown = page(evil, [Paragraph(evil), Preformatted(evil), PageTable([evil], [[evil, 1.0]])])
    assert not {"<script", "<img", "onerror=alert(1)>"} & {tag for tag in ("<script", "<img") if tag in shown}
    assert "Content-Security-Policy\" content=\"default-src 'none'" in shown
    assert shown.count("&lt;script&gt;") == 6
