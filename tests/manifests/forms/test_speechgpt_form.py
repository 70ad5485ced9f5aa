"""SpeechInstruct's rows: both variants as they are printed, every way back, and the task descriptions."""

import pytest

from manifests.forms.speechgpt import (
    MARKS,
    MODES,
    CrossModal,
    ModalityChain,
    Mode,
    Task,
    Variant,
    chain_of,
    chain_text,
    cross_modal_of,
    cross_modal_text,
    descriptions,
    packed,
)

NOON = CrossModal("tts", "Kindly read this line aloud.", "The ferry leaves at noon.", (12, 845, 3, 77))
WHEN = ModalityChain("S-S", "When does the ferry leave?", "It leaves at noon.", (661, 9, 250), (12, 845, 3))


def test_the_released_rows() -> None:
    assert cross_modal_text(NOON, "released") == (
        "[Human]: Kindly read this line aloud. This is input: The ferry leaves at noon.<eoh> "
        "[SpeechGPT]: <sosp><12><845><3><77><eosp><eoa> "
    )
    assert chain_text(WHEN, "released") == (
        "[Human]: <sosp><661><9><250><eosp><eoh>. [SpeechGPT]: When does the ferry leave?; "
        "[ta] It leaves at noon.; [ua] <sosp><12><845><3><eosp><eoa>."
    )


def test_the_rows_of_the_paper() -> None:
    assert cross_modal_text(NOON, "paper").endswith("noon.<eoh>. [SpeechGPT]: <sosp><12><845><3><77><eosp><eos>.")
    spoken = chain_text(WHEN, "paper")
    assert spoken.startswith(
        "[Human]: This is a speech instruction: <sosp><661><9><250><eosp>. And your response should"
    )
    assert spoken.endswith(
        " <eoh>. [SpeechGPT]: [tq] When does the ferry leave?; [ta] It leaves at noon.; "
        "[ua] <sosp><12><845><3><eosp><eoa>."
    )
    written = chain_text(ModalityChain("T-T", "When?", "At noon."), "paper")
    assert written.startswith("[Human]: This is a text instruction: When?. And your response should be text. ")
    assert written.endswith(" [SpeechGPT]: [ta] At noon.<eoa>.") and "<eoh>" not in written, "as printed"


@pytest.mark.parametrize("variant", ["paper", "released"])
@pytest.mark.parametrize("mode", MODES)
def test_chains_and_back(mode: Mode, variant: Variant) -> None:
    asks, says = mode.split("-")
    units = ((661, 9) if asks == "S" else (), (12,) if says == "S" else ())
    chain = ModalityChain(mode, "Is it; or not?", "Yes. And no.", *units)
    assert chain_of(chain_text(chain, variant), variant) == chain
    with pytest.raises(ValueError):
        chain_of(chain_text(chain, variant) + "x", variant)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_samples_and_back(variant: Variant) -> None:
    heard = CrossModal("asr", "What is said?", "Yes.", (4, 5))
    row = "".join(cross_modal_text(sample, variant) for sample in (NOON, heard, NOON))
    assert cross_modal_of(row) == [NOON, heard, NOON]
    with pytest.raises(ValueError):
        cross_modal_of(row + "x")


def test_rows_are_packed_to_the_budget() -> None:
    assert packed(["aa", "bbb", "c", "dddddd", "e"], 5, len) == ["aabbb", "c", "dddddd", "e"]
    assert packed([], 5, len) == []


@pytest.mark.parametrize("task", ["asr", "tts"])
def test_there_are_a_hundred_descriptions_of_each_task(task: Task) -> None:
    found = descriptions(task)
    assert len(found) == len(set(found)) == 100
    assert 10 < sum("?" in each for each in found) < 50, "questions and commands"
    assert all(
        each[-1] in ".?" and len(each.split(". ")) <= 3 and not any(mark in each for mark in MARKS) for each in found
    )
    assert not set(descriptions("asr")) & set(descriptions("tts"))


def test_synthesis_is_never_described_as_recognition() -> None:
    wrong = ("transcri", "recogniz", "subtitle", "caption", "write down", "dictation")
    assert not [each for each in descriptions("tts") if any(word in each.lower() for word in wrong)]
