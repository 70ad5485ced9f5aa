"""English sums of money in words.

"$5.50" has cents, "$1.5M" a scale, "$5/kg" a "per"; before its noun a sum is singular ("a five dollar bill").
"¥" is the sign of two currencies and "kr" of four: without a word that tells which, it stays unsaid.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.english.context import LEFT, is_attribute, sentence, word_after
from pipeline.text.verbalize.english.numbers import NUMBER, cardinal, number
from pipeline.text.verbalize.english.units import PER, per

# Sign or code: singular, plural, coin, coins; coins are "" where a price has none.
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "฿": ("baht", "baht", "satang", "satang"),
    "₱": ("peso", "pesos", "centavo", "centavos"),
    "₪": ("shekel", "shekels", "agora", "agorot"),
    "₫": ("dong", "dong", "", ""),
    "₴": ("hryvnia", "hryvnias", "", ""),
    "₦": ("naira", "naira", "", ""),
    "₺": ("lira", "lira", "", ""),
    "US$": ("US dollar", "US dollars", "cent", "cents"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "A$": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "NZ$": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "HK$": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "S$": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "NT$": ("New Taiwan dollar", "New Taiwan dollars", "", ""),
    "R$": ("real", "reais", "centavo", "centavos"),
    "MX$": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "CN¥": ("yuan", "yuan", "", ""),
    "JP¥": ("yen", "yen", "", ""),
    "Rs.": ("rupee", "rupees", "paisa", "paise"),
    "Rs": ("rupee", "rupees", "paisa", "paise"),
    "USD": ("US dollar", "US dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("British pound", "British pounds", "penny", "pence"),
    "CNY": ("Chinese yuan", "Chinese yuan", "", ""),
    "RMB": ("renminbi", "renminbi", "", ""),
    "JPY": ("Japanese yen", "Japanese yen", "", ""),
    "INR": ("Indian rupee", "Indian rupees", "paisa", "paise"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "CHF": ("Swiss franc", "Swiss francs", "", ""),
    "BRL": ("Brazilian real", "Brazilian reais", "centavo", "centavos"),
    "KRW": ("Korean won", "Korean won", "", ""),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
}
_SIGNS = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_CODES = "|".join(name for name in _CURRENCIES if re.fullmatch("[A-Z]{3}", name))
_SCALES = {
    "k": "thousand",
    "m": "million",
    "mm": "million",
    "mn": "million",
    "mil": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}
_SCALE = (
    r"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|lakh|crore|[kK]|[mM]n?|mil|[bB]n?|[tT]n?|MM)"
    r"(?![\w']))?"
)
_YEN = re.compile(r"(?i)\b(?:yen|japan\w*|tokyo|osaka|kyoto)\b")
_YUAN = re.compile(r"(?i)\b(?:yuan|rmb|chin(?:a|ese)|beijing|shanghai|shenzhen)\b")
# Before these a sum is singular without an article too.
_NOTES = frozenset("bill bills note notes coin coins ticket tickets fee fees gift".split())
_END = rf"(?:(?P<plus>\+)(?=\s|$|[.,!?]))?(?P<per>{PER})?(?![\w$€£/]|[.,]\d|-\d)"


def _amount(match: re.Match[str], names: tuple[str, str, str, str]) -> str | None:
    one, many, coin, coins = names
    scale = match["scale"] or ""
    scale = _SCALES.get(scale.lower(), scale)
    whole, _, part = match["amount"].partition(".")
    single = is_attribute(match) or word_after(match) in _NOTES
    if len(part) == 2 and not scale and coin:
        return _with_coins(whole or "0", part, one, many, coin, coins, single)
    words = number(match["amount"] if whole else f"0{match['amount']}")
    if words is None:
        return None
    name = one if single or (match["amount"] == "1" and not scale) else many
    return " ".join(filter(None, (words, scale, name)))


def _with_coins(whole: str, part: str, one: str, many: str, coin: str, coins: str, single: bool) -> str | None:
    words = number(whole)
    if words is None:
        return None
    unit = words + " " + (one if whole == "1" or single else many)
    cents = f"{cardinal(int(part))} {coin if int(part) == 1 or single else coins}"
    if part == "00":
        return unit
    return cents if whole.strip("0") == "" else f"{unit} and {cents}"


def _sum(match: re.Match[str]) -> str:
    names = _CURRENCIES.get(match["sign"])
    if names is None:
        names = _yen_or_yuan(match)
    said = _amount(match, names) if names else None
    if said is None:
        return match[0]
    if word_after(match) in filter(None, names or ()) and not match["per"]:  # "$5 dollars"
        said = said.rsplit(" ", 1)[0]
    minus = "negative " if match["minus"] else ""
    plus = " plus" if match["plus"] else ""
    return f"{minus}{said}{plus}{per(match['per'] or '')}"


def _yen_or_yuan(match: re.Match[str]) -> tuple[str, str, str, str] | None:
    text = sentence(match)
    yen, yuan = _YEN.search(text), _YUAN.search(text)
    if bool(yen) == bool(yuan):
        return None
    return _CURRENCIES["JP¥" if yen else "CN¥"]


def _grouped(match: re.Match[str]) -> str:
    """Join the groups of "$1 000"; "$5 200" may be two numbers."""
    number = match["number"]
    sure = number.endswith(" 000") or number.count(" ") > 1
    return match["sign"] + (number.replace(" ", "") if sure else unsure(number))


MONEY = compile_rules(
    (r"\bAU\$", "A$"),
    (r"\bCA\$", "C$"),
    (r"(?P<sign>[$€£¥₹])\s?(?P<number>\d{1,3}+(?:\s\d{3})++)(?!\d|[.,]\d)", _grouped),
    (rf"\$\s?({NUMBER})\s(?:USD|US)\b", r"US$\1"),
    (r"\bUS\s(?=\$\d)", "US"),
    # "$20-$30 million" and "$5-10" are one sum with one sign.
    (
        rf"(?<![\w.])([$€£₹])\s?({NUMBER})\s?[-–—]\s?\1({NUMBER}\s?(?:[kKmMbB]|bn|million|billion|thousand)\b)",
        r"\2 to \1\3",
    ),
    # In a range, "$5-10" and "$5-$10" alike.
    (r"(?<=\d)([kKmMbB]?)\s?[-–—]\s?(?=(?:US|HK|NZ|NT|MX|[ACRS])?[$€£¥₹]\s?\d)", r"\1 to "),
    (
        rf"(?<![\w.])([$€£₹])\s?({NUMBER})\s?[-–—]\s?({NUMBER}(?:\s?(?:[kKmMbB]|million|billion|thousand)\b)?)(?![\w/-])",
        r"\2 to \1\3",
    ),
    (
        rf"{LEFT}(?P<minus>[-−–])?(?P<sign>{_SIGNS}|¥)\s?(?P<amount>{NUMBER}|\.\d\d){_SCALE}{_END}",
        _sum,
    ),
    (
        rf"{LEFT}(?P<minus>[-−–])?(?P<amount>{NUMBER}){_SCALE}\s?(?P<sign>{_CODES}|[€£$₹])\b{_END}",
        _sum,
    ),
    (rf"{LEFT}(?P<minus>[-−–])?(?P<amount>{NUMBER})(?P<scale>)\s?(?P<sign>[€£$₹]){_END}", _sum),
    (
        r"(?<![\w.,/-])(\d{1,2})\s?¢",
        lambda m: f"{cardinal(int(m[1]))} {'cent' if m[1] == '1' or is_attribute(m) else 'cents'}",
    ),
)
