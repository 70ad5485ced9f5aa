"""Cards travel: nothing private may stand in them."""

from pathlib import Path
from typing import Any

import pytest

from manifests.errors import CorpusError, LawBroken, UserError
from manifests.storage import open_place
from voicebank.tables import CARD_FILE, read_card, write_card


def test_a_card_comes_back_with_sorted_keys(tmp_path: Path) -> None:
    card = {"name": "mine", "kind": "voices", "counts": {"zh": 2, "en": 1}, "description": "女声 and/or 男声"}
    write_card(open_place(tmp_path), card)
    assert read_card(open_place(tmp_path)) == card
    assert list(read_card(open_place(tmp_path))["counts"]) == ["en", "zh"]
    assert "女声" in (tmp_path / CARD_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/data",
        "Corpus 5/6 at 16 kHz; n*(n-1)/2 pairs",
        "and / or",
        "about ~5 hours",
        "a: b",
        "clips/0001.wav",
        "CC-BY-4.0",
    ],
)
def test_harmless_texts_pass(tmp_path: Path, text: str) -> None:
    write_card(open_place(tmp_path), {"name": "mine", "sources": [{"about": text}]})
    assert read_card(open_place(tmp_path))["sources"] == [{"about": text}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root": "/home/me/corpus"}, "root: "),
        ({"root": "~/corpus"}, "root: "),
        ({"root": "~me/corpus"}, "root: "),
        ({"root": r"C:\Users\me"}, "root: "),
        ({"root": "file:///data"}, "root: "),
        ({"sources": [{"about": "read from /data/x"}]}, r"sources\.about: "),
        ({"sources": [{"about": 'path="/data/x"'}]}, r"sources\.about: "),
        ({"counts": {"/data/x": 3}}, "counts: "),
        ({"url": "s3://me:secret@bucket/x"}, "url: "),
        ({"api_key": "x"}, "api_key: .* must not hold keys"),
        ({"encoder": {"hub_token": "x"}}, r"encoder\.hub_token: .* must not hold keys"),
        ({"password": "x"}, "password: .* must not hold keys"),
    ],
)
def test_private_texts_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        write_card(open_place(tmp_path), {"name": "mine", **changes})
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "card", [{}, {"name": ""}, {"name": 3}, {"name": "x", "y": {1, 2}}, {"name": "x", "y": float("nan")}]
)
def test_what_is_no_card_is_our_bug(tmp_path: Path, card: dict[str, Any]) -> None:
    with pytest.raises(LawBroken, match="the card of a voice bank"):
        write_card(open_place(tmp_path), card)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": 3}', '{"name": ""}', "\ufffe\x00", "[" * 9000])
def test_a_broken_card_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD_FILE).write_text(text, encoding="utf-16" if "\x00" in text else "utf-8")
    with pytest.raises(CorpusError, match=CARD_FILE) as caught:
        read_card(open_place(tmp_path))
    assert str(tmp_path.parent) not in str(caught.value)
