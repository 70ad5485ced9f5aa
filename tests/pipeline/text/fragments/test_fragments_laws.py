"""What holds for every fragment, whatever the row: material only, one line, within the limit, the same every time."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import UserError
from pipeline.prompts import Prompt, load_prompt
from pipeline.text.fragments import KINDS, PATTERNS, Fragment, find_fragment
from pipeline.text.fragments import patterns as wording
from pipeline.text.verbalize import text_length
from tests.tables import each_row

# Verb phrase of an order, and the order.
ORDERS = {
    "en": [
        ("summarize the", "Summarize the following text"),
        ("proofread", "Please proofread the sentences below"),
        ("sentiment of", "What is the sentiment of this passage"),
        ("translate the", "Translate the paragraph into Italian"),
        ("extract every", "Extract every name from the given text"),
    ],
    "zh": [
        ("总结", "请总结下面的文章"),
        ("改正", "改正以下句子中的语法错误"),
        ("情感", "判断这段文字的情感"),
        ("翻译", "把下面的句子翻译成意大利语"),
        ("提取", "从给定的文本中提取人名"),
    ],
}
SENTENCES = {
    "en": ["Our neighbor keeps bees.", "Does honey ever spoil?", "Last winter was long, and half of them froze!"],
    "zh": ["邻居家养了几箱蜜蜂。", "蜂蜜会坏吗？", "去年冬天太长了，冻死了一半！"],
}
BACK = {"en": "the text above", "zh": "上面的文章"}
LAYOUTS: list[Callable[[str, str, str], tuple[str, str]]] = [
    lambda order, stop, text: (order + stop, text),
    lambda order, stop, text: (f"{order}: {text}", ""),
    lambda order, stop, text: (f"{order}{stop}\n\n{text}", ""),
    lambda order, stop, text: (f"### Instruction:\n{order}{stop}\n### Input:\n{text}\n### Response:", ""),
    lambda order, stop, text: (f"Human: {order}{stop}\n{text}\nAssistant: ", ""),
    lambda order, stop, text: (f"{text}\n{order}{stop}", ""),
]
# What rows are made of when they mean to break a parser.
PIECES = [
    *[
        "Summarize the following text",
        "总结以下文章",
        "Rewrite",
        "改写",
        "the text above",
        "上文",
        "in the",
        "从",
        "句子",
    ],
    *["\n", "\r\n", "\u2028", "\x1e", "\x00", "\t", " ", ": ", "：", ". ", "。", "? ", "？", ", ", "，", "、"],
    *[
        '"',
        "“",
        "”",
        "「",
        "」",
        "《",
        "》",
        "[",
        "](http://",
        "<b>",
        "<!--",
        "**",
        "__",
        "____",
        "`",
        "|",
        "|---|",
        "- ",
    ],
    *[
        "1. ",
        "### ",
        "Input:",
        "输入：",
        "Output:",
        "Human:",
        "Assistant:",
        "Question:",
        "问题：",
        "指令：",
        "&lt;",
        "\ud83d",
    ],
    *["bees keep warm", "蜜蜂过冬", "3.14", "http://a.b", "{}", "f(x);"],
]
ENDLESS = [
    *["a", "the ", "the given ", "Text: ", "A b c. ", ": ", "\n", "\n- ", "**a ", "[", "<!--", '"a b c d e f"', "|"],
    *[
        "___",
        "以下",
        "从文中",
        "总结以下",
        "“啊”",
        "啊。",
        "、",
        "改写为",
        "Human: a\nAssistant: b\n",
        "\nQuestion: a?",
    ],
]
DIGITS_TO_LETTERS = str.maketrans(string.digits, "bcdfgklmnp")
rows = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("language", ["en", "zh"])
@given(order=st.integers(0, 4), picks=st.lists(st.integers(0, 2), min_size=2, max_size=5), stop=st.booleans())
def test_a_fragment_is_the_material_and_nothing_of_the_order(
    language: str, order: int, layout: Callable[[str, str, str], tuple[str, str]], picks: list[int], stop: bool
) -> None:
    verb_phrase, sentence = ORDERS[language][order]
    text = (" " if language == "en" else "").join(SENTENCES[language][pick] for pick in picks)
    mark = {"en": ".", "zh": "。"}[language] if stop else ""
    found = find_fragment(*layout(sentence, mark, text), language, 1000)
    assert found is not None
    assert verb_phrase not in found.text.lower()
    assert found.text == text


@given(instruction=rows, material=rows, language=st.sampled_from(["en", "zh"]), limit=st.integers(-1, 60))
@settings(max_examples=400)
def test_any_strings_give_a_clean_fragment_or_none(instruction: str, material: str, language: str, limit: int) -> None:
    found = find_fragment(instruction, material, language, limit)
    assert found == find_fragment(instruction, material, language, limit)
    if found is not None:
        assert found.kind in KINDS
        assert 0 < text_length(found.text, language) <= limit
        assert found.text == found.text.strip()
        assert len(found.text.splitlines()) == 1


@pytest.mark.parametrize("language", ["de", "", "../en"])
def test_a_language_without_patterns_has_no_fragments(language: str) -> None:
    assert find_fragment("Summarize the text.", "Our neighbor keeps bees. They froze.", language, 50) is None


@pytest.mark.timeout(120)
@each_row("language", ["en", "zh"])
@each_row("piece", ENDLESS)
def test_endless_rows_come_to_an_end(piece: str, language: str) -> None:
    """50,000 characters of what patterns like least. The text is cut before any pattern sees it."""
    row = (piece * 50_000)[:50_000]
    for instruction, material in [(row, ""), ("Summarize the text.", row), ("总结下面的文章。", row), (row, row)]:
        found = find_fragment(instruction, material, language, 120)
        assert found is None or text_length(found.text, language) <= 120


@pytest.mark.parametrize(
    ("instruction", "material"),
    [
        ("Summarize the text.", "Bees sleep. " * 5000),
        ("Summarize the text.\n" + "Bees sleep. " * 5000, ""),
        ("Bees sleep. " * 5000 + "\nSummarize the text above.", ""),
        ("Bees sleep. " * 5000 + "\n" + string.ascii_letters * 3 + "\nSummarize the text above.", ""),
    ],
)
def test_of_a_long_row_the_beginning_is_taken(instruction: str, material: str) -> None:
    found = find_fragment(instruction, material, "en", 10)
    assert found == Fragment("summarizing", "Bees sleep. Bees sleep. Bees sleep. Bees sleep. Bees sleep.")


def test_nothing_is_joined_across_what_was_cut_out_of_a_long_row() -> None:
    material = " ".join(str(number).translate(DIGITS_TO_LETTERS) for number in range(1000, 11_000))
    found = find_fragment(f"{material}\nSummarize the text above.", "", "en", 100_000)
    assert found is not None
    assert material.startswith(found.text)


def test_the_mark_of_a_cut_means_nothing_in_a_row() -> None:
    found = find_fragment("Summarize the text.", "Bees sleep.\x01 They wake in spring.", "en", 50)
    assert found == Fragment("summarizing", "Bees sleep. They wake in spring.")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_patterns_use_every_kind(language: str) -> None:
    assert {kind for kind, _ in wording.task_wording(language).kinds} == {*KINDS, None}


def test_a_kind_that_is_not_in_the_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = load_prompt("fragment-tasks", "en").text.replace("- [keywords,", "- [kewords,")
    monkeypatch.setattr(wording, "load_cached", lambda *_: Prompt("", "v1", "", text))
    with pytest.raises(UserError, match="no kind 'kewords'"):
        wording.task_wording.__wrapped__("en")


def test_the_patterns_have_the_name_that_a_stage_records() -> None:
    task, _, version = PATTERNS.partition("/")
    assert {load_prompt(task, language, version).name for language in ("en", "zh")} == {
        "fragment-tasks/en/v1.yaml",
        "fragment-tasks/zh/v1.yaml",
    }
