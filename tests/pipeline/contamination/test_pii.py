"""Personal data: what the rules of the numbers call valid, written and spoken; and no false alarm."""

import json

import pytest

from manifests.corpus import Corpus
from pipeline.contamination.pii import PiiScanner, as_written
from pipeline.contamination.pii_report import scan_for_pii
from tests.pipeline.views.corpora import made_corpus, made_row

SCANNER = PiiScanner()


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("write to jane.roe@parley-speech.org please", "en", "email"),
        ("write to jane dot roe at parley-speech dot org please", "en", "email"),
        ("call me at (650) 253-0000", "en", "phone"),
        ("call me at six five zero, two five three, oh oh oh oh", "en", "phone"),
        ("给我打电话，幺三八零零幺三八零零零", "zh", "phone"),
        ("my number is +49 30 901820", "en", "phone"),
        ("my card is 4111 1111 1111 1111", "en", "card"),
        ("pay to GB82 WEST 1234 5698 7654 32", "en", "iban"),
        ("my social is 536-90-4399", "en", "us_ssn"),
        ("我的身份证是11010519491231002X", "zh", "cn_id"),
    ],
)
def test_personal_data_is_found(text, language, kind):
    assert [found.kind for found in SCANNER.find(text, language)] == [kind]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("write to jane@example.com", "en"),  # a domain that is reserved for examples
        ("the card 4111 1111 1111 1112 is wrong", "en"),
        ("count one two three four five six seven eight nine", "en"),
        ("in 1999 there were 12,345,678 people at 3.14159265", "en"),
        ("meet me at dot five", "en"),
        ("公元一九四九年十月一日", "zh"),
        ("pi is three point one four one five nine two six five", "en"),
        ("", "en"),
    ],
)
def test_other_numbers_are_not(text, language):
    assert SCANNER.find(text, language) == []


def test_spoken_numbers_as_they_are_written():
    assert as_written("call six five zero two five three now") == "call 650253 now"
    assert as_written("one two three") == "one two three"
    assert as_written("拨幺三八零零幺三八零零零") == "拨13800138000"
    assert as_written("mail bob at mail dot example dot net") == "mail bob@mail.example.net"


def test_the_report_is_masked_and_makes_a_view(tmp_path):
    rows = [made_row(0), made_row(1, text="call me at (650) 253-0000"), made_row(2)]
    place = made_corpus(tmp_path, rows)
    report = scan_for_pii(place)
    assert report.figures["kinds"] == {"phone": 2}  # as spoken, and as the source wrote it
    assert (report.figures["hit_rows"], report.figures["rows"]) == (1, 3)
    assert "253" not in json.dumps(report.figures)
    report.drop("safe")
    assert [row.dialogue_id for row in Corpus(place, view="safe")] == ["made-00000000", "made-00000002"]
