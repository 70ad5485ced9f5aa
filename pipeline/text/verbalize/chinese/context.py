"""What stands around a number in Chinese text, and what the words of its sentence say about it.

As in English, a form is read only where it is whole; what no rule reads keeps its digits, and the row is rejected.
"""

import re

# Latin letters, digits and signs that would make the number a piece of something longer.
_GLUE = r"A-Za-z0-9_.%$€£¥#@&+*=^~<>|\\'’·/⟨-"
LEFT = rf"(?<![{_GLUE}])(?<!\d[,:])(?<!\d\s-\s)(?<!\d\s[A-Za-z])"
RIGHT = r"(?![A-Za-z0-9_%$€£¥#@&+*=^~<>|\\'’·/⟩-]|[.,:]\d|\s[-/]\s\d)"

_FAR = 200
"""In characters: a word that is farther away says nothing about a number, and long texts would take long."""
_ENDS = re.compile(r"[。！？!?；;\n]")
_CLAUSE_ENDS = re.compile(r"[。！？!?；;，,\n]")

_SCORE = re.compile(
    r"比分|战胜|击败|取胜|获胜|险胜|完胜|大胜|不敌|领先|落后|战平|打平|逆转|负于|胜出|赢|输|总比分|局分|首局|半场|终场"
)
_RATIO = re.compile(r"比例|之比|比值|配比|比率|赔率|稀释|长宽比|宽高比|按照?\s?\d+[:：]|以\s?\d+[:：]")
_MATHS = re.compile(
    r"[=＝×÷]|计算|等于|求|方程|相加|相减|相乘|相除|加上|减去|乘以|除以|算式|表达式|余数|得数|结果|整除|根号|平方|立方"
)


def sentence(match: re.Match[str]) -> str:
    return _around(match, _ENDS)


def clause_before(match: re.Match[str]) -> str:
    text = left_of(match)
    ends = [found.end() for found in _CLAUSE_ENDS.finditer(text)]
    return text[ends[-1] :] if ends else text


def left_of(match: re.Match[str]) -> str:
    """Return what stands before the match, as far as it matters."""
    return match.string[max(0, match.start() - _FAR) : match.start()]


def after(match: re.Match[str]) -> str:
    """Return what follows the match, as far as it matters, without blanks in front."""
    return match.string[match.end() : match.end() + _FAR].lstrip()


def is_score(match: re.Match[str]) -> bool:
    return _SCORE.search(sentence(match)) is not None


def is_ratio(match: re.Match[str]) -> bool:
    return _RATIO.search(sentence(match)) is not None


def is_maths(match: re.Match[str]) -> bool:
    return _MATHS.search(sentence(match)) is not None


def _around(match: re.Match[str], ends: re.Pattern[str]) -> str:
    left, right = left_of(match), match.string[match.end() : match.end() + _FAR]
    starts = [found.end() for found in ends.finditer(left)]
    end = ends.search(right)
    return left[starts[-1] if starts else 0 :] + match[0] + (right[: end.start()] if end else right)
