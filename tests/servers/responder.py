"""A stand-in for a language model that is good enough to drive a whole job, in English and Chinese.

It sees from the keys that the system prompt shows which task it has, and answers with a valid JSON object. What it
says depends on the material alone, neither on the seed nor on complaints: a job that meets faults ends with the same
corpus as one that meets none. Other material gives other words, made partly of its own.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

KEYS = (
    "question",
    "speakable",
    "clear",
    "safe",
    "coherent",
    "in_role",
    "natural",
    "answer",
    "response",
    "reason",
)

_SHOWN_KEY = re.compile(rf'"({"|".join(KEYS)})"\s*:')
_FENCED = re.compile(r"<<<([0-9a-f]{8})\n(.*?)\n\1>>>", re.DOTALL)
_CHINESE = re.compile(r"[\u4e00-\u9fa5]+")
_PIECE = 5
"""Characters; Chinese writes no spaces between its words."""
_WORD = re.compile(r"[a-z]{4,12}")
_STOP_WORDS = frozenset(
    "about above after again assistant because before below could does from have into just like list more most only"
    " other please person should some such tell text than that their them then there these they this those user what"
    " when where which while will with would write your".split()
)

_ENGLISH: Mapping[str, tuple[str, ...]] = {
    "opener": tuple(
        "how can I learn more about|what should a beginner know about|why do so many people care about"
        "|could you explain in simple words|what is the easiest way to understand|what do you think about"
        "|what is worth remembering about|can you tell me something useful about".split("|")
    ),
    "scene": tuple(
        "on a rainy morning|during a long train ride|before an important meeting|in a small kitchen"
        "|with only a little money|while living in the mountains|in a busy city|during the summer holidays"
        "|with two young children|late in the evening|for a school project|after many years abroad".split("|")
    ),
    "advice": tuple(
        "start with something small and stay patient|ask a friend who has done it before"
        "|take your time and try it twice|keep a short note of every step|look at one example first"
        "|begin with the part that you already know|do a little of it every day|rest well before you decide".split("|")
    ),
    "result": tuple(
        "most people notice a difference within a week|it becomes easier with practice"
        "|that usually saves both time and money|you will feel much more certain afterwards"
        "|the rest follows almost by itself|this works well in nearly every case".split("|")
    ),
}
_CHINESE_PHRASES: Mapping[str, tuple[str, ...]] = {
    "opener": tuple(
        "我想了解一下|你能不能讲讲|我应该怎么看待|为什么大家都关心|请问怎样才能学好|你觉得该怎么理解".split("|")
    ),
    "scene": tuple(
        "在下雨的早晨|坐长途火车的时候|参加重要会议之前|住在山里的日子|放暑假的时候|带着孩子的时候"
        "|工作很忙的时候|刚搬到大城市".split("|")
    ),
    "advice": tuple(
        "先从小事做起慢慢来|可以问问有经验的朋友|不妨每天练习一会儿|最好先看一个例子|把每一步都记下来"
        "|先做自己熟悉的部分".split("|")
    ),
    "result": tuple(
        "这样一周就能看到变化|多练几次就会轻松很多|通常又省时间又省钱|之后你会更有把握|剩下的事情会很顺利".split("|")
    ),
}


def respond(body: Mapping[str, Any]) -> str:
    """The answer to a chat request: a JSON object with the keys that its system prompt shows, else a sentence."""
    language, asked = language_of(body), keys_of(body)
    texts = _sentences(material_of(body), language)
    if not asked:
        return texts["answer"]
    values: dict[str, object] = {**texts, "speakable": True, "clear": True, "safe": True}
    values |= {"coherent": True, "in_role": True, "natural": True}
    values |= {"reason": "", "response": texts["answer"]}
    return json.dumps({key: values[key] for key in asked}, ensure_ascii=False)


def keys_of(body: Mapping[str, Any]) -> list[str]:
    """The keys that the answer shall have, in the order of their first showing."""
    return list(dict.fromkeys(_SHOWN_KEY.findall(_joined(body, "system"))))


def material_of(body: Mapping[str, Any]) -> str:
    """All fenced texts; without any, all that the user says."""
    said = _joined(body, "user")
    return "\n".join(text for _, text in _FENCED.findall(said)) or said


def language_of(body: Mapping[str, Any]) -> str:
    """ "zh" where the system prompt is Chinese, or else the material is."""
    return "zh" if _is_chinese(_joined(body, "system")) or _is_chinese(material_of(body)) else "en"


def _is_chinese(text: str) -> bool:
    chinese = sum(map(len, _CHINESE.findall(text)))
    return chinese > 0.2 * sum(map(str.isalpha, text))


def _joined(body: Mapping[str, Any], role: str) -> str:
    return "\n".join(str(m["content"]) for m in body.get("messages", ()) if m.get("role") == role)


def _sentences(material: str, language: str) -> dict[str, str]:
    digest = hashlib.sha256(material.encode("utf-8", "replace")).digest()
    if language == "zh":
        said = _picks(_CHINESE_PHRASES, digest)
        pieces = [run[i : i + _PIECE] for run in _CHINESE.findall(material) for i in range(0, len(run), _PIECE)]
        topic = "和".join(_topics(pieces, digest, 2)) or "这件事"
        question = f"{said['scene']}，{said['opener']}{topic}？"
        return {"question": question, "answer": f"关于{topic}，{said['advice']}，{said['result']}。"}
    said = _picks(_ENGLISH, digest)
    words = [word for word in _WORD.findall(material.lower()) if word not in _STOP_WORDS]
    topic = " and ".join(_topics(words, digest, 3)) or "this"
    question = f"{said['opener'].capitalize()} {topic} {said['scene']}?"
    return {"question": question, "answer": f"With {topic}, {said['advice']}. {said['result'].capitalize()}."}


def _picks(phrases: Mapping[str, tuple[str, ...]], digest: bytes) -> dict[str, str]:
    return {slot: choices[digest[i] % len(choices)] for i, (slot, choices) in enumerate(phrases.items())}


def _topics(words: Sequence[str], digest: bytes, number: int) -> list[str]:
    """Some different words of the material, from places that the digest picks, in the order of the text."""
    distinct = list(dict.fromkeys(words))
    ranked = sorted(range(len(distinct)), key=lambda i: hashlib.sha256(digest + distinct[i].encode()).digest())
    return [distinct[i] for i in sorted(ranked[:number])]
