"""Chinese characters and signs before and after the numbers: typography of print, punctuation, blanks."""

import re
import unicodedata

from pipeline.text.replacements import compile_rules
from pipeline.text.scripts import HAN

# Superscripts and subscripts as print has them: "10⁸", "H₂O".
_SUPER = str.maketrans("⁰¹⁴⁵⁶⁷⁸⁹", "01456789")


def _compatible(match: re.Match[str]) -> str:
    """Write ㎡ as m², ㎏ as kg."""
    text = unicodedata.normalize("NFKC", match[0])
    return re.sub(r"(?<=m)2$", "²", re.sub(r"(?<=m)3$", "³", text))


def _vulgar(match: re.Match[str]) -> str:
    fraction = unicodedata.normalize("NFKC", match["fraction"]).replace("⁄", "/")
    return f"{match['whole']}又{fraction}" if match["whole"] else fraction


def _circled(match: re.Match[str]) -> str:
    number = unicodedata.normalize("NFKC", match["number"]).strip("().")
    following = match.string[match.end() : match.end() + 1]
    if "①" <= following <= "⒛":
        return f"{number}、"
    return f"{number}，" if match["first"] is not None and match["first"] != "#" else number


def _exponent(match: re.Match[str]) -> str:
    return f"^{match[0].translate(_SUPER)}"


CHARACTERS = compile_rules(
    (r"(?<=\d)\s?円", "日元"),
    (r"[\u3371-\u33df]", _compatible),
    (r"(?P<whole>(?<!\d)\d{0,3})(?P<fraction>[¼-¾⅐-⅞])", _vulgar),
    (r"(?P<first>(?:^|(?<=[。；;：:\n，]))\s*)?(?P<number>[①-⒛])", _circled),
    (r"[⁰¹⁴-⁹]+", _exponent),
    (r"[₀-₉]", lambda m: unicodedata.normalize("NFKC", m[0])),
    (r"<=", "≤"),
    (r">=", "≥"),
    (r"￥", "¥"),
    (r"″", '"'),
    (r"′", "'"),
    (r"(?<=\d)\s?[：∶﹕]\s?(?=(?>\d+(?:\.\d+)?)(?!\s?[-+*×÷/=]))", ":"),
    (r"(?<=\d)，(?=\d{3}(?!\d))(?<!\d{4}，)", ","),
    (r"(?<=\d)[－﹣‐‑](?=\d)", "-"),
    (r"&(?=\d)", "和"),
    # Half-width punctuation beside Chinese text.
    (r"(?<=[^\x00-\x7f]),\s?|,\s?(?=[^\x00-\x7f])", "，"),
    (r"(?<=[^\x00-\x7f])\.(?=\s|$|[^\x00-\x7f])|(?<=\d)\.(?=\s|$)", "。"),
    (r"(?<=[A-Za-z+]),\s?(?=[A-Za-z])|(?<=[A-Za-z0-9]),\s(?=[-A-Za-z0-9])", "，"),
    # The end of an English sentence, but not of "Dr."
    (rf"(?<=[a-z]{{2}})(?<![A-Z][a-z])(?<!Mrs)(?<!vs)\.(?=\s|$|[{HAN}])", "。"),
    # The letter of a choice, and an initial.
    (rf"(?<![A-Za-z])([A-Z])\.\s?(?=[{HAN}])", r"\1，"),
    (r"(?<=[A-Za-z] )([A-Z])\.(?=\s[A-Z])", r"\1"),
    (r"(?<=[^\x00-\x7f])\?|\?(?=\s|$|[^\x00-\x7f])", "？"),
    (r"(?<=[^\x00-\x7f])!|!(?=\s|$|[^\x00-\x7f])", "！"),
    # Blanks around numbers, as word processors set them.
    (rf"(?<=\d)[^\S\n]+(?=[{HAN}])|(?<=[{HAN}])[^\S\n]+(?=[-+]?\d)", ""),
    # A blank to be filled in.
    (r"_{2,}", "什么"),
    (r"\|([A-Za-z](?:[-+][A-Za-z0-9])?)\|", r"⟨|\1|⟩"),
    # A sign beside a bracket belongs to a formula: "2*(3+4)".
    (r"\*(?=\s?[(（\[])|(?<=[)）\]])\s?\*(?=\s?[\w(（])", "×"),
    (r"(?<![A-Za-z])([A-Za-z])[(（](?=[\x21-\x28\x2a-\x7e]{0,12}[)）])", r"\1⟨"),
)

SYMBOLS = compile_rules(
    ("和/或", "和或"),
    (r"℃", "摄氏度"),
    (r"(?<=[A-Za-z0-9)）])\s?\*\s?(?=[A-Za-z0-9(（])", "×"),
    (r"(?<![A-Za-z])([A-Z])\+\+", r"\1加加"),
    (r"(?<=[^\x00-\x7f\d])\s?/\s?(?=[^\x00-\x7f\d])", "或"),
    (r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
    (r"\s*&\s*", "和"),
    (r"(?<=[^\x00-\x7f])\s?\+\s?(?=[^\x00-\x7f])", "加"),
    (r"(?<![A-Za-z])π|(?<=[零一二三四五六七八九十百千])π", "派"),
    # A hyphen between a Latin word and a number.
    (rf"(?<=[A-Za-z])-(?=[{HAN}])", ""),
)

PUNCTUATION = compile_rules(
    (r"[“”‘’\"「」『』《》〈〉【】`]", ""),
    (r"(?<![A-Za-z0-9])[*_]+|[*_]+(?![A-Za-z0-9])", ""),
    (r"(?<![A-Za-z])'|'(?![A-Za-z])", ""),
    (r"\s*[()（）\[\]{}；;：:|]+\s*", "，"),
    (r"\s*(?:—+|–+|…+|\.{3,}|~+|～+)\s*", "，"),
    (r"(?<=[^\x00-\x7f])\s?-\s?(?=[^\x00-\x7f])|\s+-\s+", "，"),
    (r"[·•・]", ""),
    (r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", ""),
)
