"""Does the check find what a server ignores, and nothing where it obeys? Asked of strict servers that speak tones."""

import base64
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import EngineUnavailable, UserError
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.job.directory import CHECKED
from pipeline.obedience import check as checking
from pipeline.obedience.check import check_before_a_job, check_server, speech_servers
from pipeline.recipe import Recipe
from tests.servers.dialect_jobs import served_recipe, voices_for, write_voices
from tests.servers.dialect_rules import RULES
from tests.servers.strict_speech import StrictSpeech
from tests.tables import each_row

STYLED = "vllm-omni-qwen3-tts-customvoice"
FAST = 'gate.ladder=[{"rate": 0.9}]'


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spectra tell the tones apart; an encoder of speech would say nothing of them."""
    monkeypatch.setattr(checking, "open_encoder", lambda: None)


@pytest.fixture(autouse=True)
def styles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "writes_styles", lambda recipe: False)


def findings(recipe: Recipe) -> dict[str, bool]:
    """What was looked at, and whether it was obeyed."""
    ((name, model),) = speech_servers(recipe).items()
    return {verdict.thing: verdict.obeyed for verdict in check_server(recipe, name, model).verdicts}


def bank_for(dialect: str, tmp_path: Path, **more: Any) -> Path:
    return write_voices(tmp_path / "bank", voices_for(dialect, **more))


LOOKED_AT = {
    "openai": {"voice"},
    "vllm-omni-qwen3-tts-customvoice": {"voice", "seed", "language"},
    "vllm-omni-cosyvoice3": {"voice", "seed"},
    "vllm-omni-zonos2": {"voice", "seed", "language"},
    "vllm-omni-moss-tts": {"voice", "seed", "language"},
    "vllm-omni-vibevoice": {"voice"},
    "vllm-omni-indextts2": {"voice", "seed"},
    "sglang-omni": {"voice", "seed", "language"},
    "kokoro-fastapi": {"voice", "language"},
    "speaches": {"voice"},
}


SOME = ("vllm-omni-zonos2", "sglang-omni")


@pytest.mark.parametrize(
    "dialect", [name if name in SOME else pytest.param(name, marks=pytest.mark.slow) for name in sorted(LOOKED_AT)]
)
def test_an_honest_server_obeys_all_that_the_recipe_sends(dialect: str, tmp_path: Path) -> None:
    with StrictSpeech(dialect) as server:
        recipe = served_recipe(server, dialect, bank_for(dialect, tmp_path), "gate.ladder=[{}]")
        assert findings(recipe) == dict.fromkeys(LOOKED_AT[dialect], True)
    assert LOOKED_AT.keys() == RULES.keys() - {"vllm-omni-qwen3-tts-base"}  # its embeddings are not of length 1


@pytest.mark.parametrize(
    ("ignored", "steady"),
    [
        *((thing, True) for thing in ("voice", "seed", "language", "style", "speed")),
        ("voice", False),
        *(pytest.param(thing, False, marks=pytest.mark.slow) for thing in ("seed", "language", "style", "speed")),
    ],
)
def test_what_a_server_ignores_is_found_and_nothing_else(
    ignored: str, steady: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "writes_styles", lambda recipe: True)
    with StrictSpeech(STYLED, ignores={ignored}, steady=steady) as server:
        found = findings(served_recipe(server, STYLED, bank_for(STYLED, tmp_path), FAST))
    assert found == {thing: thing != ignored for thing in ("voice", "seed", "language", "style", "speed")}


def test_an_honest_server_with_a_little_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "writes_styles", lambda recipe: True)
    with StrictSpeech(STYLED, steady=False) as server:
        assert all(findings(served_recipe(server, STYLED, bank_for(STYLED, tmp_path), FAST)).values())


def test_only_what_the_recipe_sends_is_looked_at(tmp_path: Path) -> None:
    with StrictSpeech(STYLED, ignores={"speed", "style"}) as server:
        recipe = served_recipe(server, STYLED, bank_for(STYLED, tmp_path), "gate.ladder=[]", send_seed=False)
        assert findings(recipe) == {"voice": True, "language": True}
    assert all("seed" not in body and "speed" not in body for body in server.speeches)


def test_a_server_that_answers_with_the_other_voice(tmp_path: Path) -> None:
    """Each clip is its recording's tone played on: exchanged, it is nearer to the other one's recording."""
    dialect = "vllm-omni-cosyvoice3"
    bank = write_voices(tmp_path / "bank", voices_for(dialect)[:2])
    with _Echo(exchanged=False) as server:
        assert findings(served_recipe(server, dialect, bank, "gate.ladder=[]", send_seed=False))["voice"]
    with _Echo(exchanged=True) as server:
        recipe = served_recipe(server, dialect, bank, "gate.ladder=[]", send_seed=False)
        ((name, model),) = speech_servers(recipe).items()
        found = check_server(recipe, name, model)
    assert found.problem is not None and "nearer to the recording of the other one" in found.problem


class _Echo(StrictSpeech):
    """Speaks with the voice of the recording, to the letter: it plays it again."""

    def __init__(self, exchanged: bool) -> None:
        super().__init__("vllm-omni-cosyvoice3")
        self._swap = exchanged

    def _say(self, body: dict[str, Any]) -> Any:
        given = body["ref_audio"]
        recordings = [voice.prompt_audio or b"" for voice in voices_for("vllm-omni-cosyvoice3")[:2]]
        own = base64.b64decode(given.partition(",")[2])
        return recordings[recordings.index(own) - 1] if self._swap else own


@each_row(
    ("ignores", "sentence"),
    [
        pytest.param({"voice"}, "the server of mouth ignores voice (two voices give the same samples)", id="voice"),
        pytest.param({"seed", "language"}, "ignores seed (two seeds give the same samples), language (", id="two"),
    ],
)
def test_the_job_is_told_in_one_sentence(ignores: Collection[str], sentence: str, tmp_path: Path) -> None:
    with StrictSpeech(STYLED, ignores=ignores) as server:
        recipe = served_recipe(server, STYLED, bank_for(STYLED, tmp_path))
        with pytest.raises(EngineUnavailable) as caught:
            check_before_a_job(recipe, open_place(tmp_path / CHECKED))
    assert sentence in str(caught.value) and "nothing was made yet" in str(caught.value)
    assert not (tmp_path / CHECKED).exists()


def test_a_continued_job_does_not_pay_again_and_no_address_is_kept(tmp_path: Path) -> None:
    with StrictSpeech(STYLED) as server:
        recipe = served_recipe(server, STYLED, bank_for(STYLED, tmp_path))
        check_before_a_job(recipe, open_place(tmp_path / CHECKED))
        paid = len(server.speeches)
        check_before_a_job(recipe, open_place(tmp_path / CHECKED))
        assert paid > 3 and len(server.speeches) == paid
        other = served_recipe(server, STYLED, tmp_path / "bank", "gate.ladder=[{}, {}]")
        check_before_a_job(other, open_place(tmp_path / CHECKED))
        assert len(server.speeches) == 2 * paid
    assert "127.0.0.1" not in (tmp_path / CHECKED).read_text()


def test_a_check_that_is_switched_off_asks_nothing(tmp_path: Path) -> None:
    with StrictSpeech(STYLED, ignores={"voice"}) as server:
        recipe = served_recipe(server, STYLED, bank_for(STYLED, tmp_path), "models.mouth.serving.check=false")
        check_before_a_job(recipe, open_place(tmp_path / CHECKED))
    assert server.requests == []


@each_row(
    ("dialect", "spoken", "sentence"),
    [
        pytest.param("vllm-omni-zonos2", "vllm-omni-qwen3-tts-base", "not support task_type='CustomVoice'", id="task"),
        pytest.param("vllm-omni-moss-tts", "vllm-omni-vibevoice", "take the model's setting seed", id="seed"),
        pytest.param("vllm-omni-qwen3-tts-customvoice", "openai", "take the model's setting ", id="unknown"),
    ],
)
def test_a_server_of_another_dialect_is_named(dialect: str, spoken: str, sentence: str, tmp_path: Path) -> None:
    bank = write_voices(tmp_path / dialect, voices_for(dialect))
    with StrictSpeech(spoken) as server, pytest.raises(EngineUnavailable) as caught:
        findings(served_recipe(server, dialect, bank))
    told = str(caught.value)
    assert sentence in told
    assert f"dialect {dialect}" in told


@each_row(
    ("dialect", "voices", "overrides", "sentence"),
    [
        pytest.param(
            "vllm-omni-qwen3-tts-base",
            voices_for("vllm-omni-zonos2"),
            (),
            "all embeddings have length 1, where raw ones",
            id="norm",
        ),
        pytest.param("vllm-omni-zonos2", voices_for("openai"), (), "is a name, and the server takes", id="names"),
        pytest.param("vllm-omni-vibevoice", voices_for("sglang-omni"), (FAST,), "carries no speed", id="speed"),
    ],
)
def test_a_bank_or_a_recipe_that_does_not_fit_costs_nothing(
    dialect: str, voices: Any, overrides: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    bank = write_voices(tmp_path / f"{dialect}-{sentence[:5].strip()}", voices)
    with StrictSpeech(dialect) as server, pytest.raises(UserError, match=sentence):
        findings(served_recipe(server, dialect, bank, *overrides))
    assert server.speeches == []


def test_what_is_known_of_an_earlier_run_may_be_broken(tmp_path: Path) -> None:
    (tmp_path / CHECKED).write_text("[1, 2")
    with StrictSpeech("speaches") as server:
        check_before_a_job(
            served_recipe(server, "speaches", bank_for("speaches", tmp_path)), open_place(tmp_path / CHECKED)
        )
    assert list(json.loads((tmp_path / CHECKED).read_text())) == ["mouth"]


def test_a_recipe_without_servers_is_not_checked() -> None:
    assert speech_servers(tone_recipe()) == {}
