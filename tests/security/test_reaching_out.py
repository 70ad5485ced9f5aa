"""No command that reads a stranger's corpus opens a file, a connection or a program that the corpus names."""

import copy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from manifests.errors import RecipeError
from manifests.manifest import load_manifest, write_manifest
from manifests.storage import open_place
from parley.testing.corpora import make_corpus, make_rows
from pipeline.audit.corpus_view import open_view
from pipeline.cli.main import cli
from pipeline.engines.tts._dialects.dialect import load_dialect
from pipeline.recipes.load import load_recipe
from tests.tables import each_row

SECRET = "s3kr1t-Zx81Yy92Ww73"
_seen: list[str] = []
_watching = False
_LOUD = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")
DECOYS = ("bank", "bank/voices.jsonl", "p.yaml", "d.yaml", "noise", "noise/a.wav", "m", "m/config.yaml", "c.npz")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what Python opens; a hook cannot be taken away again, so it sleeps until a test wakes it."""
    if _watching and (event in ("open", "os.listdir", "os.scandir", *_LOUD)):
        _seen.append(f"{event} {arguments[0]}" if event in _LOUD else str(arguments[0]))


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[str]]:
    global _watching
    _seen.clear()
    _watching = True
    try:
        yield _seen
    finally:
        _watching = False


def hostile(tmp_path: Path) -> tuple[Path, Path]:
    """Return a corpus whose recipe names paths outside it wherever a recipe may, and the place that they lead to."""
    outside, corpus = tmp_path / "outside", tmp_path / "corpus"
    for name in DECOYS:
        path = outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}") if "." in name else path.mkdir(exist_ok=True)
    place = make_corpus(corpus, make_rows())
    content: dict[str, Any] = copy.deepcopy(load_recipe("moshi-offline").content())
    serving = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "MY_PRIVATE_SECRET", "run_model_code": True}
    content["models"] = {
        "voice": {"engine": "openai-speech", "model": "x", "dialect": f"{outside}/d.yaml", "serving": serving},
        "ears": {"engine": "funasr", "model": f"{outside}/m", "serving": serving},
        "units": {"engine": "hubert", "model": f"{outside}/m", "centers": f"{outside}/c.npz", "layer": 1},
        "code": {"engine": "utmos", "model": f"{outside}/m", "serving": serving},
        "align": {"engine": "whisper", "model": f"{outside}/m"},
    }
    stages = content["stages"]
    stages["cast"]["bank"], stages["arrange"]["profile"] = f"{outside}/bank", f"{outside}/p.yaml"
    stages["mix"]["noise"]["files"] = f"{outside}/noise"
    stages["mix"]["room"] = {"files": f"{outside}/noise"}
    stages["synthesize"]["engine"], stages["transcribe"]["engine"] = "voice", {"*": "ears"}
    stages["align"]["engine"] = {"*": "align"}
    manifest = load_manifest(place)
    write_manifest(place, replace(manifest, recipe=replace(manifest.recipe, settings=content)))
    return corpus, outside


@each_row("command", ["audit C", "licenses C --out O", "report C --out O.html", "stats C"])
def test_a_corpus_makes_no_command_reach_outside_of_it(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PRIVATE_SECRET", SECRET)
    root = tmp_path / command.split()[0]
    corpus, outside = hostile(root)
    places = {"C": str(corpus), "O": str(root / "out"), "O.html": str(root / "out.html")}
    with watched() as seen:
        ran = CliRunner().invoke(cli, ["corpus", *(places.get(word, word) for word in command.split())])
    assert ran.exit_code in (0, 3) and ran.output, ran.output
    assert [path for path in seen if str(outside) in path or path.split()[0] in _LOUD] == []
    assert SECRET not in ran.output


def test_the_watch_sees_what_a_model_of_the_recipe_would_open(tmp_path: Path) -> None:
    """So the test above can fail."""
    corpus, outside = hostile(tmp_path)
    with watched() as seen:
        view = open_view(open_place(corpus))
        assert view.bank is None and view.casting["any"].engine == ""
    assert [path for path in seen if str(outside) in path] == []
    with watched() as seen, pytest.raises(RecipeError):
        load_dialect(view.recipe.models["voice"].dialect)
    assert f"{outside}/d.yaml" in seen
