"""Whether a question has to do with what it was made from, in our own examples."""

from pipeline.text.topic import may_be_about
from tests.tables import each_row


@each_row(
    ("question", "source", "about"),
    [
        ("How do I get rid of limescale?", "Describe a safe procedure for removing limescale from kettles.", True),
        ("Why do people feel lonely?", "Summarise common reasons for loneliness among students.", True),
        ("How is the weather today?", "Describe a safe procedure for removing limescale from kettles.", False),
        ("What is your name?", "Explain which animals hibernate during long winters.", False),
        # Too little to tell.
        ("What's three plus four?", "Calculate 3 + 4.", True),
        ("How far is it?", "Convert kilometres.", True),
        ("蜗牛怎么赶走啊？", "请论述防治蜗牛的三项措施。", True),
        ("今天天气怎么样？", "请论述防治蜗牛的三项措施。", False),
        ("你叫什么名字？", "区分及物动词和不及物动词有什么窍门", False),
        ("三加四是多少？", "计算3+4。", True),
    ],
)
def test_a_question_may_be_about_its_source(question: str, source: str, about: bool) -> None:
    assert may_be_about(question, source) == about
