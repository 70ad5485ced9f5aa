"""Turn English number words into digits.

Many spoken forms have the same digits: 2024 may be said "twenty twenty four" or "two thousand and twenty four", 911
"nine one one" or "nine hundred eleven". So each run of numbers becomes the digits that a recognizer prints for it:
numbers that follow each other are written together. Two texts agree if they could be printed with the same digits.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from pipeline.scoring.english_number_words import (
    BELOW_20,
    BREAKS,
    COMMA,
    CONTINUING,
    DECADE_WORDS,
    DECIMALS,
    EXTENDING,
    LARGER,
    MULTIPLES,
    OH,
    ONES,
    ORDINAL_ONES,
    ORDINAL_SCALES,
    ORDINAL_TEXTS,
    ORDINALS,
    POINTS,
    SCALES,
    STARTING,
    TENS,
    ordinal,
)

_DECADE = re.compile(r"[0-9]+s")
_WRITTEN_ORDINAL = re.compile("([1-9][0-9]?)(?:st|nd|rd|th)")

# Longer numbers are never multiplied: no number word is that large, and the cost of long integers grows.
_MAX_DIGITS = 15

# Put behind the last token, so that the next few tokens can always be looked at.
_PADDING = [""] * 6

# "two oh oh oh five": more zeros in a row are not said with "oh".
_MAX_ZEROS = 3


class Number(NamedTuple):
    """Digits read from the words up to `end`.

    `text` is the printed form, "1234" or "21st"; `is_open` says whether digits that follow are appended to it.
    """

    text: str
    end: int
    is_open: bool = True

    @property
    def is_ordinal(self) -> bool:
        return self.text.endswith(("st", "nd", "rd", "th", "ths", "rds"))


def digits_of(tokens: list[str]) -> list[str]:
    """Replace every run of numbers by its digits, and drop the tokens of punctuation."""
    kept = [
        token
        for token, following in zip(tokens, [*tokens[1:], ""], strict=False)
        if token not in BREAKS or following not in CONTINUING
    ]
    starts = [at for at, token in enumerate(kept) if token in STARTING or token[0] in DECIMALS]
    tokens = kept + _PADDING
    result: list[str] = []
    done = 0
    for start in starts:
        if tokens[start].isdecimal() and tokens[start + 1] not in EXTENDING and tokens[start + 1][:1] not in DECIMALS:
            continue  # digits by themselves, the common case, stay unchanged
        number = _run(tokens, start) if start >= done else None
        if number is not None:
            result.extend(kept[done:start])
            result.append(number.text)
            done = number.end
    result.extend(kept[done:])
    return [word for word in result if word not in BREAKS]


def _run(tokens: list[str], start: int) -> Number | None:
    """Read numbers that follow each other and write them together: "nineteen ninety nine", "555 1234"."""
    number = _number(tokens, start)
    if number is None:
        return None
    text, is_digit_by_digit = number.text, len(number.text) == 1
    while number.is_open:
        at = number.end
        while tokens[at] in BREAKS:
            at += 1
        following = _number(tokens, at) or _spoken_zero(tokens, number.end)
        if following is None and is_digit_by_digit and len(text) > 1 and tokens[number.end] in OH:
            following = Number("0", number.end + 1)  # "nine oh two one oh"
        if following is not None and is_digit_by_digit and following.text.find(".") == 1 and "." not in text:
            return Number(text + following.text, following.end)  # "one nine two dot one six eight"
        if following is None or following.is_ordinal or "." in text or "." in following.text:
            break
        is_digit_by_digit &= len(following.text) == 1
        number, text = following, text + following.text
    return Number(text, number.end, number.is_open)


def _number(tokens: list[str], at: int) -> Number | None:
    """Read one number: a cardinal with what may follow it, an ordinal, a decade, a doubled digit."""
    word = tokens[at]
    if word not in STARTING and word[:1] not in DECIMALS:
        return None
    if word in MULTIPLES:
        digit = "0" if tokens[at + 1] in OH else _digits(tokens[at + 1])
        if digit is None or len(digit) > 1:
            return None
        return _with_fraction(tokens, Number(digit * MULTIPLES[word], at + 2))
    return _ordinal(tokens, at) or _cardinal(tokens, at)


def _spoken_zero(tokens: list[str], at: int) -> Number | None:
    """Read the "oh" of "nineteen oh five", which is a zero only between numbers."""
    end = at
    while tokens[end] in OH and end < at + _MAX_ZEROS:
        end += 1
    return Number("0" * (end - at), end) if end > at and _below_100(tokens, end) else None


def _ordinal(tokens: list[str], at: int) -> Number | None:
    word = tokens[at]
    text = word if word[-1] == "s" and _DECADE.fullmatch(word) else ORDINAL_TEXTS.get(word)
    return None if text is None else Number(text, at + 1, is_open=False)


def _cardinal(tokens: list[str], at: int) -> Number | None:
    whole = _whole(tokens, at)
    if whole is None:
        return None
    text, end, is_ordinal = whole
    zeros = DECADE_WORDS.get(tokens[end])
    if zeros and len(text) + len(zeros) == 4 and text.isdecimal():
        return Number(f"{text}{zeros}s", end + 1, is_open=False)
    if is_ordinal:
        return Number(text, end, is_open=False)
    return _with_fraction(tokens, Number(text, end))


def _with_fraction(tokens: list[str], number: Number) -> Number:
    """Append "point five" or "and a half" to the number, and apply the scale after them."""
    text, end = number.text, number.end
    while True:
        is_point = tokens[end] in POINTS
        digits, after = _after_point(tokens, end + 1) if is_point else ("", end)
        if is_point and not digits and tokens[end + 1] in OH:  # "version two point oh"
            digits, after = "0", end + 2
        if digits:
            text, end = f"{text}.{digits}", after
        elif tokens[end : end + 3] == ["and", "a", "half"] and "." not in text:
            text, end = f"{text}.5", end + 3
        else:
            break
    scale = SCALES.get(tokens[end], 1)
    if scale > 1 and text.count(".") == 1 and len(text) <= _MAX_DIGITS:
        value = Decimal(text) * scale
        text, end = (str(int(value)), end + 1) if value == int(value) else (text, end)
    return Number(text, end)


def _after_point(tokens: list[str], at: int) -> tuple[str, int]:
    """Read the digits after a point, or the next part of an address: "dot one hundred sixty eight"."""
    chunk = _below_1000(tokens, at) if tokens[at - 1] == "dot" else None
    if chunk is not None and len(chunk[0]) == 3 and chunk[0].isdecimal():
        return chunk[0], chunk[1]
    return _digit_run(tokens, at)


def _digit_run(tokens: list[str], at: int) -> tuple[str, int]:
    digits = ""
    while True:
        number = _below_100(tokens, at)
        if number is not None and number.is_open:
            digits, at = digits + number.text, number.end
        elif zeros := _spoken_zero(tokens, at):
            digits, at = digits + zeros.text, zeros.end
        else:
            return digits, at


def _whole(tokens: list[str], at: int) -> tuple[str, int, bool] | None:
    """Read a whole number from words, digits or both ("5 million").

    Returns its text, the index after it, and whether it is an ordinal. Chunks below a thousand are multiplied by their
    scale and added up while the scales fall.
    """
    chunk = _below_1000(tokens, at)
    if chunk is None:
        return None
    text, end, is_ordinal = chunk
    if is_ordinal or len(text) > _MAX_DIGITS:
        return chunk
    total, limit = 0, 10**15
    while True:
        scale = SCALES.get(tokens[end], 0)
        if scale and scale < limit and text.isdecimal():
            total, limit, end = total + int(text) * scale, scale, end + 1
        elif ORDINAL_SCALES.get(tokens[end], 0) >= 1000 and text.isdecimal():
            return ordinal(total + int(text) * ORDINAL_SCALES[tokens[end]]), end + 1, True
        else:
            if total:
                return str(total + int(text)), end, False
            return text, end, False
        following = _addend(tokens, end, limit)
        if following is None:
            while tokens[end] in SCALES and len(str(total)) <= _MAX_DIGITS:  # "twenty thousand million"
                total, end = total * SCALES[tokens[end]], end + 1
            return str(total), end, False
        text, end, is_ordinal = following
        if is_ordinal:
            return ordinal(total + int(text.rstrip("stndrh"))), end, True


def _addend(tokens: list[str], end: int, limit: int) -> tuple[str, int, bool] | None:
    """Read the chunk to add after a scale, "twenty four" or "and twenty four", if it stays below that scale."""
    has_comma = tokens[end] == COMMA
    at = end + 1 if has_comma or tokens[end] == "and" else end
    chunk = _below_1000(tokens, at)
    digits = chunk[0].rstrip("stndrh") if chunk else ""
    if chunk is None or not digits.isdecimal() or len(digits) > 3 or digits[0] == "0":
        return None
    scale = SCALES.get(tokens[chunk[1]], 1)
    if has_comma and scale == 1 and {"hundred", "hundredth"}.isdisjoint(tokens[at : at + 3]):
        return None
    return chunk if scale < limit else None


def _below_1000(tokens: list[str], at: int) -> tuple[str, int, bool] | None:
    """Read "three", "twenty one", "two hundred (and) five", "nineteen hundred", "a hundred", or digits."""
    if tokens[at] == "a" and (tokens[at + 1] in SCALES or tokens[at + 1] == "hundred"):
        number: Number | None = Number("1", at + 1)
    else:
        number = _below_100(tokens, at)
    if number is None:
        return None
    if not number.is_open:
        return number.text, number.end, True
    end = number.end
    if tokens[at].endswith("00"):
        return _and_rest(tokens, at) or (number.text, end, False)
    if not number.text.isdecimal() or len(number.text) > 2:
        return number.text, end, False
    if tokens[end] == "hundredth":
        return ordinal(int(number.text) * 100), end + 1, True
    if tokens[end] != "hundred":
        return number.text, end, False
    return _hundreds(tokens, int(number.text) * 100, end + 1)


def _and_rest(tokens: list[str], at: int) -> tuple[str, int, bool] | None:
    """Read "400 and 74", as four hundred and seventy-four is printed too; "between 400 and 74" are two numbers."""
    hundreds = tokens[at]
    if tokens[at + 1] != "and" or not hundreds.isdecimal() or hundreds[0] == "0" or len(hundreds) > _MAX_DIGITS:
        return None
    if at and tokens[at - 1] == "between":
        return None
    if part := _WRITTEN_ORDINAL.fullmatch(tokens[at + 2]):
        return ordinal(int(hundreds) + int(part[1])), at + 3, True
    rest = _below_100(tokens, at + 2)
    if rest is None or not rest.text.isdecimal() or rest.text[0] == "0" or tokens[rest.end] in LARGER:
        return None
    if len(rest.text) < 3:
        return str(int(hundreds) + int(rest.text)), rest.end, False
    if len(hundreds) == 3 and len(rest.text) in (4, 5):  # "800 and 22,482" are said as one number too
        return str(int(hundreds) * 1000 + int(rest.text)), rest.end, False
    return None


def _hundreds(tokens: list[str], hundreds: int, end: int) -> tuple[str, int, bool]:
    after_and = tokens[end] == "and"
    rest = _below_100(tokens, end + 1 if after_and else end)
    if rest is None or tokens[rest.end] in ("hundred", "hundredth") or rest.text[0] == "0":
        return str(hundreds), end, False
    number = rest.text.rstrip("stndrh")
    if len(number) > 2 or not number.isdecimal():
        return str(hundreds), end, False
    if after_and and SCALES.get(tokens[rest.end], 0) > 0 and hundreds % 1000 == 0:
        return str(hundreds), end, False
    value = hundreds + int(number)
    return (str(value), rest.end, False) if rest.is_open else (ordinal(value), rest.end, True)


def _below_100(tokens: list[str], at: int) -> Number | None:
    """Read a number word below a hundred, with its ones, or a token of digits. An ordinal is closed."""
    word = tokens[at]
    if word in BELOW_20:
        return Number(BELOW_20[word], at + 1)
    if word in TENS:
        following = tokens[at + 1]
        if ONES.get(following, 0):
            return Number(str(TENS[word] + ONES[following]), at + 2)
        if ORDINAL_ONES.get(following, 0):
            return Number(ordinal(TENS[word] + ORDINAL_ONES[following]), at + 2, is_open=False)
        return Number(str(TENS[word]), at + 1)
    if word in ORDINALS:
        return Number(ordinal(ORDINALS[word]), at + 1, is_open=False)
    if _is_tens_digits(word) and ORDINAL_ONES.get(tokens[at + 1], 0):
        return Number(ordinal(int(word) + ORDINAL_ONES[tokens[at + 1]]), at + 2, is_open=False)
    digits = _digits(word)
    return None if digits is None else Number(digits, at + 1)


def _is_tens_digits(word: str) -> bool:
    """Whether the word is 20, 30 ... 90: "20-second" and "twenty-second" must meet, and Whisper prints "80 eighth"."""
    return len(word) == 2 and word[0] in "23456789" and word[1] == "0"


def _digits(word: str) -> str | None:
    """Return the digits of a token ("1234", "3.14") or of a number word below twenty."""
    return BELOW_20.get(word) or (word if word.replace(".", "").isdecimal() else None)
