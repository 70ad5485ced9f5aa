"""Which share of the numbers, signs and abbreviations of real texts is put into words, and which is left as unsure.

    python benchmarks/verbalized_share.py FILE... [--sample 60] [--seed 1]
    python benchmarks/verbalized_share.py --tables

FILE is JSON or JSON Lines of any shape: every string in it is split into sentences, and each form is counted by its
kind: as *said* if its digits and signs are gone from the spoken sentence, as *unsure* if they are still there, so that
the row would be rejected. `--sample` prints sentences with their spoken form, to be read by eye. `--tables` does the
same for the golden tables of the tests, where the right value is known: *right*, *rejected* (unsaid though it could be
said) and *wrong*.
"""

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.text.sentences import split_sentences
from pipeline.text.verbalize import strip_markup, unspeakable, verbalize

_HAN = re.compile("[\u4e00-\u9fff]")
_FORM = {
    "en": re.compile(
        r"\S*[0-9$€£¥%°@#+=<>^&±×÷≈√²³½¼¾]\S*|\b[A-Z][a-z]{0,4}\.(?=\s+[A-Z])|\S*[A-Za-z]/[A-Za-z]\S*|\S+\.(?:com|org|js)\S*"
    ),
    "zh": re.compile(
        r"[\x21-\x2b\x2d-\x2f\x3a-\x7e０-９：／－￥]*[0-9０-９$€£¥￥%℃√π½②①]+[\x21-\x2b\x2d-\x7e０-９：／－￥%℃]*"
    ),
}
# A sentence with one of these is program code or markup, and so are all forms in it.
_CODE = re.compile(
    r"[{}\\]|<\||\|>|\w\(\w*[),]|==|!=|\+=|;\s*$|\$[a-z]|\w_\w|</?[a-z]|\]\[|\[\[|^\|.*\|$|\w\.\w+\(|^(?:#|//)\s"
    r"|^(?:int|var|let|const|return|for|while|def|import|from|self\b.*)\b.*[=();\[]"
)
_CODE_KIND = "code or markup"
_ALL = "all but code or markup"
# The first that fits.
_KINDS = (
    (_CODE_KIND, r"[{}\\`_]|\w\(|\)\w|\[\d|\]|==|=>|!=|\*\*|</?[a-z]"),
    ("address", r"@\w|://|www\.|\.(?:com|org|js|net|html)\b"),
    ("money", r"[$€£¥￥]"),
    ("percent", "%"),
    ("date", r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}"),
    ("version", r"\d+\.\d+\.\d+|[vV]\d"),
    ("colon", r"\d[:：]\d"),
    ("arithmetic", r"[+=×÷^√≈<>±²³]"),
    ("slash", "[/／]"),
    ("range or hyphen", r"\d\s?[-–－~～]\s?\d|-\d|\d-"),
    ("ordinal or decade", r"\d(?:st|nd|rd|th|s)\b"),
    ("letters and digits", r"[A-Za-z]\d"),
    ("unit", r"\d\s?[A-Za-z°℃\"']"),
    ("decimal", r"\d\.\d"),
    ("grouped", r"\d,\d"),
    ("sign", r"^\D+$"),
    ("four digits", r"(?<!\d)\d{4}(?!\d)"),
    ("whole number", r"\d"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="print this many sentences that were put into words")
    parser.add_argument("--unsure", type=int, default=0, help="print this many sentences that were not")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", action="store_true", help="measure the golden tables of the tests")
    arguments = parser.parse_args()
    if arguments.tables:
        show_tables()
    elif arguments.files:
        measure(arguments)
    else:
        parser.error("name a file, or --tables")


def measure(arguments: argparse.Namespace) -> None:
    counts: Counter[tuple[str, str, str]] = Counter()
    said: list[str] = []
    unsure: list[str] = []
    for file in arguments.files:
        for text in strings_of(file):
            language = "zh" if len(_HAN.findall(text)) * 4 > len(text) else "en"
            for sentence in sentences_of(text, language):
                forms = [match[0] for match in _FORM[language].finditer(sentence)]
                if not forms:
                    continue
                spoken = verbalize(sentence, language)
                left = unspeakable(spoken, language, allow_latin=True)
                (unsure if left else said).append(f"{sentence}\n    {spoken}")
                for form in forms:
                    kind = _CODE_KIND if _CODE.search(sentence) else kind_of(form)
                    counts[language, kind, "unsure" if is_left(form, spoken) else "said"] += 1
    for language in ("en", "zh"):
        show(language, counts)
    generator = random.Random(arguments.seed)
    for title, texts, number in (("said", said, arguments.sample), ("unsure", unsure, arguments.unsure)):
        for text in generator.sample(texts, min(number, len(texts))):
            print(f"{title}: {text}")


def show(language: str, counts: Counter[tuple[str, str, str]]) -> None:
    kinds = [kind for kind, _ in _KINDS if any(counts[language, kind, outcome] for outcome in ("said", "unsure"))]
    print(f"| {language} | forms | said | unsure |\n|---|---|---|---|")
    for kind in [*kinds, _ALL]:
        names = [name for name in kinds if name != _CODE_KIND] if kind == _ALL else [kind]
        good, bad = (sum(counts[language, name, outcome] for name in names) for outcome in ("said", "unsure"))
        if good + bad:
            print(f"| {kind} | {good + bad} | {good / (good + bad):.1%} | {bad / (good + bad):.1%} |")


def strings_of(file: Path) -> Iterator[str]:
    text = file.read_text(encoding="utf-8")
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    for value in values:
        yield from strings_in(value)


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings_in(part)


def sentences_of(text: str, language: str) -> Iterator[str]:
    for line in strip_markup(text).splitlines():
        # The number of a list item is no part of what is said.
        if content := re.sub(r"^\s*(?:\d{1,2}[.)、]\s*|[-*•]\s+)", "", line).strip():
            yield from split_sentences(content, language)


def kind_of(form: str) -> str:
    return next((kind for kind, pattern in _KINDS if re.search(pattern, form)), "sign")


def is_left(form: str, spoken: str) -> bool:
    """Whether digits or signs of the form are still in the spoken sentence."""
    runs = re.findall(r"\d+", form)
    if runs:
        return any(re.search(rf"(?<!\d){run}(?!\d)", spoken) for run in runs)
    return any(sign in spoken for sign in re.findall(r"[^\w\s.,?!'-]", form))


def show_tables() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.pipeline.text.verbalize import chinese_rows, english_rows

    print("| table | rows | right | rejected | wrong |\n|---|---|---|---|---|")
    for language, table in (("en", english_rows), ("zh", chinese_rows)):
        for kind, rows in table.SAID.items():
            outcomes = Counter(_outcome(verbalize(written, language), right, language) for written, right in rows)
            print(
                f"| {language}, {kind} | {len(rows)} | " + " | ".join(str(outcomes[name]) for name in _OUTCOMES) + " |"
            )
        refused = sum(
            bool(unspeakable(verbalize(text, language), language, allow_latin=True)) for text in table.UNSURE
        )
        total = len(table.UNSURE)
        print(f"| {language}, unsure | {total} | {refused} | | {total - refused} |")


_OUTCOMES = ("right", "rejected", "wrong")


def _outcome(spoken: str, right: str, language: str) -> str:
    if spoken == right:
        return "right"
    return "rejected" if unspeakable(spoken, language, allow_latin=True) else "wrong"


if __name__ == "__main__":
    main()
