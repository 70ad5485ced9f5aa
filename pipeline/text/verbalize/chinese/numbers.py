"""Chinese numbers in words: 两百零五, 三点一四, 一九九八."""

from decimal import Decimal

NUMBER = r"(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
"""A number as it is written, without a sign. It matches whole or not at all."""

_DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_SCALES = ("", "万", "亿", "万亿")
MOST_DIGITS = 16
_TELEPHONE = str.maketrans("一", "幺")


def cardinal(value: int) -> str:
    """Return the number in words, with 两 for a leading two before 百, 千, 万 and 亿.

    `value` is from 0 to below 10**16.
    """
    groups: list[int] = []
    rest = value
    while rest:
        rest, group = divmod(rest, 10_000)
        groups.append(group)
    said = ""
    for scale in range(len(groups) - 1, -1, -1):
        group = groups[scale]
        if group == 0:
            continue
        gap = said and (group < 1000 or (scale + 1 < len(groups) and groups[scale + 1] == 0))
        said += ("零" if gap else "") + _group(group, first=not said, scaled=scale > 0) + _SCALES[scale]
    return said or "零"


def digits(text: str) -> str:
    """Return the digits of the text one by one."""
    return "".join(_DIGITS[int(digit)] for digit in text if digit.isdigit())


def telephone(text: str) -> str:
    """Return the digits one by one, with 幺 for one, as numbers that are dialed are read."""
    return digits(text).translate(_TELEPHONE)


def number(text: str) -> str | None:
    """Return a `NUMBER` in words; None if it has too many digits. Zeros in front are read one by one."""
    whole, _, part = text.replace(",", "").partition(".")
    if len(whole) > MOST_DIGITS:
        return None
    words = digits(whole) if len(whole) > 1 and whole[0] == "0" else cardinal(int(whole))
    return f"{words}点{digits(part)}" if part else words


def scaled(text: str, factor: int) -> str | None:
    """Return a `NUMBER` times the factor in words, where that is a whole number: 1.5 and 1000 are 一千五百."""
    value = Decimal(text.replace(",", "")) * factor
    return number(str(int(value))) if value == int(value) else None


def _group(value: int, *, first: bool, scaled: bool) -> str:
    """Return up to four digits; `first`: no digits stand before them, `scaled`: 万 or 亿 follows."""
    if value == 2 and scaled and first:
        return "两"
    said = ""
    zero = False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if digit == 0:
            zero = bool(said)
            continue
        name = "两" if digit == 2 and place >= 2 and first and not said else _DIGITS[digit]
        if digit == 1 and place == 1 and first and not said:
            name = ""
        said += ("零" if zero else "") + name + _UNITS[place]
        zero = False
    return said
