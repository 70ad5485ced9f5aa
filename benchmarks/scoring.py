"""Turn pairs per second that are normalized and scored, against jiwer with simple transforms; how many pairs of the
golden tables other normalizers get right; how many readings of a program ours gets right.

    python benchmarks/scoring.py speed [--pairs 4000]
    python benchmarks/scoring.py tables [--only wetext]
    python benchmarks/scoring.py readings

Speed: sentences of 8 to 40 words (16 to 60 characters), made up here; every twentieth word is one that no cache has
seen, one character in a hundred a rare one; three pairs in ten hold a number, one in seven an error, one hypothesis in
twenty is in traditional characters. The hypothesis is printed as recognizers print it:
numbers as digits, another punctuation. Both sides run in this process on one core, by processor time, interleaved; the
best of several rounds counts, since other work on the machine only ever adds.

jiwer's transforms lower the case, remove punctuation and split words (characters), and read no number.

Tables: a normalizer that is not installed is named and left out.
"""

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jiwer
import zhconv

from pipeline.scoring.normalize import normalize
from pipeline.scoring.rates import score

GOLDEN = Path(__file__).parents[1] / "tests" / "pipeline" / "scoring" / "golden"
ROUNDS = 5
Pair = tuple[str, str]

WORDS = (
    "the one a of to and in is it you that for on are as with his they at be this from have or by had not but what "
    "all were when we there can an your which their said if do will each about how up out them then she many some so "
    "these would other into has more her like him see time could no make than first been its who now people my made "
    "over did down only way find use may water long little very after words called just where most know get through "
    "back much before go good new write our used me man too any day same right look think also around another came "
    "come work word must because does part even place well such here take why things help put years different "
    "away again off went old number great tell men say small every found still between name should home big give air "
    "line set own under read last never us left end along while might next sound below saw something thought both few "
    "those always looked show large often together asked house don't going want school important until form food keep "
    "children feet land side without boy once animals life enough took sometimes head above kind began almost "
    "live page got earth need far hand high year mother light parts country father let night following picture being "
    "study eyes soon times story boys since white days ever paper hard near sentence better best across during "
    "today others however sure means knew it's try told young miles sun ways thing whole hear example heard several "
    "change answer room sea against top turned learn point city play toward using himself usually I'm can't"
).split()
CHARACTERS = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方"
    "多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机民第公此已工使情"
    "明性知全又关点正业外将高间由问很最重并物手应战向头文体政美相见被利什等产或新己制身果加西斯月话合回特代内信表化老给"
)
# The second half of the characters of GB 2312, in the order of their radicals.
RARE_CHARACTERS = "".join(
    bytes((row, cell)).decode("gb2312") for row in range(0xD8, 0xF8) for cell in range(0xA1, 0xFF)
)
SYLLABLES = "ba de fi go lu ma ne pi ro su ta ve wi zo".split()
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = ". . twenty thirty forty fifty sixty seventy eighty ninety".split()


def english_number(value: int) -> str:
    """Below a million."""
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10] + (f"-{ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        rest = f" and {english_number(value % 100)}" if value % 100 else ""
        return f"{ONES[value // 100]} hundred{rest}"
    rest = f" {english_number(value % 1000)}" if value % 1000 else ""
    return f"{english_number(value // 1000)} thousand{rest}"


def chinese_number(value: int) -> str:
    """Below ten thousand."""
    if value < 20:
        return "十" * (value >= 10) + ("零一二三四五六七八九"[value % 10] if value % 10 or not value else "")
    said = ""
    for block, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // block % 10
        if digit:
            said += "零一二三四五六七八九"[digit] + name
        elif said and not said.endswith("零") and value % block:
            said += "零"
    return said


def english_phrase(draw: random.Random) -> Pair:
    """A number as it is said and as it is printed."""
    small, large, tens = draw.randint(2, 99), draw.randint(100, 250_000), draw.randint(10, 59)
    century = draw.choice((18, 19, 20))
    return draw.choice(
        (
            (english_number(small), str(small)),
            (english_number(large), f"{large:,}"),
            (f"in {english_number(century)} {english_number(tens)}", f"in {century}{tens}"),
            (f"{english_number(small)} percent", f"{small}%"),
            (f"{english_number(small)} dollars and {english_number(tens)} cents", f"${small}.{tens}"),
            (f"at {english_number(small % 12 + 1)} {english_number(tens)}", f"at {small % 12 + 1}:{tens}"),
            (f"{english_number(small)} point {ONES[small % 10]}", f"{small}.{small % 10}"),
            (f"{english_number(small)} kilometers", f"{small} km"),
            (f"on May {['first', 'third', 'ninth'][small % 3]}", f"on May {[1, 3, 9][small % 3]}"),
        )
    )


def chinese_phrase(draw: random.Random) -> Pair:
    small, large, tens = draw.randint(2, 99), draw.randint(100, 9_999), draw.randint(10, 59)
    year = draw.randint(1900, 2030)
    return draw.choice(
        (
            (f"{chinese_number(small)}个", f"{small}个"),
            (f"{chinese_number(large)}人", f"{large}人"),
            ("".join("零一二三四五六七八九"[int(digit)] for digit in str(year)) + "年", f"{year}年"),
            (f"百分之{chinese_number(small)}", f"{small}%"),
            (f"{chinese_number(large)}元", f"¥{large}"),
            (f"{small % 24}点{chinese_number(tens)}分", f"{small % 24}:{tens}"),
            (f"{chinese_number(small)}点五", f"{small}.5"),
            (f"{chinese_number(small)}公里", f"{small}km"),
            (f"{chinese_number(small % 12 + 1)}月三号", f"{small % 12 + 1}月3号"),
        )
    )


def english_pair(draw: random.Random, numbers: int) -> Pair:
    words = [
        "".join(draw.choices(SYLLABLES, k=4)) if draw.random() < 0.05 else draw.choice(WORDS)
        for _ in range(draw.randint(8, 40) - 2 * numbers)
    ]
    heard = [word.replace("'", "’") for word in words] if draw.random() < 0.2 else list(words)
    if draw.random() < 1 / 7:
        heard[draw.randrange(len(heard))] = draw.choice(WORDS)
    for _ in range(numbers):
        at = draw.randrange(len(words))
        said, printed = english_phrase(draw)
        words[at], heard[at] = said, printed
    half = len(words) // 2
    words[half] += ","
    return " ".join(words).capitalize() + draw.choice(".?!"), " ".join(heard).capitalize() + "."


def chinese_pair(draw: random.Random, numbers: int) -> Pair:
    characters = [
        draw.choice(RARE_CHARACTERS) if draw.random() < 0.01 else draw.choice(CHARACTERS)
        for _ in range(draw.randint(16, 60) - 4 * numbers)
    ]
    heard = list(characters)
    if draw.random() < 1 / 7:
        heard[draw.randrange(len(heard))] = draw.choice(CHARACTERS)
    for _ in range(numbers):
        at = draw.randrange(len(characters))
        characters[at], heard[at] = chinese_phrase(draw)
    half = len(characters) // 2
    if draw.random() < 0.05:
        heard = [zhconv.convert("".join(heard), "zh-hant")]
    return "".join([*characters[:half], "，", *characters[half:], draw.choice("。？！")]), "".join([*heard, "。"])


def pairs(language: str, count: int, share_with_numbers: float, numbers: int, seed: int = 1) -> list[Pair]:
    draw = random.Random(seed)
    make = english_pair if language == "en" else chinese_pair
    return [make(draw, numbers if draw.random() < share_with_numbers else 0) for _ in range(count)]


# -- speed --------------------------------------------------------------------------------------------------------


MIXES = {"mix, 30 % with a number": (0.3, 1), "no number": (0.0, 0), "three numbers each": (1.0, 3)}
CHARACTER_TRANSFORMS = jiwer.Compose(
    [jiwer.RemovePunctuation(), jiwer.RemoveWhiteSpace(), jiwer.ReduceToListOfListOfChars()]
)
WORD_TRANSFORMS = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


def jiwer_score(reference: str, hypothesis: str, language: str) -> None:
    if language == "zh":
        jiwer.process_characters(reference, hypothesis, CHARACTER_TRANSFORMS, CHARACTER_TRANSFORMS)
    else:
        jiwer.process_words(reference, hypothesis, WORD_TRANSFORMS, WORD_TRANSFORMS)


def per_second(one: Callable[[str, str, str], object], batch: list[Pair], language: str) -> float:
    started = time.process_time()
    for said, printed in batch:
        one(said, printed, language)
    return len(batch) / (time.process_time() - started)


def speed(count: int) -> None:
    """The best of several rounds, each with new pairs, ours and jiwer's in turn."""
    print("| language | pairs | ours, pairs/s | jiwer, pairs/s | ratio |\n|---|---|---|---|---|")
    for language in ("en", "zh"):
        for name, (share, numbers) in MIXES.items():
            ours, theirs = [], []
            for seed in range(ROUNDS):
                batch = pairs(language, count, share, numbers, seed)
                ours.append(per_second(score, batch, language))
                theirs.append(per_second(jiwer_score, batch, language))
            print(f"| {language} | {name} | {max(ours):,.0f} | {max(theirs):,.0f} | {max(ours) / max(theirs):.1f} |")


# -- tables -------------------------------------------------------------------------------------------------------

Normalizer = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    make: Callable[[], Normalizer]


def golden(language: str, kind: str) -> list[Pair]:
    path = GOLDEN / f"{ {'en': 'english', 'zh': 'chinese'}[language] }_{kind}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return [(said, printed) for said, printed in rows]


def folded(text: str) -> str:
    """Case, width and punctuation: what every comparison below begins or ends with."""
    return normalize(text, "xx")


def whisper_english() -> Normalizer:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()  # type: ignore[no-any-return]


def whisper_basic() -> Normalizer:
    from whisper_normalizer.basic import BasicTextNormalizer

    return BasicTextNormalizer()  # type: ignore[no-any-return]


def wetext(language: str, operator: str) -> Normalizer:
    from wetext import Normalizer as WeText

    return WeText(lang=language, operator=operator).normalize  # type: ignore[no-any-return]


def nemo(language: str, operator: str) -> Normalizer:
    if operator == "itn":
        from nemo_text_processing.inverse_text_normalization.inverse_normalize import InverseNormalizer

        inverse = InverseNormalizer(lang=language)
        return lambda text: str(inverse.inverse_normalize(text, verbose=False))
    from nemo_text_processing.text_normalization.normalize import Normalizer as Nemo

    forward = Nemo(input_case="cased", lang=language)
    return lambda text: str(forward.normalize(text, verbose=False))


def cn2an_digits() -> Normalizer:
    import cn2an

    return lambda text: str(cn2an.transform(text, "cn2an"))


def text2num_digits() -> Normalizer:
    from text_to_num import alpha2digit

    return lambda text: str(alpha2digit(text, "en"))


def simplified() -> Normalizer:
    import zhconv

    return lambda text: str(zhconv.convert(text, "zh-hans"))


def chain(*parts: Callable[[], Normalizer]) -> Callable[[], Normalizer]:
    def make() -> Normalizer:
        steps = [part() for part in parts]

        def apply(text: str) -> str:
            for step in steps:
                text = step(text)
            return folded(text)

        return apply

    return make


PEERS = {
    "en": (
        Peer("folding alone", chain()),
        Peer("whisper-normalizer, basic", chain(whisper_basic)),
        Peer("whisper-normalizer, English", chain(whisper_english)),
        Peer("text2num", chain(text2num_digits)),
        Peer("text2num, then whisper-normalizer", chain(text2num_digits, whisper_english)),
        Peer("wetext, ITN", chain(lambda: wetext("en", "itn"))),
        Peer("wetext, TN", chain(lambda: wetext("en", "tn"))),
        Peer("wetext, TN, then whisper-normalizer", chain(lambda: wetext("en", "tn"), whisper_english)),
        Peer("NeMo text processing, ITN", chain(lambda: nemo("en", "itn"))),
        Peer("NeMo text processing, TN", chain(lambda: nemo("en", "tn"))),
        Peer("ours", lambda: lambda text: normalize(text, "en")),
    ),
    "zh": (
        Peer("folding alone", chain(simplified)),
        Peer("whisper-normalizer, basic", chain(simplified, whisper_basic)),
        Peer("cn2an", chain(simplified, cn2an_digits)),
        Peer("wetext, ITN", chain(simplified, lambda: wetext("zh", "itn"))),
        Peer("wetext, TN", chain(simplified, lambda: wetext("zh", "tn"))),
        Peer("wetext, TN, then ITN", chain(simplified, lambda: wetext("zh", "tn"), lambda: wetext("zh", "itn"))),
        Peer("NeMo text processing, ITN", chain(simplified, lambda: nemo("zh", "itn"))),
        Peer("NeMo text processing, TN", chain(simplified, lambda: nemo("zh", "tn"))),
        Peer("ours", lambda: lambda text: normalize(text, "zh")),
    ),
}


def agreeing(normalizer: Normalizer, rows: list[Pair], spaces: str) -> int:
    """Pairs whose normalized texts are equal; a text on which a normalizer raises agrees with nothing."""
    count = 0
    for said, printed in rows:
        try:
            count += normalizer(said).replace(" ", spaces) == normalizer(printed).replace(" ", spaces)
        except Exception:  # noqa: BLE001  third-party code, any failure of which is a failure to agree
            continue
    return count


def tables(name: str) -> None:
    """A row for each normalizer whose name holds `name`."""
    for language, peers in PEERS.items():
        same, different = golden(language, "same"), golden(language, "different")
        spaces = "" if language == "zh" else " "
        print(f"\n| {language} | agree, of {len(same)} | wrongly equal, of {len(different)} | µs per text |")
        print("|---|---|---|---|")
        for peer in (one for one in peers if name in one.name):
            try:
                normalizer = peer.make()
            except ImportError:
                print(f"| {peer.name} | not installed | | |")
                continue
            agree, wrong = agreeing(normalizer, same, spaces), agreeing(normalizer, different, spaces)
            started = time.process_time()
            agreeing(normalizer, same, spaces)
            each = (time.process_time() - started) / (2 * len(same))
            print(f"| {peer.name} | {agree} | {wrong} | {each * 1e6:.0f} |")


# -- readings -----------------------------------------------------------------------------------------------------


def readings() -> None:
    """English numbers beside how num2words reads them: readings that we did not write."""
    from num2words import num2words

    kinds = {
        "cardinals": [(num2words(n), str(n)) for n in [*range(3000), *range(3000, 1_000_000, 997)]],
        "ordinals": [(num2words(n, to="ordinal"), num2words(n, to="ordinal_num")) for n in range(1, 2500)],
        "years": [(num2words(n, to="year"), str(n)) for n in range(1100, 2100)],
        "decimals": [(num2words(n / 100), str(n / 100)) for n in range(0, 3000, 7)],
        "amounts": [(num2words(n / 100, to="currency", currency="USD"), f"${n / 100:.2f}") for n in range(1, 5000)],
    }
    print("| readings | agree | of | the first that differ |\n|---|---|---|---|")
    for kind, rows in kinds.items():
        differ = [f"{said}: {printed}" for said, printed in rows if normalize(said, "en") != normalize(printed, "en")]
        print(f"| {kind} | {len(rows) - len(differ)} | {len(rows)} | {'; '.join(differ[:2])} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "tables", "readings"])
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--only", default="", help="of the normalizers, those with this in their names")
    arguments = parser.parse_args()
    if arguments.what == "speed":
        speed(arguments.pairs)
    elif arguments.what == "tables":
        tables(arguments.only)
    else:
        readings()


if __name__ == "__main__":
    main()
