"""A corpus from a stranger chooses no server, no path, no key and no code, and cannot say that it is trusted."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from manifests.corpus import Corpus
from manifests.errors import CorpusError, RecipeError, ResumeRefused, UserError
from manifests.manifest import load_manifest, write_manifest
from manifests.schema import Dialogue
from manifests.stats import stats
from manifests.storage import Place, open_place
from parley.testing.corpora import make_corpus, make_kept, make_rows
from pipeline.audit.corpus_view import CorpusView, open_view
from pipeline.cli.main import cli
from pipeline.engines.registry import load_engine
from pipeline.job.directory import JobDirectory
from pipeline.recipes.load import load_recipe
from tests.tables import each_row

FORGED = "sound: 99 rows"
STEERING = f"\x1b]0;PWNED\x07\u202e\x9b31m\n{FORGED}"


def fresh(tmp_path: Path) -> Path:
    """A new directory: the rows of a table share theirs."""
    return Path(tempfile.mkdtemp(dir=tmp_path))


def told(place: Place, change: Callable[[dict[str, Any]], None]) -> Path:
    """Change manifest.json."""
    file = Path(place.path, "manifest.json")
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    return file.parent


@each_row(
    "path",
    ["../shards/kept-00000.parquet", "/etc/hostname", "shards/../../x", "shards//x", "./x", "a\\..\\b", "", ".../x"],
)
def test_a_shard_outside_the_corpus_is_never_opened(tmp_path: Path, path: str) -> None:
    place = make_corpus(fresh(tmp_path), make_rows())
    told(place, lambda data: data["shards"]["kept"][0].update(path=path))
    for read in (Corpus, stats, open_view):
        with pytest.raises(CorpusError, match="a shard of kept rows has the wrong path"):
            read(place)


def view_of(tmp_path: Path, models: dict[str, Any], trust_recipe: bool = False, overrides: Any = ()) -> CorpusView:
    """The audit's view of a corpus whose recipe names the models, with a `work/` that says what it likes."""
    corpus = fresh(tmp_path)
    place = make_corpus(corpus, make_rows())
    (corpus / "work").mkdir()
    for name in ("job.json", "input.json", "trusted"):
        (corpus / "work" / name).write_text('{"trusted": true, "trust_recipe": true}')
    content = json.loads(json.dumps(load_recipe("tone-dry-run").content())) | {"models": models}
    manifest = load_manifest(place)
    write_manifest(place, replace(manifest, recipe=replace(manifest.recipe, settings=content)))
    return open_view(place, overrides, trust_recipe)


MODELS: dict[str, dict[str, Any]] = {
    "funasr": {"engine": "funasr", "model": "work/m"},
    "whisper": {"engine": "whisper", "model": "stranger/checkpoint"},
    "server": {"engine": "openai-transcription", "model": "m"},
    "audioseal": {"engine": "audioseal", "generator": "work/g.pt"},
}


@pytest.mark.parametrize("name", MODELS)
def test_no_model_of_a_corpus_is_loaded_unasked(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.audit.corpus_view.load_engine", lambda *_: pytest.fail("it was loaded"))
    kind = "watermark" if name == "audioseal" else "asr"
    view = view_of(tmp_path, {"theirs": MODELS[name]})
    with pytest.raises(UserError, match=r"a corpus must not choose what runs here: trust it .* --trust-recipe"):
        view.engines[kind, "theirs"]
    part = view_of(tmp_path, {"theirs": MODELS[name]}, overrides=["models.theirs.serving={}"])
    with pytest.raises(UserError, match="must not choose"):
        part.engines[kind, "theirs"]


@pytest.mark.parametrize("trust", [False, True])
def test_even_a_trusted_recipe_says_not_where_a_model_runs(tmp_path: Path, trust: bool) -> None:
    serving = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "MY_PRIVATE_SECRET"}
    view = view_of(tmp_path, {"theirs": MODELS["server"] | {"serving": serving}}, trust)
    said = view.recipe.models["theirs"].model_dump_json()
    assert "127.0.0.1" not in said and "MY_PRIVATE_SECRET" not in said


@each_row(
    ("kind", "model"),
    [
        ("quality", {"engine": "utmos", "model": "work/m"}),
        ("tts", {"engine": "cosyvoice", "model": "work/m"}),
    ],
)
def test_even_a_trusted_recipe_runs_no_code_of_a_model(tmp_path: Path, kind: str, model: dict[str, Any]) -> None:
    """The user agrees in words of their own, in `serving`, which is never taken from a manifest."""
    models = {"theirs": model | {"serving": {"run_model_code": True}}}
    view = view_of(tmp_path, models, trust_recipe=True)
    with pytest.raises(RecipeError, match=r"say so with --set models\.theirs\.serving\.run_model_code=true"):
        load_engine(kind, "theirs", view.recipe.models)


@each_row(
    ("where", "error"),
    [
        (("trust_recipe",), CorpusError),
        (("stages", "cast", "trusted"), CorpusError),
        (("models", "theirs", "trusted"), CorpusError),
    ],
)
def test_a_manifest_has_no_words_to_say_that_it_is_trusted(
    tmp_path: Path, where: tuple[str, ...], error: type[Exception]
) -> None:
    view = view_of(tmp_path, {"theirs": MODELS["whisper"]})
    settings = view.manifest.recipe.settings
    inner = settings
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = True
    write_manifest(view.place, view.manifest)
    with pytest.raises(error, match="cannot read its recipe"):
        open_view(view.place)


@each_row("name", ["work", "work/log.jsonl", "work/take-1/000000.arrow", "audio", "shards"])
def test_a_job_does_not_follow_links_out_of_its_directory(tmp_path: Path, name: str) -> None:
    """Such as a log that leads to a file of the user, to which a continued job would append."""
    out, mine = fresh(tmp_path), fresh(tmp_path)
    (mine / "job.json").write_text("{}")
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).symlink_to(mine if "." not in name else mine / "job.json")
    if not (out / "work").exists():
        (out / "work").mkdir()
    if not (out / "work").is_symlink():
        (out / "work" / "job.json").write_text("{}")
    place = open_place(out)
    directory = JobDirectory(place, place / "work", ("work", "audio", "shards"))
    refused = pytest.raises(ResumeRefused, match=r"holds the symbolic link .*, which may lead out of --out")
    with refused, directory.owned() as owned:
        owned.claim({}, accept_changes=True)
    assert [(file.name, file.read_text()) for file in mine.iterdir()] == [("job.json", "{}")]


def test_out_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    place = open_place(tmp_path / "out")
    JobDirectory(place, place / "work", ("work",)).claim({"a": 1})
    assert json.loads((tmp_path / "disk" / "work" / "job.json").read_text()) == {"a": 1}


def test_an_export_names_no_file_that_leads_elsewhere(tmp_path: Path) -> None:
    rows = [replace(make_kept(i), dialogue_id=name) for i, name in enumerate(["good", "../../evil", "/etc/x", "a b"])]
    place = make_corpus(tmp_path / "c", rows)
    ran = CliRunner().invoke(cli, ["corpus", "export", place.path, "--to", "hf", "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0 and "its id is no safe name for a file" in ran.stdout
    assert [line.split()[:2] for line in ran.stdout.splitlines()[:2]] == [["written", "1"], ["refused", "3"]]


def steering_corpus(where: Path) -> Place:
    def odd(dialogue: Dialogue) -> Dialogue:
        return replace(dialogue, dialogue_id=dialogue.dialogue_id + STEERING, language="en" + STEERING)

    place = make_corpus(where, map(odd, make_rows()))
    told(place, lambda data: data["recipe"].update(name="mine" + STEERING))
    (where / ("stray" + STEERING)).write_text("")
    return place


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["corpus", "validate", "--deep", "{c}"], 3),
        (["corpus", "stats", "{c}"], 0),
        (["corpus", "stats", "--json", "{c}"], 0),
        (["corpus", "stats", "--row", "made-00000000" + STEERING, "{c}"], 0),
        (["corpus", "stats", "--row", "made-00000000" + STEERING, "--json", "{c}"], 0),
        (["corpus", "export", "{c}", "--to", "hf", "--out", "{out}"], 0),
    ],
    ids=["validate", "stats", "stats as JSON", "a row", "a row as JSON", "export"],
)
def test_no_text_of_a_corpus_steers_the_terminal(tmp_path: Path, command: list[str], code: int) -> None:
    place = steering_corpus(tmp_path / "c")
    filled = [word.replace("{c}", place.path).replace("{out}", str(tmp_path / "out")) for word in command]
    ran = CliRunner().invoke(cli, filled)
    assert ran.exit_code == code, ran.output
    assert not {c for c in ran.output if c in "\x1b\x07\x9b\u202e"}
    assert not [line for line in ran.output.splitlines() if line.startswith(FORGED)], "a name makes no line of its own"
    assert ran.output.strip()
    if "--json" in command:
        assert json.loads(ran.stdout)


def test_no_command_prints_past_the_one_door() -> None:
    """`pipeline/cli/output.py` cleans what it prints; nothing else in the room of the commands prints texts."""
    room = Path(__file__).parents[2] / "pipeline" / "cli"
    printing = [file.name for file in room.glob("*.py") if "echo(" in (text := file.read_text()) or "print(" in text]
    assert sorted(printing) == ["output.py", "progress.py"]
