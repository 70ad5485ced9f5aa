"""`parley models`, as it is typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from manifests.errors import RecipeError, UserError
from pipeline.cli.main import cli
from pipeline.weights import cache, table
from tests.pipeline.weights.shelf import FILES, Web, entry, serving, write_table


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with serving() as server:
        server.pages |= {f"/{path}": data for path, data in FILES.items()}
        own = write_table(tmp_path / "mine.yaml", mine=entry(**{"from": [server.address]}))
        monkeypatch.setenv(table.OWN_TABLE, str(own))
        monkeypatch.setenv(cache.CACHE, str(tmp_path / "cache"))
        yield server


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["models", *words])


def test_from_the_list_to_an_archive(web: Web, tmp_path: Path) -> None:
    assert "mine\tCC0-1.0\t0 MB\tnot fetched\tfor tests" in run("list").output
    assert isinstance(run("path", "mine").exception, UserError)
    fetched = run("fetch", "mine")
    assert fetched.exit_code == 0, fetched.output
    directory = run("path", "mine").output.strip()
    assert f"mine\t{directory}" in fetched.output
    assert (Path(directory) / "voices" / "one.bin").read_bytes() == FILES["voices/one.bin"]
    assert "in the cache" in run("show", "mine").output
    assert run("verify").exit_code == 0
    (Path(directory) / "model.bin").write_bytes(b"")
    spoilt = run("verify")
    assert spoilt.exit_code == 3 and "mine\tmodel.bin: size" in spoilt.output
    run("fetch", "mine")
    assert run("pack", "mine", "--out", str(tmp_path / "mine.tar")).exit_code == 0
    assert (tmp_path / "mine.tar").stat().st_size > sum(map(len, FILES.values()))


def test_a_recipe_stands_for_its_models(web: Web, tmp_path: Path) -> None:
    recipe = tmp_path / "mine-recipe.yaml"
    text = "name: r\ndescription: r\nlanguages: [en]\nmodels: {listener: {engine: whisper, model: mine}}\nstages:\n"
    for stage in ("rewrite", "screen", "respond"):
        text += f"  - {stage}: {{engine: rules}}\n"
    text += "  - cast: {bank: tone}\n  - synthesize: {engine: tone}\n  - render: {}\n"
    recipe.write_text(text + "  - watermark: {engine: tone-mark}\n  - transcribe: {engine: listener}\n  - gate: {}\n")
    fetched = run("fetch", str(recipe))
    assert fetched.exit_code == 0, fetched.exception
    assert Path(run("path", "mine").output.strip()).is_dir()


def test_what_is_no_model(web: Web) -> None:
    for words in (("fetch", "nothing"), ("show", "nothing"), ("path", "nothing")):
        error = run(*words).exception
        assert isinstance(error, RecipeError) and "'nothing'" in str(error) and "kokoro-82m" in str(error)
    error = run("fetch", "tone-dry-run").exception
    assert isinstance(error, UserError) and "names no model of the table" in str(error)


def test_a_use_that_a_license_forbids_fetches_nothing(web: Web, tmp_path: Path) -> None:
    terms = tmp_path / "terms.yaml"
    terms.write_text("licenses: {CC0-1.0: {commercial: forbidden, research: allowed}}\n")
    refused = run("fetch", "mine", "--for", "commercial", "--terms", str(terms))
    assert isinstance(refused.exception, UserError)
    assert "mine: CC0-1.0 forbids commercial use" in str(refused.exception)
    assert isinstance(run("path", "mine").exception, UserError)
    assert run("fetch", "mine", "--for", "research", "--terms", str(terms)).exit_code == 0
    assert run("fetch", "mine", "--for", "commercial").exit_code == 0
