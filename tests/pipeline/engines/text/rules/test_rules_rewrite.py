"""Rules for rewriting: written requests become spoken questions."""

import re

import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.rewrite import rewrite
from pipeline.text.verbalize import is_speakable
from tests.tables import each_row

SEEDS = range(12)


def ask(language: str, instruction: str, material: str = "", seed: int = 0, **options: int | bool) -> str:
    answer = rewrite(
        TextRequest("rewrite", language, {"instruction": instruction, "material": material}, seed, options)
    )
    assert isinstance(answer, TextAnswer), answer
    return answer.fields["question"]


def refuse(language: str, instruction: str, material: str = "", **options: int) -> Failure:
    answer = rewrite(TextRequest("rewrite", language, {"instruction": instruction, "material": material}, 0, options))
    assert isinstance(answer, Failure), answer
    return answer


# One form whatever the seed: questions stay, some orders have one spoken form.
FIXED = [
    ("en", "What are the benefits of walking?", "", "What are the benefits of walking?"),
    ("en", "how do i boil an egg", "", "How do i boil an egg?"),
    ("en", "Why is the sky blue", "", "Why is the sky blue?"),
    ("en", "  Who wrote   *Hamlet*?\n", "", "Who wrote Hamlet?"),
    ("en", "What is 15% of 500?", "", "What is fifteen percent of five hundred?"),
    ("en", "Who is the oldest person here?", "No input", "Who is the oldest person here?"),
    ("en", "Which is heavier?", "- a stone\n- a feather", "Which is heavier? A stone, a feather."),
    ("en", "I bought a new car today.", "", "I bought a new car today."),
    ("zh", "蜜蜂的学名是什么？", "", "蜜蜂的学名是什么？"),
    ("zh", "如何学好英语", "", "如何学好英语？"),
    ("zh", "我买了一辆新车。", "", "我买了一辆新车。"),
    ("zh", "从北京到上海要多久", "", "从北京到上海要多久？"),
    ("zh", "应对压力的方法。", "", "应对压力的方法有哪些？"),
    ("zh", "9和10哪个数更大？", "", "九和十哪个数更大？"),
]


@each_row(("language", "instruction", "material", "question"), FIXED)
def test_a_question_stays_a_question(language: str, instruction: str, material: str, question: str) -> None:
    assert {ask(language, instruction, material, seed) for seed in SEEDS} == {question}


# A pattern that every form fits.
VARIED = [
    ("en", "Describe the taste of honey.", "", r"(?:Can|Could|How would) you .*\bthe taste of honey\?"),
    ("en", "List three uses of salt.", "", r"(?:Can you name|Could you tell me|What are) three uses of salt\?"),
    ("en", "Define the term 'photosynthesis'.", "", r".*\bphotosynthesis\b.*\?"),
    ("en", "Explain why bees matter", "", r"(?:Can|Could|Do) you .*\bwhy bees matter\?"),
    ("en", "Explain what a noun is.", "", r"(?:Can|Could) you .*\bwhat a noun is\?"),
    ("en", "Compute 12 times 3.", "", r"(?:What is|Can you work out) twelve times three\?"),
    ("en", "Generate a list of five fruits.", "", r"(?:Can|Could) you (?:give me|name) five fruits\?"),
    ("en", "Please, name two rivers in France, please.", "", r".*\btwo rivers in France\?"),
    ("en", "Name a bird. Output the name.", "", r"(?:Can|Could) you .*\bbird(?: for me)?\?|Please .*bird\."),
    ("en", "Describe a desert in 3 sentences.", "", r".*\ba desert\?"),
    ("en", "Imagine a world without rain. Describe it.", "", r"Imagine a world without rain\. .*it\?"),
    ("en", "Rewrite this sentence: The cat sat.", "", r".*rewrite this sentence[?.] .*The cat sat\."),
    ("en", "Rewrite the sentence.", "The cat sat", r".*rewrite the sentence[?.] .*The cat sat\."),
    ("en", "Give the past tense of the following verb.", "sing", r".*the past tense of the verb sing[?.]"),
    ("en", "Define the given word.", "Word: serene", r".*the word serene(?: means?)?[?.]"),
    ("en", "Given a city, name its country.", "Lima", r"Given a city, (?:can|could|please).* its country[?.] Lima\."),
    ("en", "Sort the list.", '["b", "a"]', r".*sort the list[?.] .*B, a\."),
    ("en", "Count the animals: dogs, cats", "dogs, cats", r"(?!(?i:.*dogs.*dogs)).*animals[?.] .*Dogs, cats\."),
    ("en", "Summarize the profile.", "Name: Ann\nAge: 43", r".*profile[?.] .*Name is Ann, Age is forty three\."),
    ("zh", "描述泰山的景色。", "", r".*描述一下泰山的景色(?:吗？|？|。)"),
    ("zh", "列出三种水果。", "", r".*三种水果(?:吗？|？)"),
    ("zh", "请解释为什么天是蓝的。", "", r".*为什么天是蓝的(?:吗？|？)"),
    ("zh", "定义“民主”。", "", r".*民主是什么意思(?:吗？|？)"),
    ("zh", "将以下句子改为疑问句。", "输入：他来了。", r".*将以下句子改为疑问句(?:吗？|？|。)他来了。"),
    ("zh", "改写这个句子：“车很快。”", "", r".*改写这个句子(?:吗？|？|。)车很快。"),
    ("zh", "分类以下数字。", "输入：\n2、4、6", r".*分类以下数字(?:吗？|？|。)二、四、六。"),
    ("zh", "描述大海，用两句话。", "", r".*描述一下大海(?:吗？|？|。)"),
]


@each_row(("language", "instruction", "material", "pattern"), VARIED)
def test_orders_become_questions(language: str, instruction: str, material: str, pattern: str) -> None:
    for seed in SEEDS:
        question = ask(language, instruction, material, seed)
        assert re.fullmatch(pattern, question), question
        assert is_speakable(question, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_fillers_are_few_and_only_on_request(language: str) -> None:
    instruction = "Describe the history of the city of Rome." if language == "en" else "描述罗马的历史。"
    plain = [ask(language, instruction, seed=seed) for seed in range(60)]
    filled = [ask(language, instruction, seed=seed, fillers=True) for seed in range(60)]
    with_fillers = sum(a != b for a, b in zip(plain, filled, strict=True))
    assert 30 <= with_fillers < 60
    assert not any(re.search(r"\b(?:um|uh|hey|hmm)\b|嗯|呃", question, re.I) for question in plain)
    assert not any(re.search(r"you know|\blike\b", question, re.I) for question in filled)
    assert all(len(b) - len(a) < 20 for a, b in zip(plain, filled, strict=True))


def test_fillers_stay_out_of_the_material() -> None:
    material = "He was about to speak of the history of the city of Rome."
    for seed in range(60):
        assert ask("en", "Shorten the sentence.", material, seed, fillers=True).endswith(material)


@each_row(
    ("language", "instruction", "material", "options", "reason"),
    [
        ("en", "Summarize the text.", "word " * 80, {}, Reason.TOO_LONG),
        ("en", "Name the capital of France.", "", {"max_length": 3}, Reason.TOO_LONG),
        ("zh", "总结这段话。", "今天天气很好。" * 20, {}, Reason.TOO_LONG),
        ("en", "", "", {}, Reason.EMPTY_ROW),
        ("en", "Sort these.", "word; " * 80 + "def f(x): return", {}, Reason.CODE),
        ("en", "Explain this smiley 😀.", "", {}, Reason.UNPRONOUNCEABLE),
        ("zh", "解释AI的概念。", "", {}, Reason.UNPRONOUNCEABLE),
        ("en", "?!", "", {}, Reason.UNCLEAR),
    ],
)
def test_an_unspeakable_request_says_why(
    language: str, instruction: str, material: str, options: dict[str, int], reason: Reason
) -> None:
    assert refuse(language, instruction, material, **options).reason is reason


@each_row(
    ("instruction", "material", "said", "never"),
    [
        # "It goes like this." stands before wording, and "Here they are." before several things.
        (
            "Rewrite the following sentence.",
            "The dog sleeps on the mat.",
            "It goes like this. The dog",
            "Here they are",
        ),
        ("Select a noun from the following list.", "dog, cat, bird", "Here they are. Dog", "It goes like this"),
        ("Come up with a metaphor for the given situation.", "Failure", "Here it is. Failure", "It goes like this"),
        ("Describe the mission of the company.", "Acme Tech", "Here it is. Acme", "It goes like this"),
    ],
)
def test_a_bridge_suits_what_follows(instruction: str, material: str, said: str, never: str) -> None:
    questions = {ask("en", instruction, material, seed) for seed in range(30)}
    assert any(said in question for question in questions), questions
    assert not any(never in question for question in questions), questions


@each_row(
    ("instruction", "topic"),
    [
        ("学习音乐的三个理由。", "学习音乐的三个理由"),
        ("不适合夜猫子的工作。", "不适合夜猫子的工作"),
        ("特斯拉汽车的独特设计。", "特斯拉汽车的独特设计"),
    ],
)
def test_a_topic_without_a_verb_is_asked_about(instruction: str, topic: str) -> None:
    for seed in SEEDS:
        question = ask("zh", instruction, seed=seed)
        assert topic in question and re.match("能说说|你能讲讲|我想了解一下", question), question


@each_row(
    "instruction",
    ["这是我的书。", "他是一位很好的老师。", "在故事的结尾添加一句话。", "我喜欢夏天的海边。", "说一种意大利的食材。"],
)
def test_a_sentence_is_no_topic(instruction: str) -> None:
    assert not any(re.match("能说说|你能讲讲|我想了解一下", ask("zh", instruction, seed=seed)) for seed in SEEDS)


def test_the_order_about_a_sentence_is_the_one_that_is_asked() -> None:
    for seed in SEEDS:
        question = ask("zh", "欣赏秋天的落叶，慢慢地走回家。重新排列以下句子。", seed=seed)
        assert question.startswith("欣赏秋天的落叶，慢慢地走回家。"), question


def test_speakers_of_a_conversation_are_no_labels() -> None:
    question = ask("zh", "建议怎么回答。", "小明：你去吗？\n小红：我不去。")
    assert "小明是" not in question and "小明，你去吗" in question


def test_latin_words_stay_where_the_recipe_allows_them() -> None:
    assert ask("zh", "如何提高网站的SEO？", allow_latin=True) == "如何提高网站的SEO？"
    assert refuse("zh", "如何提高网站的SEO？").reason is Reason.UNPRONOUNCEABLE
    assert "iPad和iPhone" in ask("zh", "比较以下产品。", "iPad和iPhone", allow_latin=True)
