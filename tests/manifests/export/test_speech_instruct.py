"""SpeechInstruct's and AnyGPT's exporters: tasks drawn by dialogue, packing, modes, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.forms.anygpt import exchange_of
from manifests.forms.speechgpt import ModalityChain, chain_of, cross_modal_of, descriptions
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_tokens, with_tokens
from parley.testing.exports import export_rows
from parley.testing.talks import BREAD, make_talk

UNITS = "hubert-l11-km1000"
MERGED = (0, 1, 2)


def talk(number: int = 0, *texts: str) -> Dialogue:
    return with_tokens(make_talk(number, *(texts or BREAD), seconds=0.1), UNITS)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_turn_is_recognized_or_spoken_by_a_description(tmp_path: Path) -> None:
    rows = [talk(number) for number in range(6)]
    _, out = export_rows("speech-instruct", rows, tmp_path, max_tokens=0)
    found = lines(out / "train" / "cross_modal_instruction.jsonl")
    samples = [sample for row in found for sample in cross_modal_of(row["plain_text"])]
    assert len(found) == len(samples) == 24 and {tuple(row) for row in found} == {("prefix", "plain_text")}
    for number, sample in enumerate(samples):
        turn = number % 4
        assert sample.text == BREAD[turn] and sample.units == tuple(unit + 100 * turn for unit in MERGED)
        assert sample.description in descriptions(sample.task)
    assert {sample.task for sample in samples} == {"asr", "tts"}
    _, again = export_rows("speech-instruct", rows[2:4], tmp_path / "again", max_tokens=0)
    assert lines(again / "train" / "cross_modal_instruction.jsonl") == found[8:16]


def test_samples_are_packed_by_tokens(tmp_path: Path) -> None:
    settings = {"characters_per_token": 1.0, "asr_share": 1.0}
    result, out = export_rows("speech-instruct", [talk(0), talk(1)], tmp_path, **settings)
    packed = [cross_modal_of(row["plain_text"]) for row in lines(out / "train" / "cross_modal_instruction.jsonl")]
    assert [sample.text for row in packed for sample in row] == list(BREAD) * 2
    assert 1 < len(packed) < 8 and all(sample.task == "asr" for row in packed for sample in row)
    assert any("characters were taken for one" in note for note in result.notes)
    result, _ = export_rows("speech-instruct", [talk(0)], tmp_path / "small", max_tokens=20, **settings)
    assert dict(result.refused) == {"a row has more than 20 tokens": 1}


def test_a_chain_has_four_modes(tmp_path: Path) -> None:
    pair = talk(0, *BREAD[:2])
    _, out = export_rows("speech-instruct", [pair], tmp_path, form="chain-of-modality", variant="paper")
    rows = lines(out / "train" / "chain_of_modality_instruction.jsonl")
    chains = [chain_of(row["plain_text"], "paper") for row in rows]
    assert [chain.mode for chain in chains] == ["S-S", "S-T", "T-S", "T-T"]
    assert chains[0] == ModalityChain("S-S", *BREAD[:2], MERGED, (100, 101, 102))
    settings = {"form": "chain-of-modality", "modes": "S-S"}
    _, out = export_rows("speech-instruct", [pair], tmp_path / "one", **settings)
    [row] = lines(out / "train" / "chain_of_modality_instruction.jsonl")
    assert chain_of(row["plain_text"], "released") == chains[0]


def test_what_a_chain_would_lose_is_refused(tmp_path: Path) -> None:
    long = talk(1, "why", " ".join(["so"] * 36))
    marked = talk(2, "why", "so [ta] what")
    rows = [talk(0, "why", "so"), talk(3), long, marked, make_talk(4, "why", "so")]
    result, _ = export_rows("speech-instruct", rows, tmp_path, form="chain-of-modality")
    assert dict(result.refused) == {
        "a text contains [ta]": 1,
        "an answer has more than 35 words": 1,
        "it has more than one exchange": 1,
        "no speech tokens": 1,
    }
    settings = {"form": "chain-of-modality", "first_exchange": True, "modes": "T-T"}
    _, out = export_rows("speech-instruct", [talk(3)], tmp_path / "first", **settings)
    [row] = lines(out / "train" / "chain_of_modality_instruction.jsonl")
    assert chain_of(row["plain_text"], "released").answer == BREAD[1]
    with pytest.raises(UserError, match="there is no mode S-X"):
        export_rows("speech-instruct", rows, tmp_path / "mode", modes="S-X")


def test_units_alone_are_lines(tmp_path: Path) -> None:
    result, out = export_rows("speech-instruct", [talk(0, *BREAD[:2])], tmp_path, form="pretrain")
    assert (out / "train.txt").read_text() == "<sosp><0><1><2><eosp>\n<sosp><100><101><102><eosp>\n"
    assert not result.notes


def test_anygpt_has_chats_of_clips_and_messages_of_tokens(tmp_path: Path) -> None:
    _, out = export_rows("anygpt", [make_talk(0, *BREAD)], tmp_path)
    [row] = lines(out / "train" / "metadata.jsonl")
    assert [(said["role"], said["message"]) for said in row["chat"]] == list(
        zip(["USER", "AnyGPT"] * 2, BREAD, strict=True)
    )
    assert all((out / said["speech"]).is_file() for said in row["chat"])
    books = make_tokens("speechtokenizer", *([book, book, 7] for book in range(8)), codebook_size=1024)
    voiced = make_talk(0, *BREAD)
    voiced = replace(voiced, turns=tuple(with_take(turn, tokens=(books,)) for turn in voiced.turns))
    settings = {"form": "messages", "instruction": "Answer."}
    result, out = export_rows("anygpt", [voiced, make_talk(1, *BREAD)], tmp_path / "m", **settings)
    assert dict(result.refused) == {"no speech tokens": 1} and not (out / "audio").exists()
    [row] = lines(out / "train" / "metadata.jsonl")
    asked, said = (each["message"] for each in row["chat"][:2])
    found = exchange_of(asked, said, "Answer.")
    assert (found.question, found.answer) == BREAD[:2]
    assert found.question_codes == found.answer_codes == (0, 0, 7), "the first book, and never merged"
    with pytest.raises(UserError, match="instruction is empty"):
        export_rows("anygpt", [voiced], tmp_path / "empty", **{**settings, "instruction": " "})
