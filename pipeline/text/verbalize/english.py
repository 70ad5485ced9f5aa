"""Correct English text before and after the normalizer, by tables of (pattern, replacement) applied in order.

`BEFORE` repairs what wetext 0.1.8 misreads; `AFTER` tidies its output. The comment on each group says what goes wrong
without it.
"""

import re

from pipeline.text.replacements import compile_rules

_DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
_ORDINALS = {
    "II": "the second",
    "III": "the third",
    "IV": "the fourth",
    "VI": "the sixth",
    "VII": "the seventh",
    "VIII": "the eighth",
    "XII": "the twelfth",
    "XIV": "the fourteenth",
    "XV": "the fifteenth",
    "XVI": "the sixteenth",
}
_ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12}
_MONARCHS = "Henry|Louis|Elizabeth|George|Charles|Edward|James|William|Richard|Philip|Pius|Paul|Napoleon|Nicholas"
_CURRENCIES = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds"), "¥": ("yuan", "yuan")}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"}


def _digit_by_digit(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    return ", ".join(" ".join(_DIGITS[digit] for digit in group) for group in groups)


def _currency(match: re.Match[str]) -> str:
    one, many = _CURRENCIES[match["sign"]]
    scale = match["scale"] or ""
    scale = _SCALES.get(scale.lower(), scale)
    amount = match["amount"].replace(",", "")
    whole, _, part = amount.partition(".")
    if len(part) == 2 and not scale and match["sign"] != "¥":
        coin = "pence" if match["sign"] == "£" else "cents"
        coins = "" if part == "00" else f" and {int(part)} {coin}"
        return f"{_thousands(whole)} {one if whole == '1' else many}{coins}"
    return " ".join(filter(None, (_thousands(amount), scale, one if amount == "1" and not scale else many)))


def _thousands(number: str) -> str:
    """Write four digits so that wetext reads them as a number; by themselves it takes them for a year."""
    match = re.fullmatch(r"(\d)(\d{3})", number)
    if not match:
        return number
    rest = int(match[2])
    return f"{match[1]} thousand" + (f" {rest}" if rest else "")


def _grouped(match: re.Match[str]) -> str:
    return _thousands(match.group().replace(",", ""))


BEFORE = compile_rules(
    # Single quotation marks around words (not apostrophes), and blanks to be filled in.
    (r"(?<![A-Za-z0-9])'(\w[^'\n]*(?:[a-z]'[a-z][^'\n]*)*)'(?![A-Za-z0-9])", r"\1"),
    (r"_{2,}", " blank "),
    # A quoted sentence inside another: its full stop does not end the sentence around it.
    (r"\.\"(?=\s+[a-z])", '"'),
    # Square brackets are an error in wetext.
    (r"\s*[\[\]{}]+\s*", ", "),
    # A colon after a verb is not a pause.
    (r"\b(include|includes|including|are|is|were|was|be|of|like|such as)\s?:\s+", r"\1 "),
    # Abbreviations that wetext leaves or breaks: "e.g.", "vs.", "etc.", "No. 5" ("Number. five"), "Ph.D." ("PHD").
    (r"(?i)\be\.\s?g\.,?", "for example,"),
    (r"(?i)\bi\.\s?e\.,?", "that is,"),
    (r"(?i)\betc\.(?=\s+[A-Z]|\s*$)", "and so on."),
    (r"(?i)\betc\b\.?", "and so on"),
    (r"\b[Vv]s?\.(?=\s)|\bvs\b", "versus"),
    (r"\b[Nn]os?\.\s?(?=\d)", "number "),
    (r"\bPh\.\s?D\.?", "PhD"),
    (r"\b([AaPp])\.\s?[Mm]\.(?=\s+[A-Z]|\s*$)", r"\1m."),
    (r"\b([AaPp])\.\s?[Mm]\.", r"\1m"),
    (r"\b[Aa]pprox\.?(?=\s)", "approximately"),
    (r"\bProf\.(?=\s)", "Professor"),
    (r"\bMrs\.?(?=\s)", "Missus"),
    (r"\bMs\.(?=\s)", "Miz"),
    (r"\bSt\.(?=\s+[A-Z])", "Saint"),
    (r"\b(Jr|Sr)\.", lambda m: "Junior" if m[1] == "Jr" else "Senior"),
    (r"\bInc\.", "Incorporated"),
    (r"\bLtd\.", "Limited"),
    (r"\bCo\.(?=[\s,])", "Company"),
    (r"\bw/o\b", "without"),
    (r"\bw/(?=\s)", "with"),
    # A capital after a name is an ordinal, elsewhere a cardinal: wetext leaves both, except after "World War".
    (rf"\b({_MONARCHS})\s+({'|'.join(_ORDINALS)})\b", lambda m: f"{m[1]} {_ORDINALS[m[2]]}"),
    (rf"\b([A-Z][a-z]+)\s+({'|'.join(_ROMAN)})\b", lambda m: f"{m[1]} {_ROMAN[m[2]]}"),
    # Telephone numbers, which wetext reads as ranges ("five hundred and fifty five to one thousand ...").
    (r"(?<![\d-])(?:\+?1[ -])?(?:\(\d{3}\)\s?|\d{3}-)?\d{3}-\d{4}(?![\d-])", _digit_by_digit),
    # Fixed expressions that it reads as fractions or dates.
    (r"\b24/7\b", "twenty four seven"),
    (r"\b(50/50|20/20|9/11)\b", lambda m: m[1].replace("/", " ")),
    # Money: a range keeps its dash, "$1000" gives "thousand dollars", "$10K" "dollar ten K", a cent sign is an error.
    (r"(\d)\s?[-–—]\s?(?=[$€£¥]\d)", r"\1 to "),
    (
        r"(?P<sign>[$€£¥])\s?(?P<amount>\d+(?:,\d{3})*(?:\.\d+)?)"
        r"(?:\s?(?P<scale>thousand|million|billion|trillion|[kK]|[mM]|bn|mn|[bB]|[tT])\b)?",
        _currency,
    ),
    (r"(\d)\s?¢", r"\1 cents"),
    (r"\b(\d+(?:\.\d+)?)k\b|\b(\d{2,})K\b", lambda m: f"{m[1] or m[2]} thousand"),
    # "1,234" gives "thousand two hundred ...", and "1000" "ten hundred".
    (r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)", _grouped),
    (r"(?<![\d.,-])([1-9])000(?![\d,%-]|\.\d)", r"\1 thousand"),
    # Ranges: of years (read as long numbers), of percentages, and with a dash.
    (r"\b(1\d{3}|20\d\d)\s?[-–—]\s?(1\d{3}|20\d\d)\b", r"\1 to \2"),
    (r"(\d%?)\s?[-–—]\s?(\d+(?:\.\d+)?%)", r"\1 to \2"),
    (r"(\d)[–—](\d)", r"\1 to \2"),
    # Decades: "1990s" is read as seconds.
    (r"\b(1\d|20)([1-9]0)['’]?s\b", r"\1 '\2s"),
    (r"\b(\d+)00['’]?s\b", r"\g<1>00 hundreds"),
    # Arithmetic: a minus between other operators is not a range, and wetext does not know these signs.
    (r"(?<=\d) ?[-−] ?(?=\d+(?:\.\d+)? ?[x×*+/=÷])", " minus "),
    (r"([x×*+/=÷] ?\d+(?:\.\d+)?) [-−] (?=\d)", r"\1 minus "),
    (r"\s?−\s?(?=\d)", " minus "),
    (r"(?<=[\da-z])\s?×\s?(?=\d)|(?<=\d)\s?\*\s?(?=\d)|(?<=[a-z]) \* (?=\d)", " times "),
    (r"\s?÷\s?", " divided by "),
    (r"(?<=\d) / (?=\d)", " divided by "),
    (r"\s?=\s?(?=\?)", " equals what"),
    (r"\^([4-9]\d*|[1-3]\d+)", r" to the power of \1"),
    (r"\s?±\s?", " plus or minus "),
    (r"\s?≈\s?", " is about "),
    # Units that it misses or mistakes: a bare "m" is read as minutes.
    (r"(\d)\s?m\b(?!\s?/|')", r"\1 meters"),
    (r"(\d+)\s?(?:'|′|ft\.?)\s?(\d+)\s?(?:\"|″|in\b\.?)", r"\1 feet \2 inches"),
    (r"(\d)\s?tbsps?\b\.?", r"\1 tablespoons"),
    (r"(\d)\s?tsps?\b\.?", r"\1 teaspoons"),
    (r"(\d)\s?(?:hrs?)\b\.?", r"\1 hours"),
    (r"(\d)\s?secs?\b\.?", r"\1 seconds"),
    (r"(\d)\s?L\b", r"\1 liters"),
    (r"\bsquare cm\b", "square centimeters"),
    (r"\bcubic cm\b", "cubic centimeters"),
    (r"(\d)\s?°\s?([CF])\b", r"\1°\2"),
    (r"\bkm/h\b", "kilometers per hour"),
    (r"\bm/s\b", "meters per second"),
    (r"\b1 (tablespoon|teaspoon|hour|second|liter|meter)s\b", r"1 \1"),
    # A tilde loses its space ("approximatelytwenty"); a hash before a number is an error.
    (r"~\s?(?=\d)", "about "),
    (r"#\s?(?=\d)", "number "),
    (r"\bC#", "C sharp"),
    (r"#(?=[A-Za-z])", "hashtag "),
    # Slashes between words stay as they are: "A/B testing", "and/or", "he/she".
    (r"\band/or\b", "and or"),
    (r"\b([A-Z])/([A-Z])\b", r"\1 \2"),
    (r"(?<=[A-Za-z])\s?/\s?(?=[A-Za-z])", " or "),
    (r"\s*&\s*", " and "),
)

AFTER = compile_rules(
    # Months come out in lower case; "march" and "may" only after "of".
    (
        r"\b(january|february|april|june|july|august|september|october|november|december)\b",
        lambda m: m[1].capitalize(),
    ),
    (r"\bof (march|may)\b", lambda m: f"of {m[1].capitalize()}"),
    (r"\bMisses\b", "Missus"),
    (r"\b([a-z]+) hundred hundreds\b", r"\1 hundreds"),
    # Some punctuation is heard as a pause; the rest is silent.
    (r"[\"“”„«»]", ""),
    (r"[*_`]+", " "),
    (r"\s*[()\[\]{};:|]+\s*", ", "),
    (r"\s+-+\s+|--+|\s*[–—]+\s*", ", "),
    (r"(?<![A-Za-z])-|-(?![A-Za-z])", " "),
    (r"(?<![A-Za-z])'(?![A-Za-z])", ""),
    (r"(?<![A-Za-z])'(?=[A-Za-z]+')|(?<![A-Za-z0-9])'(?!(?:s|t|re|ve|ll|d|m|em|til|cause|tis|twas)\b)", ""),
)
