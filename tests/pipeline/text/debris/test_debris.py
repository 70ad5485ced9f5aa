"""Texts that are a person's words for speech, and texts that are not: two tables, and laws for any text."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.reasons import Reason
from pipeline.text.debris import Cleaned, clean_answer, clean_material, clean_question, foreign_language
from pipeline.text.debris.cleaning import LONGEST_LOOKED_AT
from tests.tables import each_row


def rows(name: str) -> list[list[str]]:
    lines = (Path(__file__).parent / f"{name}.tsv").read_text("utf-8").splitlines()
    table = (line for line in lines if line and not line.startswith("#"))
    return list(csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


ENGLISH, CHINESE = rows("english"), rows("chinese")


def cleaned(where: str, text: str, question: str) -> Cleaned:
    text = text.replace("\\n", "\n")
    if where == "answer":
        return clean_answer(text, question)
    return {"question": clean_question, "material": clean_material}[where](text)


@each_row(("where", "text", "question", "verdict"), ENGLISH + CHINESE)
def test_each_text_ends_as_it_should(where: str, text: str, question: str, verdict: str) -> None:
    result = cleaned(where, text, question)
    found = result.debris.reason.value if result.debris else None
    if verdict == "keep" or verdict.startswith("="):
        left = text.replace("\\n", "\n") if verdict == "keep" else verdict[1:]
        assert (result.text, found) == (left, None), result.debris
    else:
        assert found == verdict, result


@each_row(("where", "text", "question", "verdict"), [row for row in ENGLISH + CHINESE if row[3][0] in "k="])
def test_what_is_clean_stays_as_it_is(where: str, text: str, question: str, verdict: str) -> None:
    once = cleaned(where, text, question)
    assert cleaned(where, once.text, question) == once or (where == "answer" and not once.text)


def test_the_tables_are_large_enough_to_mean_something() -> None:
    assert len(ENGLISH) >= 150 and len(CHINESE) >= 120
    for table in (ENGLISH, CHINESE):
        good = sum(verdict == "keep" for *_, verdict in table)
        assert 40 <= good <= len(table) - 80


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="a 无。:\n<|>[]1^/#AQ", max_size=60))
def test_no_text_raises(text: str) -> None:
    for result in (clean_question(text), clean_material(text), clean_answer(text, text)):
        assert isinstance(result, Cleaned)


@pytest.mark.timeout(60)  # each takes well under a second
@each_row(
    "text",
    ["Q:" * 9_000, "a\n" * 9_000, "Human: a. " * 1_900, "[1] " * 4_900, "<|" * 9_900, "error " * 3_000, "无" * 19_000],
    ids=lambda text: text[:8],
)
def test_monstrous_texts_take_bounded_time(text: str) -> None:
    assert len(text) <= LONGEST_LOOKED_AT
    assert isinstance(clean_question(text), Cleaned) and isinstance(clean_answer(text, text), Cleaned)


def test_a_text_that_nobody_could_speak_is_left_alone() -> None:
    text = "<image> " * LONGEST_LOOKED_AT
    assert clean_question(text) == clean_answer(text) == clean_material(text) == Cleaned(text)


FOREIGN = """
es	Me gustaría saber cómo se hace el pan en casa
es	Dime tres frutas que crecen en verano
es	El perro duerme en la cocina todo el día
es	Para hacer pan se necesita harina agua y sal
fr	Comment puis-je apprendre le piano
fr	Les enfants jouent dans le jardin
de	Wie kann ich besser schlafen
de	Man sollte jeden Tag etwas Obst essen
it	Il gatto dorme sul divano tutto il giorno
it	Mi piacerebbe visitare Roma in primavera
pt	O cachorro está dormindo na sala
pt	Como posso aprender a tocar violão
nl	Hoe kan ik beter leren schrijven
sv	Hur kan jag lära mig spela gitarr
pl	Jak mogę nauczyć się gotować
tr	Nasıl daha iyi uyuyabilirim
id	Bagaimana cara membuat roti di rumah
vi	Làm thế nào để học tiếng Anh nhanh
fi	Miten voin nukkua paremmin yöllä
cs	Jak se naučím hrát na klavír
hu	Hogyan tudok jobban aludni éjszaka
ro	Cum pot învăța să gătesc acasă
""".strip().splitlines()
IN_ENGLISH = [
    "Define ennui, déjà vu, and faux pas.",
    "Paris",
    "John, Amanda, Maria, James",
    "Fa la la la la, la la la la",
    "Sushi, ramen, tempura, udon",
    "What does c'est la vie mean?",
    'Translate "me gustaría saber cómo se hace el pan" for me.',
    "Um, so, hey, uh, thanks.",
    "Boil pasta al dente, add pesto, serve hot.",
    "Yes, no, maybe, never, always.",
    "Renewable energy: wind, solar, hydro.",
    "Run fast, jump high, land soft.",
    "Beethoven, Mozart, Bach, Vivaldi, Brahms.",
    "Mix flour, butter, sugar, eggs.",
]


@each_row("line", FOREIGN)
def test_another_language_is_found_in_a_short_sentence(line: str) -> None:
    code, text = line.split("\t")
    assert foreign_language(text, "en") == code


@each_row("text", IN_ENGLISH)
def test_english_with_foreign_words_stays_english(text: str) -> None:
    assert foreign_language(text, "en") is None


def test_only_english_is_judged_by_its_words() -> None:
    assert foreign_language("Me gustaría saber cómo se hace el pan", "zh") is None


@pytest.mark.parametrize("question", ["Do you ever sleep?", "你会睡觉吗？"])
def test_who_asks_a_machine_about_itself_gets_its_answer(question: str) -> None:
    assert clean_answer("As an AI, I never sleep.", question).debris is None
    assert clean_answer("As an AI, I never sleep.", "Name a bird.").debris is not None


def test_labels_of_real_answers_are_reasons_or_fit_and_each_answer_has_one() -> None:
    lines = (Path(__file__).parent / "alpaca_labels.tsv").read_text("utf-8").splitlines()
    labels = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len({digest for digest, _, _ in labels}) == len(labels) >= 150
    assert all(len(digest) == 12 and int(digest, 16) >= 0 for digest, _, _ in labels)
    assert {label for _, label, _ in labels} <= {"fit", *Reason}
    fit = [choice for _, label, choice in labels if label == "fit"]
    assert fit.count("random") >= 100 and fit.count("flagged") >= 1
    assert {choice for _, _, choice in labels} == {"random", "flagged"}
