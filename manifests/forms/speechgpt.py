"""SpeechInstruct's rows (SpeechGPT): speech to text or text to speech by a task description, and chains of modality.

Both are in two variants: as the paper prints them, and as the released rows are, which differ. Of a chain, the release
shows speech to speech alone; its other three modes here follow that row [inferred]. The paper's hint to go step by
step has our words.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from manifests.forms.units import angle_text, angle_units

Task = Literal["asr", "tts"]
Variant = Literal["paper", "released"]
Mode = Literal["S-S", "S-T", "T-S", "T-T"]
MODES: tuple[Mode, ...] = get_args(Mode)

MARKS = (
    "[Human]",
    "[SpeechGPT]",
    "<eoh>",
    "<eoa>",
    "<eos>",
    "<sosp>",
    "<eosp>",
    "[tq]",
    "[ta]",
    "[ua]",
    "This is input:",
)
"""What no text may hold, since the program cuts there."""

_HINTS: dict[Mode, str] = {
    "S-S": "Go step by step: write down the instruction, think of the response as text, then say it.",
    "S-T": "Go step by step: write down the instruction, then think of the response as text.",
    "T-S": "Go step by step: think of the response as text, then say it.",
    "T-T": "Think of the response as text.",
}
_WHAT = {"S": "speech", "T": "text"}


@dataclass(frozen=True, slots=True)
class CrossModal:
    """Holds a sample with its task: text and units, of which the task gives one and asks for the other."""

    task: Task
    description: str
    text: str
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModalityChain:
    """Holds a chain of modality: what is given and asked for by the mode, the other units being empty."""

    mode: Mode
    question: str
    answer: str
    question_units: tuple[int, ...] = ()
    answer_units: tuple[int, ...] = ()


@cache
def descriptions(task: Task) -> tuple[str, ...]:
    """Return our 100 descriptions of a task."""
    text = Path(__file__).with_name("speechgpt_tasks.txt").read_text(encoding="utf-8")
    section = text.split(f"[{task}]\n")[1].split("\n[")[0]
    return tuple(line for line in section.splitlines() if not line.startswith("#"))


def cross_modal_text(sample: CrossModal, variant: Variant) -> str:
    """Return the sample as one turn of the user and one of SpeechGPT."""
    units = angle_text(sample.units)
    given, asked = (units, sample.text) if sample.task == "asr" else (sample.text, units)
    end, stop = ("<eoh>. ", "<eos>.") if variant == "paper" else ("<eoh> ", "<eoa> ")
    return f"[Human]: {sample.description} This is input: {given}{end}[SpeechGPT]: {asked}{stop}"


def cross_modal_of(text: str) -> list[CrossModal]:
    """Return the samples of a row, which may hold several; the inverse of `cross_modal_text` in both variants."""
    found = list(_SAMPLE.finditer(text))
    if "".join(match[0] for match in found) != text or not found:
        raise ValueError(f"not samples of SpeechInstruct: {text[:40]!r}")
    samples = []
    for match in found:
        is_asr = match["given"].startswith("<sosp>")
        heard, written = ("given", "asked") if is_asr else ("asked", "given")
        task: Task = "asr" if is_asr else "tts"
        samples.append(CrossModal(task, match["task"], match[written], angle_units(match[heard])))
    return samples


_SAMPLE = re.compile(
    r"\[Human\]: (?P<task>.*?) This is input: (?P<given>.*?)<eoh>\.? \[SpeechGPT\]: (?P<asked>.*?)<eo[as]>[. ]", re.S
)


def chain_text(chain: ModalityChain, variant: Variant) -> str:
    """Return the chain as one turn of the user and one of SpeechGPT."""
    asks, says = chain.mode.split("-")
    heard = angle_text(chain.question_units) if asks == "S" else chain.question
    steps = [f"[tq] {chain.question}" if variant == "paper" else chain.question] if asks == "S" else []
    steps.append(f"[ta] {chain.answer}")
    if says == "S":
        steps.append(f"[ua] {angle_text(chain.answer_units)}")
    told = f"{heard}<eoh>."
    if variant == "paper":
        end = "" if chain.mode == "T-T" else " <eoh>."  # as printed
        told = f"This is a {_WHAT[asks]} instruction: {heard}. And your response should be {_WHAT[says]}. "
        told += f"{_HINTS[chain.mode]}{end}"
    return f"[Human]: {told} [SpeechGPT]: {'; '.join(steps)}<eoa>."


def chain_of(text: str, variant: Variant) -> ModalityChain:
    """Return the chain of such a text; the inverse of `chain_text`. Raises ValueError for another one."""
    told, _, said = text.partition(" [SpeechGPT]: ")
    before, found, after = said.removesuffix("<eoa>.").rpartition("; [ua] ")
    answer_units = angle_units(after) if found else ()
    written = before if found else after
    asked, _, answer = written.rpartition("[ta] ")
    is_spoken = bool(asked)
    mode: Mode = MODES[(0 if is_spoken else 2) + (0 if found else 1)]
    heard = told.removeprefix("[Human]: ").removesuffix("<eoh>.")
    if variant == "paper":
        heard = heard.partition(" instruction: ")[2].partition(". And your response should be ")[0]
    question = asked.removesuffix("; ").removeprefix("[tq] ") if is_spoken else heard
    chain = ModalityChain(mode, question, answer, angle_units(heard) if is_spoken else (), answer_units)
    if chain_text(chain, variant) != text:
        raise ValueError(f"not a chain of modality: {text[:40]!r}")
    return chain


def packed(texts: Sequence[str], budget: int, count: Callable[[str], int]) -> list[str]:
    """Join texts to rows of several turns, in order, as long as a row has at most `budget` tokens.

    A text with more has a row of its own.
    """
    rows: list[list[str]] = []
    left = 0
    for text in texts:
        needed = count(text)
        if not rows or needed > left:
            rows.append([])
            left = budget
        rows[-1].append(text)
        left -= needed
    return ["".join(row) for row in rows]
