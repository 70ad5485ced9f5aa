"""Keys and passwords reach no message, no log, no job.json and no manifest."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from manifests.errors import RecipeError, UserError
from manifests.storage import open_place
from pipeline.bank.recipe import load_bank_recipe
from pipeline.cli import main as command
from pipeline.cli.main import cli
from pipeline.recipes.load import load_recipe
from tests.tables import each_row

SECRET = "s3kr1t-Zx81Yy92Ww73"


@each_row(
    "override",
    [
        f"models.m={{engine: openai, model: x, extra_body: {{api_key: {SECRET}}}}}",
        f"models.m={{engine: openai, model: x, extra_body: {{headers: {{Authorization: Bearer {SECRET}}}}}}}",
        f"models.m={{engine: openai, model: x, template_options: {{hub_token: {SECRET}}}}}",
        f"models.m={{engine: openai-speech, model: x, extra_body: {{auth: {{password: {SECRET}}}}}}}",
        f"models.m={{engine: openai-transcription, model: x, extra_body: {{apiKey: {SECRET}}}}}",
        f"models.m={{engine: vllm, model: x, template_options: {{client_secret: {SECRET}}}}}",
        f"models.m={{engine: whisper, model: 'https://me:{SECRET}@host/x'}}",
        f"models.m={{engine: openai, model: x, serving: {{api_key_env: {SECRET}}}}}",
        f"models.m={{engine: openai, model: x, api_key: {SECRET}}}",
    ],
)
def test_a_recipe_that_holds_a_key_is_refused_without_showing_it(override: str) -> None:
    for load, name in ((load_recipe, "tone-dry-run"), (load_bank_recipe, "packaged-bank")):
        with pytest.raises(RecipeError) as caught:
            load(name, [override])
        assert SECRET not in str(caught.value)
        assert "models.m." in str(caught.value)


def test_where_a_server_is_may_hold_a_password_and_stays_out_of_the_content() -> None:
    serving = f"{{base_url: 'http://me:{SECRET}@host/v1', api_key_env: MY_KEY}}"
    recipe = load_recipe("tone-dry-run", [f"models.m={{engine: openai, model: x, serving: {serving}}}"])
    assert SECRET not in json.dumps(recipe.content()) and "MY_KEY" not in json.dumps(recipe.content())


@each_row("key", ["eos_token", "enable_thinking", "stop_token_ids", "max_tokens", "top_k"])
def test_ordinary_options_of_a_model_are_no_secrets(key: str) -> None:
    model = f"{{engine: openai, model: x, extra_body: {{{key}: 1}}, template_options: {{{key}: 1}}}}"
    assert load_recipe("tone-dry-run", [f"models.m={model}"]).models


@each_row(
    "uri",
    [
        f"s3://KEY:{SECRET}@bucket/x?no_such_option=1",
        f"s3://KEY:{SECRET}/with/slashes@bucket/x?no_such_option=1",
        f"nosuch://KEY:{SECRET}@bucket/x",
        f"s3://bucket/x?secret_key={SECRET}",
        f"gs://bucket/x?access_token={SECRET}",
        f"hdfs://me:{SECRET}@host:notaport/x",
    ],
)
def test_an_address_that_cannot_be_opened_is_quoted_without_its_key(uri: str) -> None:
    with pytest.raises(UserError) as caught:
        open_place(uri)
    shown = str(caught.value) + str(caught.value.__cause__)
    assert SECRET not in shown and "slashes" not in shown
    assert caught.value.__suppress_context__


def test_no_message_of_a_command_shows_a_key(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever raises it: our errors, click's, and the traceback of a bug."""
    uri = f"s3://KEY:{SECRET}@bucket/x"

    def fails(place: object) -> None:
        raise ValueError(f"at {uri} \x1b[2J")

    monkeypatch.setattr("manifests.stats.stats", fails)
    for arguments in (["corpus", "stats", uri, f"--{SECRET}=1"], ["no-such-command", uri], ["corpus", "stats", uri]):
        monkeypatch.setattr(sys, "argv", ["parley", *arguments])
        with pytest.raises(SystemExit):
            command.command()
        shown = "".join(capfd.readouterr())
        assert f"KEY:{SECRET}" not in shown and "\x1b" not in shown and shown.strip()


def test_an_input_that_is_not_there_is_named_without_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        uri = f"s3://KEY:{SECRET}@bucket/rows.jsonl?endpoint_override={host}%3A{port}&scheme=http&region=us-east-1"
        out = str(tmp_path / "out")
        monkeypatch.setattr(sys, "argv", ["parley", "run", "tone-dry-run", "--input", uri, "--out", out])
        with pytest.raises(SystemExit) as ended:
            command.command()
    finally:
        server.stop()
    shown = "".join(capfd.readouterr())
    assert ended.value.code == 2 and "there is no file s3://***@bucket/rows.jsonl" in shown
    assert SECRET not in shown and not (tmp_path / "out").exists()


def test_what_a_user_mistypes_is_not_repeated_with_its_key() -> None:
    """`main` frees messages of what stands behind the name of a key."""
    ran = CliRunner().invoke(cli, ["run", "tone-dry-run", "--set", f"modles.m.api_key={SECRET}", "--input", "x"])
    assert ran.exit_code != 0
    from pipeline.cli.output import message

    assert SECRET not in message(str(ran.exception) + ran.output)
