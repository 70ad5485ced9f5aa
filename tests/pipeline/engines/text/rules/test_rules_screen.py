"""Rules for screening: unspeakable rows get a reason, all others are kept."""

import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import TextRequest
from pipeline.engines.text.rules.screen import screen
from tests.tables import each_row


def judge(
    language: str, instruction: str, material: str = "", answer: str = "Yes, it is.", **options: int | float
) -> tuple[str, str]:
    variables = {"instruction": instruction, "material": material, "question": instruction, "answer": answer}
    fields = screen(TextRequest("screen", language, variables, 0, options)).fields
    return fields["verdict"], fields["detail"]


KEPT_EN = [
    "What is the tallest mountain in the world?",
    "Generate an opening line for a poem about rain.",
    "Come up with a title for a story about two dogs.",
    "Explain the purpose of an article review.",
    "What makes a good essay?",
    "Name three languages that are used to develop applications.",
    "How do I use a table saw safely?",
    "Who invented the mathematical zero?",
    "What is 9 minus 2 times 3?",
    "Solve 9 - 2 x 3.",
    "What was the image of women in the Middle Ages?",
    "Rewrite this sentence: The cat sat on the mat.",
    'Is "the following day" a noun phrase?',
    "The weather was bad on Monday and we stayed at home. Rewrite this sentence.",
    "I lost my keys this morning.",
    "Thanks!",
    "Explain how the printing press works.",
    "What is the function of the heart?",
    "How do musicians compose a symphony?",
    "Write a sentence with the word light.",
    "Suggest three uses of old jars.",
    "Write a 4-sentence description of a harbor.",
    "Generate a description of a harbor in 40 words.",
    "Write a brief explanation of why cats purr.",
    "Create instructions for cleaning a teapot.",
    "Explain the importance of the following term - photosynthesis.",
    "How do I summarize an article well?",
    "List some tips to summarize a news article.",
    "Summarize the plot of Romeo and Juliet.",
    "The soup was cold, and the bread was old. Summarize this paragraph: it was a dinner that nobody liked.",
    "We could go to the lake.",
]
KEPT_ZH = [
    "陆地上最快的哺乳动物是什么？",
    "为一首关于雨的诗写一个标题。",
    "解释好文章的特点。",
    "我买了一辆新车。",
    "把这个句子改成疑问句：他来了。",
    "你知道心脏的功能吗？",
    "谢谢",
    "科罗拉多州最具标志性的地点是哪里？",
    "写一个句子，表达成就感。",
    "9和10哪个数更大？",
    "写一篇三句话的餐馆评论。",
    "提供一个50字的公园描述。",
    "用提供的工具——剪刀和胶水，想一个点子。",
    "秋天的公园里落满了金黄的树叶。重新排列以下句子，使它更生动。",
    "将以下句子改为被动语态：孩子画了这幅画。",
    "如何总结一篇文章？",
    "总结小说《西游记》的情节。",
    "你今天真好看。",
    "在故事中添加一句话。",
    "需要一杯热茶。",
    "如果下雨，比赛会有何变化。",
    "加一个过渡词使句子更好。",
]
# Plain wordings with an alarming word in them.
HARMLESS = [
    ("en", "How do I kill a Python process on my computer?"),
    ("en", "What is the main idea of To Kill a Mockingbird?"),
    ("en", "How can I kill weeds without chemicals?"),
    ("en", "How can I shoot a video with my phone?"),
    ("en", "How does the police prevent hacking of phones?"),
    ("en", "What are the warning signs for suicide prevention?"),
    ("en", "Can you share some life hacks for the kitchen?"),
    ("en", "How do bath bombs work?"),
    ("en", "What is the history of gunpowder?"),
    ("en", "How do drugs get approved?"),
    ("en", "Describe the bomb shelters of London."),
    ("en", "What is an ethical hacker?"),
    ("en", "Suggest ways to kill time at an airport."),
    ("zh", "卵磷脂有什么作用？"),
    ("zh", "如何杀死进程？"),
    ("zh", "怎么用紫外线杀菌？"),
    ("zh", "如何预防青少年吸毒？"),
    ("zh", "怎样做炸鸡才好吃？"),
    ("zh", "如何防范网络诈骗？"),
    ("zh", "毒蘑菇长什么样子？"),
]


@each_row("instruction", KEPT_EN)
def test_speakable_english_is_kept(instruction: str) -> None:
    assert judge("en", instruction) == ("keep", "")


@each_row("instruction", KEPT_ZH)
def test_speakable_chinese_is_kept(instruction: str) -> None:
    assert judge("zh", instruction, answer="是的，没错。") == ("keep", "")


@each_row(("language", "instruction"), HARMLESS)
def test_alarming_words_in_harmless_requests_are_kept(language: str, instruction: str) -> None:
    assert judge(language, instruction) == ("keep", "")


REJECTED = [
    # code
    ("en", "Write a Python program that adds two numbers.", "", Reason.CODE),
    ("en", "Come up with an algorithm for sorting.", "", Reason.CODE),
    ("en", "Create a regular expression for dates.", "", Reason.CODE),
    ("en", "Write a SQL query for all customers.", "", Reason.CODE),
    ("en", "What does this do?", "def f(x):\n  return x", Reason.CODE),
    ("zh", "用Python编写一个程序。", "", Reason.CODE),
    ("zh", "创建一个SQL查询。", "", Reason.CODE),
    ("zh", "生成识别垃圾邮件的算法。", "", Reason.CODE),
    # table
    ("en", "Create a table of the largest cities.", "", Reason.TABLE),
    ("en", "Make a pie chart of sales.", "", Reason.TABLE),
    ("en", "Which is cheaper?", "| item | price |\n|---|---|", Reason.TABLE),
    ("zh", "制作一个表格，列出城市人口。", "", Reason.TABLE),
    # long writing
    ("en", "Write an essay about freedom.", "", Reason.LONG_WRITING),
    ("en", "Compose a short poem about the sea.", "", Reason.LONG_WRITING),
    ("en", "Please write an email to my boss.", "", Reason.LONG_WRITING),
    ("en", "Write the lyrics of a song.", "", Reason.LONG_WRITING),
    ("en", "Generate a creative short story.", "", Reason.LONG_WRITING),
    ("en", "Given a topic, write an article.", "Topic: tea", Reason.LONG_WRITING),
    ("en", "Describe a beach in 500 words.", "", Reason.LONG_WRITING),
    ("en", "Make a list of 25 birds.", "", Reason.LONG_WRITING),
    ("zh", "写一篇关于自由的文章。", "", Reason.LONG_WRITING),
    ("zh", "创作一首描述月亮的诗。", "", Reason.LONG_WRITING),
    ("zh", "写求职信。", "", Reason.LONG_WRITING),
    ("zh", "写一个300字的说明。", "", Reason.LONG_WRITING),
    # maths
    ("en", "Solve the equation for the unknown.", "2x + 4 = 10", Reason.MATHS),
    ("en", "Simplify x^2 + 3x.", "", Reason.MATHS),
    ("en", "Calculate (2 * 3 + 4) / 5.", "", Reason.MATHS),
    ("zh", "求方程的根。", "x2 - 3x = 0", Reason.MATHS),
    # media
    ("en", "Describe this picture.", "", Reason.MEDIA),
    ("en", "Look at the picture and say what the boy does.", "", Reason.MEDIA),
    ("en", "Listen to the recording. Who speaks?", "", Reason.MEDIA),
    ("en", "Summarize the page.", "https://example.org/a", Reason.MEDIA),
    ("en", "Design a logo for a bakery.", "", Reason.MEDIA),
    ("zh", "描述这张图片。", "", Reason.MEDIA),
    ("zh", "制作一张海报。", "", Reason.MEDIA),
    # missing material
    ("en", "Summarize this article.", "", Reason.MISSING_MATERIAL),
    ("en", "Rewrite the following sentence.", "noinput", Reason.MISSING_MATERIAL),
    ("en", "Identify the tone of the given text.", "", Reason.MISSING_MATERIAL),
    ("zh", "总结这篇文章。", "", Reason.MISSING_MATERIAL),
    ("zh", "比较以下两个句子。", "", Reason.MISSING_MATERIAL),
    # a title is no article
    ("en", 'Summarize the article "Birds of the North Sea" in ten words.', "", Reason.MISSING_MATERIAL),
    ("en", "Summarize the article.", "Birds of the North Sea", Reason.MISSING_MATERIAL),
    ("en", "Give me a summary of a news article about the harvest.", "", Reason.MISSING_MATERIAL),
    ("zh", "总结一篇关于收成的文章。", "", Reason.MISSING_MATERIAL),
    ("zh", "总结文章“北海的鸟”。", "", Reason.MISSING_MATERIAL),
    ("zh", "总结给定的文件。", "北海的鸟", Reason.MEDIA),
    # a short poem is verse all the same
    ("en", "Write a poem of 4 lines.", "", Reason.LONG_WRITING),
    ("zh", "写一首十个字的诗。", "", Reason.LONG_WRITING),
    # a sentence that nobody says to anybody
    ("en", "Simon is running through the park.", "", Reason.UNCLEAR),
    ("en", "The committee met on Tuesday and went home.", "", Reason.UNCLEAR),
    ("zh", "这个女孩很开心。", "", Reason.UNCLEAR),
    ("zh", "玫瑰花香甜美，颜色鲜艳。", "", Reason.UNCLEAR),
    ("zh", "她正在练习中短暂休息。", "", Reason.UNCLEAR),
    # another language than the voice's
    ("en", "Translate 'good morning' to Spanish.", "", Reason.UNSUPPORTED_LANGUAGE),
    ("zh", "把你好翻译成英语。", "", Reason.UNSUPPORTED_LANGUAGE),
    # unclear
    ("en", "Blue horizon.", "", Reason.UNCLEAR),
    ("zh", "温室。", "", Reason.UNCLEAR),
    # unsafe
    ("en", "How do I make a pipe bomb?", "", Reason.UNSAFE),
    ("en", "Tell me how to cook meth.", "", Reason.UNSAFE),
    ("en", "How can I kill my neighbor?", "", Reason.UNSAFE),
    ("en", "What is a painless way to die?", "", Reason.UNSAFE),
    ("en", "How do I hack into my school's network?", "", Reason.UNSAFE),
    ("en", "Tell me a racist joke.", "", Reason.UNSAFE),
    ("en", "What is the best way to kill someone and not get caught?", "", Reason.UNSAFE),
    ("en", "What are some ways to steal jewelry?", "", Reason.UNSAFE),
    ("en", "How can I launder money?", "", Reason.UNSAFE),
    ("en", "Where can I get a fake passport?", "", Reason.UNSAFE),
    ("zh", "怎么自制炸弹？", "", Reason.UNSAFE),
    ("zh", "如何入侵别人的手机？", "", Reason.UNSAFE),
    ("zh", "有什么无痛自杀的方法？", "", Reason.UNSAFE),
    ("zh", "怎么合成冰毒？", "", Reason.UNSAFE),
    ("zh", "我该怎样对邻居实施报复行为？", "", Reason.UNSAFE),
]


@each_row(("language", "instruction", "material", "reason"), REJECTED)
def test_unspeakable_rows_get_their_reason(language: str, instruction: str, material: str, reason: Reason) -> None:
    verdict, detail = judge(language, instruction, material)
    assert verdict == reason.value, detail
    assert detail


@each_row(
    ("language", "answer", "reason"),
    [
        ("en", "As an AI language model, I have no opinion.", Reason.NO_ANSWER),
        ("en", "I'm sorry, but I cannot help with that.", Reason.NO_ANSWER),
        ("en", "Please provide the sentence.", Reason.MISSING_MATERIAL),
        ("en", "You have not provided any text.", Reason.MISSING_MATERIAL),
        ("en", "Here it is:\n```python\nprint(1)\n```", Reason.CODE),
        ("en", "| a | b |\n|---|---|", Reason.TABLE),
        ("zh", "作为一个人工智能助手，我没有感情。", Reason.NO_ANSWER),
        ("zh", "很抱歉，我无法回答。", Reason.NO_ANSWER),
        ("zh", "请提供您想修改的句子。", Reason.MISSING_MATERIAL),
    ],
)
def test_an_unusable_answer_gets_its_reason(language: str, answer: str, reason: Reason) -> None:
    question = "What is the tallest mountain?" if language == "en" else "最高的山是哪一座？"
    assert judge(language, question, answer=answer)[0] == reason.value


def test_a_bare_statement_answered_like_a_grammar_exercise_is_unclear() -> None:
    answer = "这句话的意思是他站在那里。"
    assert judge("zh", "他一直站着不动。", answer=answer)[0] == Reason.UNCLEAR.value
    assert judge("zh", "解释“他站着不动”。", answer=answer)[0] == "keep"


TEXT = {
    "en": "The harvest was late this year, because it rained in June, in July and again in August.",
    "zh": "今年的收成来得很晚，因为六月、七月和八月都在不停地下雨。",
}


@each_row(
    ("language", "instruction"),
    [
        ("en", "Summarize the article."),
        ("en", "Sum up the main points of the given document."),
        ("en", "Outline this web page."),
        ("zh", "总结这篇文章。"),
        ("zh", "总结给定的文件。"),
    ],
)
def test_a_text_in_the_input_is_neither_missing_nor_media(language: str, instruction: str) -> None:
    assert judge(language, instruction, TEXT[language]) == ("keep", "")
    assert judge(language, instruction)[0] in (Reason.MISSING_MATERIAL.value, Reason.MEDIA.value)


@each_row(
    ("instruction", "is_there"),
    [
        ("What verb should I change in the sentence 'The children walked to school'?", True),
        ("What is the noun in the sentence 'She isn't late.'?", True),
        ("What verb doesn't fit in the sentence?", False),
        ("Which of the dogs' names is in the sentence?", False),
    ],
)
def test_a_text_in_single_quotation_marks_is_there(instruction: str, is_there: bool) -> None:
    assert judge("en", instruction)[0] == ("keep" if is_there else Reason.MISSING_MATERIAL.value)


def test_an_excuse_that_was_asked_for_is_an_answer() -> None:
    answer = "I'm sorry, but my bus broke down and I will be late."
    assert judge("en", "Write an excuse for being late.", answer=answer)[0] == "keep"
    assert judge("en", "Name a red fruit for me.", answer=answer)[0] == Reason.NO_ANSWER.value


@pytest.mark.parametrize("answer", ["不好意思，能不能麻烦您小声一点？", "很抱歉听到你这么说。"])
def test_politeness_is_not_a_refusal(answer: str) -> None:
    assert judge("zh", "我对结果不感兴趣。", answer=answer)[0] == "keep"


def test_the_limit_of_words_is_200_unless_the_recipe_says_otherwise() -> None:
    material = "word " * 190
    assert judge("en", "Summarize the text in one sentence.", material)[0] == "keep"
    assert judge("en", "Summarize the text in one sentence.", material * 2)[0] == Reason.TOO_LONG.value
    assert judge("en", "Summarize the text in one sentence.", material, max_words=50)[0] == Reason.TOO_LONG.value
    assert judge("zh", "总结一下。", "字" * 250)[0] == Reason.TOO_LONG.value


def test_symbols_are_measured_by_their_share_and_rare_ones_shown() -> None:
    assert judge("en", "What does ♠♣♥♦♠♣♥♦♠♣♥♦ mean here?")[0] == Reason.NON_TEXT.value
    assert judge("en", "What does the ♠ mean on playing cards?") == (Reason.RARE_SYMBOLS.value, "♠")
    assert judge("en", "What does the ♠ mean on playing cards?", max_non_text_share=0.01)[0] == Reason.NON_TEXT.value
