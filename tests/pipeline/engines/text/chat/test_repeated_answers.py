"""A model that says the same again, or what its prompt says; and a job whose first requests all fail."""

from collections.abc import Callable

import pytest
from chat_doubles import GOOD, SPENT, FakeChat, ask, make_store, reply, scripted

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import ChatRequest, Failure, TextAnswer
from pipeline.engines.text._chat.examples import find_examples
from pipeline.engines.text._chat.generator import Asked, PromptedGenerator
from pipeline.engines.text._chat.parse import repeated_field
from pipeline.engines.text._chat.template import load_template
from tests.tables import each_row

pytestmark = pytest.mark.timeout(60)

Open = Callable[..., PromptedGenerator]
LONG = '{"question": "one two three four"}'
LOST_WAY = "I would say that this is very much a question of taste, and I cannot put it any other way."


@pytest.mark.parametrize(
    ("on_repeat", "answers", "temperatures"),
    [
        ("warmer", ["a", "a", GOOD], [None, None, 1.2]),
        ("warmer", ["a", "b", "c", GOOD], [None, None, None, None]),
        ("warmer", [LOST_WAY, LOST_WAY.replace("much", "very"), GOOD], [None, None, 1.2]),
        # It has copied the prompt, or run in circles, and a word of it does not help.
        ("warmer", ["<think>a", "<think>quite another", GOOD], [None, None, 1.2]),
        # Warmer, and still the same: nothing will help.
        ("warmer", ["a", "a", "a", GOOD], [None, None, 1.2]),
        ("stop", ["a", "a", GOOD], [None, None]),
    ],
)
def test_the_same_bad_answer_again(
    open_generator: Open, on_repeat: str, answers: list[str], temperatures: list[float | None]
) -> None:
    model = scripted(*map(reply, answers))
    (answer,) = open_generator(model, on_repeat=on_repeat).generate([ask(retries=9)])
    assert [request.temperature for request in model.requests] == temperatures
    assert isinstance(answer, TextAnswer) == (len(model.requests) == len(answers))


def test_after_the_same_bad_answer_the_model_is_asked_as_if_for_the_first_time(open_generator: Open) -> None:
    model = scripted(reply("a"), reply("a"), reply("b"), reply(GOOD))
    open_generator(model).generate([ask(retries=9)])
    first, second, third, fourth = model.requests
    assert [message.content for message in second.messages[2:]] == ["a", "Only an object with question."]
    assert third.messages == first.messages and third.seed != first.seed
    assert [message.content for message in fourth.messages[2:]] == ["b", "Only an object with question."]


def test_an_answer_that_broke_off_is_not_shown_again(open_generator: Open) -> None:
    model = scripted(reply("<think>one, two, one, two, one, two"), reply(GOOD))
    open_generator(model).generate([ask()])
    first, second = model.requests
    assert second.messages[0] == first.messages[0]
    assert [message.content for message in second.messages[1:]] == [f"{first.messages[1].content}\n\nIt broke off."]


TEXTS = {
    "system": """Write a question.
1. Ask about the sea, the coast, or the ships that pass by.
Reply with one JSON object: {"question": "the spoken question", "reason": "a few words"}

Example request: The old lighthouse keeper went home in autumn, and nobody came after him.
Reply: {"question": "Why do lighthouses have no keepers any more?", "reason": "short, and nothing is missing"}
""",
    "form": "Here:\n$instruction",
}
EXAMPLES = find_examples(TEXTS)


def test_examples_are_found_in_the_text_of_a_template() -> None:
    assert EXAMPLES.replies == (
        "the spoken question",
        "a few words",
        "Why do lighthouses have no keepers any more?",
        "short, and nothing is missing",
    )
    assert EXAMPLES.requests == ("The old lighthouse keeper went home in autumn, and nobody came after him.",)
    assert "1. Ask about the sea, the coast, or the ships that pass by." in EXAMPLES.rules


@each_row(
    ("said", "instruction", "repeated"),
    [
        ("Why do lighthouses have no keepers any more?", "Reword this sentence.", True),
        ("why do lighthouses have no keeper any more", "Reword this sentence.", True),
        ("The spoken question.", "Reword this sentence.", True),
        ("What did the old lighthouse keeper do next?", "Reword this sentence.", True),
        # Another beginning does not make it a question of its own.
        ("Why do some bays have no keepers any more?", "Reword this sentence.", True),
        # Nor does leaving words out.
        ("Why do lighthouses have keepers?", "Reword this sentence.", True),
        # The row itself is about it.
        ("Why do lighthouses have no keepers any more?", "Explain why lighthouses have no keepers today.", False),
        ("What did the old lighthouse keeper do?", "Tell me about the old lighthouse keeper of the bay.", False),
        ("What do lighthouses do in fog?", "Reword this sentence.", False),
        ("Why do cats have no fear any more?", "Reword this sentence.", False),
    ],
)
def test_a_question_that_repeats_an_example(said: str, instruction: str, repeated: bool) -> None:
    request = ask(instruction)
    assert (repeated_field({"question": said}, EXAMPLES, request) == "question") == repeated


@each_row(
    ("reason", "repeated"),
    [
        ("a few words", True),
        ("A few words.", True),
        ("Short, and nothing is missing!", True),
        ("ask about the sea, the coast, or the ships that pass by", True),
        ("it asks about ships", False),
        ("asks for a poem", False),
        ("nothing is missing, and a cook would know", False),
        ("", False),
    ],
)
def test_a_reason_that_repeats_the_form_is_no_judgment(reason: str, repeated: bool) -> None:
    values = {"reason": reason, "clear": True}
    assert (repeated_field(values, EXAMPLES, ask("What is tea?")) == "reason") == repeated


@each_row("language", ["en", "zh"])
@each_row("name", ["ke-rewrite/v2", "ke-respond/v2", "instructs2s-rewrite/v2", "instructs2s-converse/v2"])
def test_a_model_that_parrots_the_shipped_examples_is_refused(name: str, language: str) -> None:
    template = load_template(name, language)
    fields = {key.field for key in template.answer.values() if key.type == "string"}
    request = ask("Describe the moon.", task=template.task_name)
    assert len(template.examples.replies) >= 2 and template.examples.requests
    for shown in template.examples.replies:
        assert repeated_field(dict.fromkeys(fields, shown), template.examples, request), shown


def test_a_parrot_is_asked_afresh_and_warmer(tmp_path: object) -> None:
    store = make_store(tmp_path, rewrite=PARROTED)  # type: ignore[arg-type]
    model = scripted(reply('{"question": "How deep is the lake?"}'), reply(GOOD))
    generator = PromptedGenerator(model, Asked(), store)
    try:
        assert generator.generate([ask()]) == [TextAnswer({"question": "What now?"}, SPENT + SPENT)]
        first, second = model.requests
        assert (second.messages, second.temperature) == (first.messages, 1.2)
        model = scripted(reply('{"question": "How deep is the lake?"}'), reply(GOOD))
        talker = PromptedGenerator(model, Asked(on_repeat="stop"), store)
        talker.generate([ask()])
        talker.close()
        assert model.requests[1].messages[-1].content == "question was said."
        model = scripted(*[reply('{"question": "How deep is the lake?"}')] * 3)
        parrot = PromptedGenerator(model, Asked(), store)
        (failure,) = parrot.generate([ask()])
        parrot.close()
    finally:
        generator.close()
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.detail) == (
        Reason.TEXT_ENGINE_FAILED,
        "question: repeats the prompt's example",
    )


def test_an_answer_that_holds_a_mark_of_the_prompt_is_asked_again(open_generator: Open) -> None:
    async def marked(request: ChatRequest) -> object:
        tag = request.messages[1].content.partition("<<<")[2][:8]
        return reply(f'{{"question": "What is {tag}?"}}')

    (failure,) = open_generator(FakeChat(marked)).generate([ask(retries=0)])  # type: ignore[arg-type]
    assert isinstance(failure, Failure) and failure.detail == "question: repeats the prompt's marks"


PARROTED = """\
task: rewrite
complaints: v1
system: |
  Ask it aloud in $max_length words. JSON key question.
  Example request: Depth of lake.
  Reply: {"question": "How deep is the lake?"}
exchange: "$question $answer"
forms: {whole: "$instruction", next: "$history $instruction"}
answer: {question: string}
"""


def always(text: str) -> FakeChat:
    async def answer(request: ChatRequest) -> object:
        return reply(text)

    return FakeChat(answer)  # type: ignore[arg-type]


def test_first_requests_that_all_fail_for_one_cause_end_the_engine(open_generator: Open) -> None:
    generator = open_generator(always("prose"), give_up_after=3)
    assert len(generator.generate([ask(retries=0)] * 2)) == 2
    with pytest.raises(EngineUnavailable, match=r"^fake: fake 1: the first 3 requests all failed .* malformed: keys"):
        generator.generate([ask(retries=0)])
    with pytest.raises(EngineUnavailable):
        generator.generate([ask(retries=0)])


def test_the_cause_is_told_before_so_many_have_failed(open_generator: Open, caplog: pytest.LogCaptureFixture) -> None:
    generator = open_generator(always("prose"), give_up_after=20)
    generator.generate([ask(retries=0)] * 2)
    assert caplog.messages == []
    generator.generate([ask(retries=0)] * 3)
    (told,) = caplog.messages
    assert "so far every request has failed for one cause, malformed: keys" in told


@each_row(
    "answers",
    [
        [GOOD, "prose", "prose", "prose", "prose"],
        ["prose", GOOD, "prose", "prose", "prose"],
        ["prose", "<think>", "prose", "prose", "prose"],
    ],
)
def test_one_good_answer_or_two_causes_let_the_job_go_on(answers: list[str], tmp_path_factory: object) -> None:
    store = make_store(tmp_path_factory.mktemp("store"))  # type: ignore[attr-defined]
    generator = PromptedGenerator(scripted(*map(reply, answers)), Asked(give_up_after=3), store)
    try:
        for _ in answers:
            generator.generate([ask(retries=0)])
    finally:
        generator.close()


def test_what_depends_on_the_rows_ends_no_job(open_generator: Open) -> None:
    generator = open_generator(scripted(*[Failure(Reason.TOO_LONG, "9 tokens")] * 4), give_up_after=2)
    assert [answer.reason for answer in generator.generate([ask()] * 4)] == [Reason.TOO_LONG] * 4  # type: ignore[union-attr]


def test_nothing_is_counted_where_the_recipe_says_so(open_generator: Open) -> None:
    assert len(open_generator(always("prose"), give_up_after=0).generate([ask(retries=0)] * 30)) == 30
