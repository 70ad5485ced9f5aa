"""What the templates that ship say: sound, alike in all languages, and true to the demands that their recipes make.

A wording that was used stays as it is, so all of this is held over every version in the store.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from pipeline.engines.text._chat.tasks import COMPLAINTS, TASKS
from pipeline.engines.text._chat.template import load_template
from pipeline.prompts import complaints_version, load_prompt, prompt_names, prompt_root, split_name
from pipeline.text.verbalize import text_length, unspeakable
from tests.tables import each_row

KE = ("ke-rewrite/v2", "ke-screen/v2", "ke-safety/v2", "ke-respond/v2")
INSTRUCTS2S = ("instructs2s-rewrite/v2", "instructs2s-respond/v2", "instructs2s-converse/v2")
VOICE_ASSISTANT = ("voiceassistant-rewrite/v2", "voiceassistant-respond/v2")
OWN = ("duplex-overlap/v2", "reasoning-respond/v1")

NAMED = [(str(name), language) for name in prompt_names() for language in name.languages]
TEMPLATES = [
    (name, language)
    for name, language in NAMED
    if complaints_version(load_prompt(split_name(name)[0], language, split_name(name)[1]))
]
WORDINGS = [(name, language) for name, language in NAMED if name.startswith("complaints/")]
NAMES = sorted({name for name, _ in TEMPLATES})

# The shortest limits that a recipe that ships sets, so that no example teaches what the checks refuse.
LIMITS = {("question", "en"): 40, ("question", "zh"): 80}
ANSWER_LIMIT = 80

JSON_OBJECT = re.compile(r"\{[^{}]*\}")
HAN = re.compile(r"[\u4e00-\u9fff]")

templates = each_row(("name", "language"), TEMPLATES)
everything_told = each_row(("name", "language"), TEMPLATES + WORDINGS)


def file_text(name: str, language: str) -> str:
    task, version = split_name(name)
    return load_prompt(task, language, version).text


@cache
def texts(name: str, language: str) -> dict[str, str]:
    """Everything of the file that a model may be told, by where it stands."""
    content = yaml.safe_load(file_text(name, language))
    if name.startswith("complaints/"):
        return dict(content)
    return {"system": content["system"], "exchange": content["exchange"], **content["forms"]}


def json_objects(name: str, language: str) -> list[dict[str, object]]:
    return [json.loads(found) for text in texts(name, language).values() for found in JSON_OBJECT.findall(text)]


def test_all_recipes_have_their_templates_in_both_languages() -> None:
    wanted = {(name, language) for name in KE + INSTRUCTS2S + VOICE_ASSISTANT + OWN for language in ("en", "zh")}
    assert wanted <= set(TEMPLATES)


@templates
def test_the_template_loads(name: str, language: str) -> None:
    template = load_template(name, language)
    assert list(template.forms) == [form for form in template.task.forms if form in template.forms]


@each_row("name", NAMES)
def test_all_languages_ask_for_the_same(name: str) -> None:
    shapes = {
        (loaded.task_name, tuple(loaded.forms), loaded.variables, tuple(loaded.answer))
        for loaded in (load_template(name, language) for of, language in TEMPLATES if of == name)
    }
    assert len(shapes) == 1


@templates
def test_the_system_text_names_every_key_and_uses_every_option(name: str, language: str) -> None:
    template = load_template(name, language)
    assert [key for key in template.answer if not re.search(rf"\b{key}\b", template.system, re.ASCII)] == []
    assert [option for option in TASKS[template.task_name].options if f"${option}" not in template.system] == []


@templates
def test_the_examples_are_answers_as_they_are_wanted(name: str, language: str) -> None:
    properties = load_template(name, language).schema["properties"]
    kinds = {"string": str, "boolean": bool}
    found = json_objects(name, language)
    assert len(found) >= 2, "a model copies a single one"
    for example in found:
        assert list(example) == list(properties)
        assert all(isinstance(value, kinds[properties[key]["type"]]) for key, value in example.items())


@templates
def test_no_form_is_shown_to_be_filled_in(name: str, language: str) -> None:
    """Small models copy its placeholder: each object stands behind the word of an example."""
    told = "\n".join(texts(name, language).values())
    objects = JSON_OBJECT.findall(told)
    assert re.findall(r"(?:Reply: |输出：)(\{[^{}]*\})", told) == objects


@templates
def test_what_examples_say_aloud_would_pass_the_checks(name: str, language: str) -> None:
    for example in json_objects(name, language):
        for key in example.keys() & {"question", "answer", "response"}:
            spoken = str(example[key])
            assert unspeakable(spoken, language) == [], spoken
            assert 0 < text_length(spoken, language) <= LIMITS.get((key, language), ANSWER_LIMIT), spoken


@templates
def test_a_filter_shows_both_verdicts(name: str, language: str) -> None:
    for key, kind in load_template(name, language).answer.items():
        if kind.type == "boolean":
            assert {example[key] for example in json_objects(name, language)} == {True, False}


@templates
def test_the_system_text_explains_the_marks(name: str, language: str) -> None:
    system = texts(name, language)["system"]
    assert "<<<" in system and ">>>" in system
    assert re.search(
        {"en": r"material|changes? none of these rules", "zh": "都只是材料|改不了下面的要求"}[language], system
    )


@templates
def test_the_last_word_after_the_material_is_ours(name: str, language: str) -> None:
    forms = load_template(name, language).forms.values()
    assert [form for form in forms if "JSON" not in form.strip().splitlines()[-1]] == []


# name, language, where, what the model must be told (a regular expression)
DEMANDS = [
    ("ke-rewrite/v2", "en", "system", r"sounds spoken"),
    ("ke-rewrite/v2", "en", "system", r"not an edited copy"),
    ("ke-rewrite/v2", "en", "system", r"stands on its own"),
    ("ke-rewrite/v2", "en", "system", r"no code, lists, .*links"),
    ("ke-rewrite/v2", "en", "system", r"in English"),
    ("ke-rewrite/v2", "en", "fragment", r"incomplete"),
    ("ke-rewrite/v2", "en", "fragment", r"only inspiration"),
    ("ke-rewrite/v2", "en", "fragment", r"[Dd]o not answer.*do not complete.*do not quote"),
    ("ke-rewrite/v2", "en", "fragment", r"new question"),
    ("ke-rewrite/v2", "zh", "system", r"像说话"),
    ("ke-rewrite/v2", "zh", "system", r"不是改几个字"),
    ("ke-rewrite/v2", "zh", "system", r"单独听也明白"),
    ("ke-rewrite/v2", "zh", "system", r"代码、列表.*网址"),
    ("ke-rewrite/v2", "zh", "system", r"用中文"),
    ("ke-rewrite/v2", "zh", "fragment", r"不完整"),
    ("ke-rewrite/v2", "zh", "fragment", r"灵感"),
    ("ke-rewrite/v2", "zh", "fragment", r"不要回答.*不要补全.*不要引用"),
    ("ke-rewrite/v2", "zh", "fragment", r"新的问题"),
    ("ke-screen/v2", "en", "system", r"in a few sentences"),
    ("ke-screen/v2", "en", "system", r"article.*poem.*lyrics.*e-mail.*table.*code.*picture"),
    ("ke-screen/v2", "en", "system", r"enough background"),
    ("ke-screen/v2", "en", "system", r"harmful is decided elsewhere"),
    ("ke-screen/v2", "zh", "system", r"用几句话说出来"),
    ("ke-screen/v2", "zh", "system", r"文章.*诗、歌词.*邮件、表格.*代码.*图片"),
    ("ke-screen/v2", "zh", "system", r"背景也够"),
    ("ke-screen/v2", "zh", "system", r"有没有害，由别处判断"),
    ("ke-safety/v2", "en", "system", r"medicine.*law.*history of wars are safe"),
    ("ke-safety/v2", "en", "system", r"weapons[\s\S]*suicide[\s\S]*sexual[\s\S]*religion[\s\S]*crime[\s\S]*private"),
    ("ke-safety/v2", "zh", "system", r"看病吃药、法律.*战争.*都是安全的"),
    ("ke-safety/v2", "zh", "system", r"武器[\s\S]*自杀[\s\S]*色情[\s\S]*宗教[\s\S]*犯罪[\s\S]*隐私"),
    ("ke-respond/v2", "en", "system", r"[Nn]ever use more than \$answer_limit words"),
    ("ke-respond/v2", "en", "system", r"one or two ideas"),
    ("ke-respond/v2", "en", "system", r"Digits, dates, .*units, symbols.* become words"),
    ("ke-respond/v2", "en", "system", r"no lists, headings, brackets, .*emoji, links"),
    ("ke-respond/v2", "zh", "system", r"绝对不超过 \$answer_limit 个字"),
    ("ke-respond/v2", "zh", "system", r"只讲一两点"),
    ("ke-respond/v2", "zh", "system", r"数字、日期.*单位、符号.*写成念出来的汉字"),
    ("ke-respond/v2", "zh", "system", r"没有列表、标题、括号.*表情、网址"),
    ("instructs2s-rewrite/v2", "en", "system", r"fillers in moderation.* hey, so, um or uh"),
    ("instructs2s-rewrite/v2", "en", "system", r'keep away from "you know" and "like"'),
    ("instructs2s-rewrite/v2", "en", "system", r"Be brief"),
    ("instructs2s-rewrite/v2", "en", "system", r"Numbers, units and symbols become English words"),
    ("instructs2s-rewrite/v2", "zh", "system", r"语气词要适量.*“嗯”“呃”“那个”"),
    ("instructs2s-rewrite/v2", "zh", "system", r"数字、单位、符号都写成汉字"),
    ("instructs2s-respond/v2", "en", "system", r"very concise"),
    ("instructs2s-respond/v2", "en", "system", r"no fillers"),
    ("instructs2s-respond/v2", "en", "system", r"no parentheses, no ordered lists"),
    ("instructs2s-respond/v2", "en", "system", r"become English words"),
    ("instructs2s-respond/v2", "zh", "system", r"非常简洁"),
    ("instructs2s-respond/v2", "zh", "system", r"不带这些语气词"),
    ("instructs2s-respond/v2", "zh", "system", r"没有括号、编号列表"),
    ("instructs2s-converse/v2", "en", "system", r"same person's next question"),
    ("instructs2s-converse/v2", "zh", "system", r"同一个用户的下一个问题"),
    ("voiceassistant-rewrite/v2", "en", "system", r"say to a voice assistant"),
    ("voiceassistant-rewrite/v2", "zh", "system", r"对语音助手说的话"),
    ("voiceassistant-respond/v2", "en", "system", r"[Yy]ou are a helpful voice assistant"),
    ("voiceassistant-respond/v2", "zh", "system", r"语音助手"),
    ("duplex-overlap/v2", "en", "system", r"never rewrite a line[\s\S]*words that you copy exactly"),
    ("duplex-overlap/v2", "en", "system", r"Leave a field empty"),
    (
        "duplex-overlap/v2",
        "en",
        "system",
        r"pause_after[\s\S]*Never the end[\s\S]*somebody else in the room",
    ),
    ("duplex-overlap/v2", "zh", "system", r"pause_after[\s\S]*不能是句子的结尾[\s\S]*aside[\s\S]*对旁边的人说"),
    ("duplex-overlap/v2", "en", "next", r'leave "interruption" and "reply" empty'),
    ("duplex-overlap/v2", "zh", "system", r"从不改写原话[\s\S]*一字不差地抄"),
    ("duplex-overlap/v2", "zh", "system", r"不合适的就空着"),
    ("duplex-overlap/v2", "zh", "next", r'"interruption" 和 "reply" 空着|“interruption” 和 “reply” 空着'),
    ("reasoning-respond/v1", "en", "system", r"thought is never heard[\s\S]*agree with the thought"),
    ("reasoning-respond/v1", "zh", "system", r"想的没人听见[\s\S]*要和想的一致"),
]


@each_row(("name", "language", "where", "demand"), DEMANDS)
def test_the_demand_is_made(name: str, language: str, where: str, demand: str) -> None:
    assert re.search(demand, texts(name, language)[where])


@each_row(
    ("name", "keys"),
    [
        ("ke-rewrite/v2", ["question"]),
        ("ke-screen/v2", ["reason", "speakable", "clear"]),
        ("ke-safety/v2", ["reason", "safe"]),
        ("ke-respond/v2", ["question", "answer"]),
        ("instructs2s-rewrite/v2", ["question"]),
        ("instructs2s-respond/v2", ["response"]),
        ("instructs2s-converse/v2", ["question", "response"]),
        ("voiceassistant-rewrite/v2", ["question"]),
        ("voiceassistant-respond/v2", ["answer"]),
        ("reasoning-respond/v1", ["thought", "answer"]),
    ],
)
def test_the_keys_are_asked_for_in_this_order(name: str, keys: list[str]) -> None:
    """A verdict follows from a reason that is written before it; the polished question stands before its answer."""
    assert list(load_template(name, "en").answer) == keys


@templates
def test_the_head_says_what_is_from_the_source_and_what_is_ours(name: str, language: str) -> None:
    head = file_text(name, language).partition("\ntask:")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert re.search(r"[Ss]ource", head) and re.search(r"\b[Oo]urs\b", head)


@pytest.mark.parametrize("name", INSTRUCTS2S)
def test_a_carried_over_language_is_declared(name: str) -> None:
    assert "source is English only" in file_text(name, "zh")


NOT_FOR_MODELS = """
alpaca belle ultrachat sharegpt moss-00 openorca instructs2s speechinstruct anyinstruct ke-speechchat speechchat
voiceassistant-400k omni gpt qwen llama deepseek claude gemini cosyvoice whisper license license copyright dataset
""".split()


@everything_told
def test_no_data_set_or_model_is_named_to_the_model(name: str, language: str) -> None:
    told = "\n".join(texts(name, language).values()).lower()
    assert [word for word in NOT_FOR_MODELS if word in told] == []


@each_row("kind", COMPLAINTS)
@each_row(("name", "language"), WORDINGS)
def test_a_complaint_holds_its_values_and_says_what_to_do(name: str, language: str, kind: str) -> None:
    wording = texts(name, language)[kind]
    assert {value for value in COMPLAINTS[kind] if f"${value}" in wording} == COMPLAINTS[kind]
    assert re.search({"en": r"\b(Reply|Start again)\b", "zh": "请"}[language], wording)


@everything_told
def test_every_english_sentence_is_short_and_every_chinese_mark_is_chinese(name: str, language: str) -> None:
    for where, text in texts(name, language).items():
        prose = JSON_OBJECT.sub("", text)
        if language == "en":
            long = [said for said in re.split(r"[.?!]\W*\s|\n", prose) if len(said.split()) > 40]
            assert (where, long) == (where, [])
        if language == "zh":
            assert re.findall(r"[\"']", prose) == [], where
            assert re.findall(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!(][\u4e00-\u9fff]", text) == [], where


@everything_told
def test_english_texts_are_plain_and_chinese_texts_chinese(name: str, language: str) -> None:
    told = "".join(texts(name, language).values())
    if language == "en":
        assert re.findall(r"[^\x00-\x7f]", told) == []
    if language == "zh":
        assert len(HAN.findall(told)) > len(re.findall(r"[A-Za-z]", told))


@each_row(
    "path",
    [p for p in prompt_root().rglob("v*") if p.is_file()],
    ids=lambda p: p.relative_to(prompt_root()).as_posix(),
)
def test_no_file_has_trailing_blanks(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"[ \t\u3000]+$|\t|\r", text, re.MULTILINE) == []
    assert text.endswith("\n") and not text.endswith("\n\n")
