"""Dialogues of tones for the exporters, and what their tracks must hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import soundfile

from manifests.audio import decode
from manifests.resampling import Samples, resample
from manifests.schema import Dialogue, Turn
from parley.testing.corpora import make_kept, make_turn, with_take

TEXTS = {
    "en": ("is rye bread healthy", "mostly yes it has fiber", "how should i store it", "keep it in a paper bag"),
    "zh": ("附近有跑步的地方吗", "河边那条步道就不错", "远不远", "走路十分钟"),
}


def spoken(number: int, language: str = "en", num_samples: int = 16_000) -> Dialogue:
    """A kept dialogue of four turns whose lengths all differ."""
    roles = ("user", "agent", "user", "agent")
    turns = tuple(
        make_turn(role, text, 4 * number + turn, num_samples + 111 * turn)  # type: ignore[arg-type]
        for turn, (role, text) in enumerate(zip(roles, TEXTS[language], strict=True))
    )
    return replace(make_kept(number), language=language, turns=turns)


def changed(dialogue: Dialogue, number: int, change: Callable[[Turn], Turn]) -> Dialogue:
    """The dialogue with one turn changed."""
    turns = list(dialogue.turns)
    turns[number] = change(turns[number])
    return replace(dialogue, turns=tuple(turns))


def at_rate(dialogue: Dialogue, number: int, rate: int) -> Dialogue:
    """The dialogue with a turn that says it has another sample rate."""

    def other(turn: Turn) -> Turn:
        assert turn.audio is not None
        return with_take(turn, audio=replace(turn.audio, sample_rate=rate))

    return changed(dialogue, number, other)


def file_samples(data: bytes) -> tuple[Samples, int]:
    """The samples of a file, float32 [T], and its rate."""
    samples, rate = soundfile.read(BytesIO(data), dtype="float32")
    return samples, int(rate)


def clip(dialogue: Dialogue, turn: int, rate: int) -> Samples:
    """The turn's clip at a rate, by the corpus."""
    audio = dialogue.turns[turn].audio
    assert audio is not None
    return resample(decode(audio)[0], audio.sample_rate, rate)


def check_tracks(dialogue: Dialogue, turns: list[dict[str, Any]], tracks: Mapping[str, Samples], rate: int) -> None:
    """Every turn's clip lies in its role's track, to the bit of a 16-bit file, and all else is silence."""
    left = {role: samples.copy() for role, samples in tracks.items()}
    assert len({len(samples) for samples in left.values()}) == 1
    assert [(turn["role"], turn["text"]) for turn in turns] == [(turn.role, turn.text) for turn in dialogue.turns]
    for number, turn in enumerate(turns):
        part = left[turn["role"]][turn["start_sample"] : turn["start_sample"] + turn["num_samples"]]
        assert np.abs(part - clip(dialogue, number, rate)).max() <= 0.5 / 32768
        assert np.abs(part).max() > 0.05, "a clip that is heard"
        part[:] = 0
    assert not any(samples.any() for samples in left.values())


def starts(lengths: list[int], gap: int) -> Iterator[int]:
    """Where turns of these lengths start, in samples, laid out turn by turn."""
    clock = 0
    for length in lengths:
        yield clock
        clock += length + gap
