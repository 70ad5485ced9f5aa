"""The servers themselves: what they say to whom, and that they misbehave the same way every time."""

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest

from tests.servers import wire
from tests.servers.faults import CONTENT_FAULTS, TRANSPORT_FAULTS
from tests.servers.faulty import FaultyServer
from tests.servers.responder import respond
from tests.servers.scripted import ScriptedServer

ENGLISH, CHINESE = "Explain how rivers shape their valleys", "请解释河流怎样塑造山谷"


def body(system: str, *said: str) -> dict[str, Any]:
    users = [{"role": "user", "content": text} for text in said]
    return {"model": "m", "messages": [{"role": "system", "content": system}, *users], "seed": 1}


def fenced(text: str) -> str:
    return f"Here it is:\n<<<0a1b2c3d\n{text}\n0a1b2c3d>>>\nNow write."


def shows(*keys: str, language: str = "en") -> str:
    words = "Answer with one object:" if language == "en" else "请只回答一个对象，不要写别的内容："
    return words + " {" + ", ".join(f'"{key}": ...' for key in keys) + "}"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("keys", "kinds"),
    [
        (["question"], [str]),
        (["speakable", "clear", "reason"], [bool, bool, str]),
        (["safe", "reason"], [bool, str]),
        (["question", "answer"], [str, str]),
        (["answer"], [str]),
        (["response"], [str]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value[0], str) else "",
)
def test_the_responder_knows_its_task_by_the_keys(language: str, keys: list[str], kinds: list[type]) -> None:
    material = ENGLISH if language == "en" else CHINESE
    answer = json.loads(respond(body(shows(*keys, language=language), fenced(material))))
    assert list(answer) == keys
    assert [type(value) for value in answer.values()] == kinds
    spoken = "".join(value for key, value in answer.items() if isinstance(value, str) and key != "reason")
    chinese = any("\u4e00" <= character <= "\u9fff" for character in spoken)
    assert chinese is (language == "zh" and bool(spoken))


def test_the_responder_says_other_words_for_other_material_and_the_same_for_the_same() -> None:
    answers = [
        respond(body(shows("question"), fenced(f"{ENGLISH} {word}"))) for word in ("deeply", "slowly", "deeply")
    ]
    assert answers[0] == answers[2] != answers[1]


@pytest.mark.parametrize(
    ("system", "material", "chinese"), [("zh", ENGLISH, True), ("en", CHINESE, True), ("en", ENGLISH, False)]
)
def test_the_responder_writes_in_the_language_of_its_prompt_or_else_of_the_material(
    system: str, material: str, chinese: bool
) -> None:
    answer = respond(body(shows("answer", language=system), fenced(material)))
    assert (json.loads(answer)["answer"][0] > "\u4e00") is chinese


def test_a_complaint_does_not_change_what_the_responder_says() -> None:
    once = body(shows("answer"), fenced(ENGLISH))
    again = body(shows("answer"), fenced(ENGLISH), "That was too long: say it in twenty words.")
    assert respond(once) == respond(again)


@pytest.mark.parametrize("material", ["", "{$x} <b> 100% ☃ 😀", "a b c", "1234"])
def test_the_responder_speaks_whatever_the_material(material: str) -> None:
    question = json.loads(respond(body(shows("question"), fenced(material))))["question"]
    assert question.endswith("?")
    assert all(character.isascii() and (character.isalpha() or character in " ?,.") for character in question)


def post(url: str, sent: Any) -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(sent).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("said", "status", "content"),
    [
        ("hello", 200, wire.completion(body("s", "u"), "hello")),
        ({"choices": []}, 200, {"choices": []}),
        ((429, {"error": "busy"}), 429, {"error": "busy"}),
    ],
    ids=["a text", "a body", "a status and a body"],
)
def test_a_scripted_server_says_what_it_is_told(said: Any, status: int, content: Any) -> None:
    with ScriptedServer(lambda _: said) as server:
        assert post(server.url, body("s", "u")) == (status, content)
    assert server.requests == [body("s", "u")]


def test_a_mistake_of_the_test_reaches_the_test() -> None:
    def mistaken(sent: dict[str, Any]) -> str:
        return str(sent["nothing of this name"])

    with (
        pytest.raises(KeyError),
        ScriptedServer(mistaken) as server,
        contextlib.suppress(ValueError),  # the client sees an error page, which is no JSON
    ):
        post(server.url, body("s", "u"))


def shapes(server: FaultyServer, number: int) -> list[Any]:
    """What comes back to some requests, each sent twice: an answer, or the name of the trouble."""
    seen = []
    for i in [*range(number), *range(number)]:
        try:
            seen.append(post(server.url, body(shows("question"), f"river {i}")))
        except (OSError, ValueError, http.client.HTTPException) as error:
            seen.append(type(error).__name__)
    return seen


OPTIONS: dict[str, Any] = {"drip_s": 0.5}


def test_faults_are_the_same_in_every_run_and_others_with_another_seed() -> None:
    runs: list[Sequence[Any]] = []
    for seed in (1, 1, 2):
        with FaultyServer(fault_share=0.5, seed=seed, **OPTIONS) as server:
            runs.append(shapes(server, 15))
    assert runs[0] == runs[1] != runs[2]
    assert runs[0][:15] != runs[0][15:]


@pytest.mark.parametrize("fault", sorted(TRANSPORT_FAULTS.keys() - {"quick-drip", "slow-drip"}))
def test_faults_of_the_transport_are_not_billed(fault: str) -> None:
    with FaultyServer(fault_share=1, faults=fault, **OPTIONS) as server:
        (result, _) = shapes(server, 1)
        stats = server.stats()
    assert isinstance(result, str) or result[0] != 200 or result[1]["choices"] == []
    assert (stats["requests"], stats["faults"], stats["billed"], stats["good"]) == (2, {fault: 2}, {}, {})


GOOD = respond(body(shows("question"), "river 0"))


@pytest.mark.parametrize("fault", sorted(CONTENT_FAULTS))
def test_faults_of_the_text_are_billed(fault: str) -> None:
    with FaultyServer(fault_share=1, faults=fault) as server:
        ((_, answer), _) = shapes(server, 1)
        stats = server.stats()
    choice = answer["choices"][0]
    assert choice["message"]["content"] != GOOD
    assert choice["finish_reason"] == ("length" if fault in ("cut-off", "unclosed-think") else "stop")
    assert stats["billed"]["answers"] == 2
    assert stats["billed"]["prompt"] == 2 * answer["usage"]["prompt_tokens"]
    assert list(stats["good"].values()) == ([2] if fault == "closed-think" else [])


@pytest.mark.parametrize("fault", ["quick-drip", "slow-drip"])
def test_a_drip_is_a_good_answer_to_the_patient(fault: str) -> None:
    with FaultyServer(fault_share=1, faults=fault, **OPTIONS) as server:
        ((status, answer), _) = shapes(server, 1)
        assert list(server.stats()["good"].values()) == [2]
    assert (status, answer["choices"][0]["message"]["content"]) == (200, GOOD)


def test_statistics_can_be_forgotten() -> None:
    with FaultyServer(fault_share=0) as server:
        shapes(server, 3)
        assert server.stats()["requests"] == 6
        server.reset()
        assert server.stats() == {"requests": 0, "faults": {}, "billed": {}, "good": {}}
