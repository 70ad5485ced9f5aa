"""Conversations with language models, word for word, and many of them at once."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_doubles import GOOD, SPENT, Answer, FakeChat, ask, echo, reply, scripted

from manifests.reasons import Reason
from pipeline.engines.contract import ChatMessage, ChatRequest, Complaint, Failure, TextAnswer, Tokens
from pipeline.engines.text._chat.generator import Guided, PromptedGenerator

pytestmark = pytest.mark.timeout(60)  # no test here may hang

Open = Callable[..., PromptedGenerator]

SYSTEM = ChatMessage("system", "Ask it aloud in 60 words. JSON key question.")
SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


async def echo_soon(request: ChatRequest) -> Answer:
    # The first request is not the first to be answered.
    await asyncio.sleep(0.02 / (1 + len(request.messages[1].content.split("\n")[2])))
    return echo(request)


def short(fields: Mapping[str, str]) -> Complaint | None:
    length = len(fields["question"].split())
    values = {"field": "question", "length": str(length), "limit": "3"}
    return Complaint(Reason.TOO_LONG, "too_long", values) if length > 3 else None


def test_a_good_answer_takes_one_request(open_generator: Open) -> None:
    model = scripted(reply(GOOD))
    generator = open_generator(model)
    assert generator.generate([ask()]) == [TextAnswer({"question": "What now?"}, SPENT)]
    assert (generator.name, generator.version) == ("fake", "fake 1")
    (request,) = model.requests
    tag = request.messages[1].content[15:23]
    user = ChatMessage("user", f"Here it is:\n<<<{tag}\nSay it.\n{tag}>>>")
    assert request == ChatRequest((SYSTEM, user), 7, None)


def test_each_further_try_appends_the_answer_and_the_complaint(open_generator: Open) -> None:
    model = scripted(reply("Well."), reply('{"question": "one two three four"}'), reply(GOOD))
    answers = open_generator(model).generate([ask(check=short)])
    assert answers == [TextAnswer({"question": "What now?"}, SPENT + SPENT + SPENT)]
    first, second, third = model.requests
    assert second.messages == (
        *first.messages,
        ChatMessage("assistant", "Well."),
        ChatMessage("user", "Only an object with question."),
    )
    assert third.messages == (
        *second.messages,
        ChatMessage("assistant", '{"question": "one two three four"}'),
        ChatMessage("user", "question has 4, more than 3."),
    )


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("x" * 5_000, "x" * 1_000),
        ("", "{}"),
        (" \n", "{}"),
        ("stop <|im_end|> here", "stop < |im_end| > here"),
        ("half \ud800", "half \ufffd"),
    ],
)
def test_the_quote_of_a_bad_answer_is_short_and_harmless(open_generator: Open, text: str, quoted: str) -> None:
    model = scripted(reply(text), reply(GOOD))
    open_generator(model).generate([ask()])
    assert model.requests[1].messages[2] == ChatMessage("assistant", quoted)


@pytest.mark.parametrize(
    ("seed", "seeds"),
    [
        (7, [7, 8, 9]),
        (2**31 - 1, [2**31 - 1, 0, 1]),
        (2**62 + 5, [5, 6, 7]),
        (0, [0, 1, 2]),
    ],
)
def test_each_try_has_a_seed_of_its_own(open_generator: Open, seed: int, seeds: list[int]) -> None:
    model = scripted(reply("a"), reply("b"), reply("c"))
    open_generator(model).generate([ask(seed=seed)])
    assert [request.seed for request in model.requests] == seeds


@pytest.mark.parametrize(
    ("guided", "answers", "held"),
    [
        ("on_failure", ["prose", "prose", GOOD], [False, True, True]),
        ("on_failure", ["prose", '{"question": ""}', GOOD], [False, True, True]),
        ("on_failure", ['{"question": ""}', "prose", GOOD], [False, False, True]),
        ("on_failure", ['{"question": "one two three four"}', '{"question": ""}', GOOD], [False, False, False]),
        ("on_failure", ["<think>", "<think>a", GOOD], [False, False, False]),
        ("on_failure", ["{", "<think>", GOOD], [False, True, True]),
        ("always", ["prose", GOOD], [True, True]),
        ("never", ["prose", GOOD], [False, False]),
    ],
)
def test_tries_that_are_held_to_the_schema(
    open_generator: Open, guided: Guided, answers: list[str], held: list[bool]
) -> None:
    model = scripted(*map(reply, answers))
    open_generator(model, guided).generate([ask(check=short)])
    assert [request.schema for request in model.requests] == [SCHEMA if one else None for one in held]


@pytest.mark.parametrize(
    ("answers", "reason", "detail"),
    [
        (["a", "b", "c"], Reason.TEXT_ENGINE_FAILED, "malformed: keys question"),
        (["a", "b", '{"question": " "}'], Reason.TEXT_ENGINE_FAILED, "empty: field question"),
        (["a", "b", "<think>"], Reason.TEXT_ENGINE_FAILED, "cut off"),
        (["a", "b", '{"question": "a b c d"}'], Reason.TOO_LONG, "too long: field question, length 4, limit 3"),
    ],
)
def test_the_last_complaint_becomes_the_failure(
    open_generator: Open, answers: list[str], reason: Reason, detail: str
) -> None:
    model = scripted(*map(reply, answers))
    expected = Failure(reason, detail, SPENT + SPENT + SPENT)
    assert open_generator(model).generate([ask(check=short)]) == [expected]


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (4, 5)])
def test_the_number_of_tries(open_generator: Open, retries: int, tries: int) -> None:
    model = scripted(*(reply(f"no {number}") for number in range(9)))
    open_generator(model).generate([ask(retries=retries)])
    assert len(model.requests) == tries


LOST = Tokens(requests=1, prompt=3)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([Failure(Reason.REFUSED, "no", LOST)], Failure(Reason.REFUSED, "no", LOST)),
        ([Failure(Reason.TOO_LONG, "9 tokens", LOST)], Failure(Reason.TOO_LONG, "9 tokens", LOST)),
        ([reply("a"), Failure(Reason.REFUSED, "no", LOST)], Failure(Reason.REFUSED, "no", SPENT + LOST)),
        (
            [reply("a"), Failure(Reason.TEXT_ENGINE_FAILED, "bad", LOST)],
            Failure(Reason.TEXT_ENGINE_FAILED, "bad", SPENT + LOST),
        ),
        # The row was short enough; only the conversation became too long.
        (
            [reply("a"), Failure(Reason.TOO_LONG, "9 tokens", LOST)],
            Failure(Reason.TEXT_ENGINE_FAILED, "malformed: keys question", SPENT + LOST),
        ),
    ],
)
def test_a_failure_of_the_model_is_not_retried(open_generator: Open, answers: list[Answer], expected: Failure) -> None:
    model = scripted(*answers)
    assert open_generator(model).generate([ask()]) == [expected]
    assert len(model.requests) == len(answers)


def test_fields_are_those_of_the_task_and_the_check_sees_them(open_generator: Open) -> None:
    seen: list[Mapping[str, str]] = []

    def look(fields: Mapping[str, str]) -> None:
        seen.append(fields)

    model = scripted(reply('{"reason": "a poem", "speakable": "no", "clear": true}'), reply('{"response": "So."}'))
    generator = open_generator(model)
    screen = ask(task="screen", prompt="screen/v1", form="first", variables={"question": "q"}, options={}, check=look)
    respond = ask(
        task="respond", prompt="respond/v1", form="first", variables={"question": "q"}, options={"answer_limit": 9}
    )
    verdict = {"verdict": "not_speakable", "detail": "a poem"}
    assert generator.generate([screen]) == [TextAnswer(verdict, SPENT)]
    assert generator.generate([respond]) == [TextAnswer({"answer": "So."}, SPENT)]
    assert seen == [verdict]


def test_no_requests_give_no_answers(open_generator: Open) -> None:
    assert open_generator(scripted()).generate([]) == []


def test_answers_come_in_the_order_of_the_requests(open_generator: Open) -> None:
    names = [f"{'x' * (i % 7)}{i}" for i in range(100)]
    answers = open_generator(FakeChat(echo_soon)).generate([ask(name) for name in names])
    assert [answer.fields["question"] for answer in answers if isinstance(answer, TextAnswer)] == names


def test_all_requests_of_a_call_are_in_flight_together(open_generator: Open) -> None:
    model: FakeChat

    async def all_or_none(request: ChatRequest) -> Answer:
        while len(model.requests) < 50:
            await asyncio.sleep(0.001)
        return echo(request)

    model = FakeChat(all_or_none)
    assert len(open_generator(model).generate([ask(str(i)) for i in range(50)])) == 50


def test_conversations_do_not_wait_for_one_another(open_generator: Open) -> None:
    done = asyncio.Event()

    async def second_first(request: ChatRequest) -> Answer:
        if "slow" in request.messages[1].content:
            await done.wait()
            return reply(GOOD)
        if len(request.messages) == 6:
            done.set()  # only the last try of the other conversation releases the slow one
            return reply(GOOD)
        return reply("no" if len(request.messages) == 2 else "never")

    answers = open_generator(FakeChat(second_first)).generate([ask("slow"), ask("quick")])
    expected = {"question": "What now?"}
    assert answers == [TextAnswer(expected, SPENT), TextAnswer(expected, SPENT + SPENT + SPENT)]


def test_eight_threads_at_once(open_generator: Open) -> None:
    model: FakeChat

    async def when_all_threads_ask(request: ChatRequest) -> Answer:
        while len(model.requests) < 8 * 5:
            await asyncio.sleep(0.001)
        return echo(request)

    model = FakeChat(when_all_threads_ask)
    generator = open_generator(model)

    def call(thread: int) -> list[str]:
        answers = generator.generate([ask(f"{thread} {i}") for i in range(5)])
        return [answer.fields["question"] for answer in answers if isinstance(answer, TextAnswer)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(call, range(8))) == [[f"{t} {i}" for i in range(5)] for t in range(8)]
    assert model.started == 1
