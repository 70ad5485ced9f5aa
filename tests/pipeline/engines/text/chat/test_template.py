"""Templates: what a model is told, and everything that makes a template unfit."""

from pathlib import Path

import pytest
from chat_doubles import COMPLAINTS, RESPOND, REWRITE, make_store

from manifests.errors import LawBroken, UserError
from manifests.reasons import Reason
from pipeline.engines.contract import ChatMessage, Complaint, TextRequest
from pipeline.engines.text._chat.template import load_template


def ask(form: str = "whole", **changes: object) -> TextRequest:
    settings: dict[str, object] = {
        "task": "rewrite",
        "language": "en",
        "variables": {"instruction": "List $5 {things}"},
        "seed": 1,
        "options": {"max_length": 60, "fillers": True},
        "form": form,
    }
    return TextRequest(**(settings | changes))  # type: ignore[arg-type]


def block(text: str, message: str) -> str:
    """Return the text as it must stand in the message, with the tag that is used there."""
    tag = message[message.index("<<<") + 3 :][:8]
    return f"<<<{tag}\n{text}\n{tag}>>>"


def test_a_prompt_is_a_shared_system_message_and_the_material(tmp_path: Path) -> None:
    template = load_template("rewrite/v1", "en", make_store(tmp_path))
    system, user = template.messages(ask())
    assert system == ChatMessage("system", "Ask it aloud in 60 words. JSON key question.")
    assert user == ChatMessage("user", "Here it is:\n" + block("List $5 {things}", user.content))


def test_a_later_prompt_has_the_whole_history_between_one_pair_of_marks(tmp_path: Path) -> None:
    template = load_template("rewrite/v1", "en", make_store(tmp_path))
    history = (("Who?", "$instruction"), ("Why <|im_end|>?", "Me."))
    _, user = template.messages(ask("next", history=history))
    told = block("U: Who?\nA: $instruction\nU: Why < |im_end| >?\nA: Me.", user.content)
    assert user.content == f"{told}\nThen:\n{block('List $5 {things}', user.content)}"


def test_a_dollar_of_the_template_is_written_twice(tmp_path: Path) -> None:
    store = make_store(tmp_path, rewrite=REWRITE.replace("Ask it", "For $$5, ask it"))
    system, _ = load_template("rewrite/v1", "en", store).messages(ask())
    assert system.content.startswith("For $5, ask it aloud in 60")


def test_the_schema_takes_the_declared_keys_and_no_others(tmp_path: Path) -> None:
    assert load_template("screen/v1", "en", make_store(tmp_path)).schema == {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "speakable": {"type": "boolean"}, "clear": {"type": "boolean"}},
        "required": ["reason", "speakable", "clear"],
        "additionalProperties": False,
    }


def test_what_a_listing_shows(tmp_path: Path) -> None:
    template = load_template("rewrite/v1", "en", make_store(tmp_path))
    assert (template.name, template.language, template.task_name) == ("rewrite/v1", "en", "rewrite")
    assert (list(template.forms), template.variables) == (["whole", "next"], ("instruction",))
    assert template.form("next").history
    assert len(template.digest) == 64


def test_the_digest_covers_the_complaints(tmp_path: Path) -> None:
    first = load_template("rewrite/v1", "en", make_store(tmp_path / "a"))
    other = load_template("rewrite/v1", "en", make_store(tmp_path / "b", complaints=COMPLAINTS + "# more\n"))
    again = load_template("rewrite/v1", "en", make_store(tmp_path / "c"))
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        ("malformed", {"keys": "question"}, "Only an object with question."),
        ("cut_off", {}, "It broke off."),
        ("too_long", {"field": "answer", "length": "120", "limit": "100"}, "response has 120, more than 100."),
        ("too_long", {"field": "question", "length": "9", "limit": "8"}, "question has 9, more than 8."),
        ("unpronounceable", {"field": "answer", "characters": "# $x <|end|>"}, "response has # $x < |end| >."),
        ("unpronounceable", {"field": "answer", "characters": "a\n b" + "c" * 300}, f"response has a b{'c' * 196}."),
        ("wrong_language", {"field": "answer"}, "response is in another language."),
    ],
)
def test_a_complaint_names_fields_as_the_template_does(
    tmp_path: Path, kind: str, values: dict[str, str], sentence: str
) -> None:
    template = load_template("respond/v1", "en", make_store(tmp_path))
    assert template.complaint(Complaint(Reason.TEXT_ENGINE_FAILED, kind, values)) == sentence


@pytest.mark.parametrize(("kind", "values"), [("rude", {}), ("too_long", {"field": "answer"})])
def test_a_complaint_without_wording_is_a_bug(tmp_path: Path, kind: str, values: dict[str, str]) -> None:
    template = load_template("respond/v1", "en", make_store(tmp_path))
    with pytest.raises(LawBroken):
        template.complaint(Complaint(Reason.TOO_LONG, kind, values))


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (ask("part"), "template rewrite/v1 (en) has no form 'part'; it has whole, next"),
        (ask("fragment"), "template rewrite/v1 (en) has no form 'fragment'; it has whole, next"),
        (ask(task="screen"), "template rewrite/v1 (en) is for the task rewrite, not screen"),
        (ask(variables={}), "form whole: its variables are instruction; given are none"),
        (ask(variables={"instruction": "", "answer": ""}), "given are answer, instruction"),
        (ask("next"), "form next: it needs a history"),
        (ask(history=(("a", "b"),)), "form whole: it takes no history"),
        (ask(options={}), "no option max_length is given"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_does_not_fit_is_refused(tmp_path: Path, request_: TextRequest, problem: str) -> None:
    template = load_template("rewrite/v1", "en", make_store(tmp_path))
    with pytest.raises(UserError) as error:
        template.messages(request_)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("task: rewrite", "task: compose", "there is no task 'compose'"),
        ("task: rewrite", "", "task: Field required"),
        ("task: rewrite", "task: rewrite\ntemperature: 1", "temperature: Extra inputs are not permitted"),
        ("task: rewrite", "task: [", "not valid YAML"),
        ("complaints: v1", "complaints: 1", "complaints: Input should be a valid string"),
        ("complaints: v1", "complaints: v7", "no prompt 'complaints/en/v7' in the store"),
        ("in $max_length words", "about $instruction", "system: $instruction has no meaning here"),
        ("in $max_length words", "about $history", "system: $history has no meaning here"),
        ("in $max_length words", "in $answer_limit words", "system: $answer_limit has no meaning here"),
        ("in $max_length words", "for $5", "system: write a dollar that starts no name as $$"),
        ("  U: $question\n  A: $answer", "  $role", "exchange: $role has no meaning here"),
        ("  U: $question\n  A: $answer", "  words", "exchange must use $question or $answer"),
        ("  U: $question\n  A: $answer", "  $5", "exchange: write a dollar that starts no name as $$"),
        ("exchange: |\n  U: $question\n  A: $answer\n", "", "a form with $history needs the text of an exchange"),
        ("    Here it is:\n    $instruction", "    Well?", "form whole must use $instruction"),
        ("    Here it is:\n    $instruction", "    ", "form whole is empty"),
        ("    Here it is:", "    $fragment", "form whole: $fragment has no meaning here"),
        ("    Here it is:", "    $history", "form whole: $history has no meaning here"),
        ("    Here it is:", "    ${no such}", "form whole: write a dollar that starts no name as $$"),
        ("    $history\n", "", "form next must use $history"),
        ("  next: |", "  last: |", "form next is missing; task rewrite has no form 'last'"),
        ("answer: {question: string}", "answer: {}", "answer: question is missing"),
        ("answer: {question: string}", "answer: {question: boolean}", "answer: question is a string, not 'boolean'"),
        (
            "answer: {question: string}",
            "answer: {question: string, mood: string}",
            "answer: task rewrite has no key 'mood'",
        ),
        ("JSON key question.", "JSON.", "neither system nor form whole names the key question"),
        ("JSON key question.", "JSON key questions.", "neither system nor form next names the key question"),
    ],
)
def test_a_template_with_a_mistake_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in REWRITE
    store = make_store(tmp_path, rewrite=REWRITE.replace(old, new))
    with pytest.raises(UserError) as error:
        load_template("rewrite/v1", "en", store)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("{answer: string, response: string}", "answer and response are the same"),
        ("{question: string}", "answer or response is missing"),
        ("{answer: string}", "neither system nor form first names the key answer"),
    ],
)
def test_an_answer_has_one_name(tmp_path: Path, answer: str, problem: str) -> None:
    store = make_store(tmp_path, respond=RESPOND.replace("{response: string}", answer))
    with pytest.raises(UserError, match=problem):
        load_template("respond/v1", "en", store)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("cut_off: It broke off.\n", "", "the complaint cut_off is missing"),
        ("cut_off: ", "cutoff: x\ncut_off: ", "there is no complaint 'cutoff'"),
        ("$keys", "$field", "malformed: $field has no meaning here"),
        ("$length", "$", "too_long: write a dollar that starts no name as $$"),
        ("It broke off.", "'  '", "cut_off is empty"),
        ("It broke off.", "[a, b]", "cut_off: Input should be a valid string"),
        (COMPLAINTS, "- a list", "file: Input should be a valid dictionary"),
    ],
)
def test_complaints_with_a_mistake_are_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in COMPLAINTS
    store = make_store(tmp_path, complaints=COMPLAINTS.replace(old, new))
    with pytest.raises(UserError) as error:
        load_template("rewrite/v1", "en", store)
    assert problem in str(error.value)
    assert "complaints/en/v1.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("name", "language"),
    [("rewrite", "en"), ("rewrite/v2", "en"), ("rewrite/v1", "fr"), ("../rewrite/v1", "en"), ("rewrite/v1/x", "en")],
)
def test_a_missing_template_gives_one_line(tmp_path: Path, name: str, language: str) -> None:
    with pytest.raises(UserError) as error:
        load_template(name, language, make_store(tmp_path))
    assert "\n" not in str(error.value)


def test_a_template_that_lock_does_not_know_is_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    path = store / "rewrite" / "en" / "v1.yaml"
    path.write_text(REWRITE.replace("aloud", "loudly"), "utf-8")
    with pytest.raises(UserError, match="is not the file that LOCK describes"):
        load_template("rewrite/v1", "en", store)
