"""A stage: the beginning of every new take is faded in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field

from manifests.audio import decode
from manifests.schema import Dialogue, Turn
from pipeline.audio.samples import encode
from pipeline.settings import Section
from pipeline.stages.contract import Context, Stage


class HushSettings(Section):
    fade_ms: int = Field(50, gt=0, description="length of the fade, milliseconds")


def hush(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    fade_ms = context.recipe.section(HushSettings).fade_ms
    return [replace(d, turns=tuple(_faded(turn, fade_ms) for turn in d.turns)) for d in dialogues]


def _faded(turn: Turn, fade_ms: int) -> Turn:
    take = turn.take
    if take is None or take.audio is None or take.reason is not None or take.watermark is not None:
        return turn
    samples, rate = decode(take.audio)
    ramp = np.minimum(np.arange(len(samples)) / (fade_ms * rate / 1000), 1.0)
    faded = (samples * ramp).astype(np.float32)
    return replace(turn, take=replace(take, audio=encode(faded, rate, "wav")))


STAGE = Stage(
    name="hush",
    about="the beginning of every new take is faded in",
    settings=HushSettings,
    apply=hush,
    reads=frozenset({"take.audio"}),
    writes=frozenset({"take.audio"}),
    spoils=frozenset({"take.watermark", "take.hearing"}),
    pool="voices",
    after=("render",),
)
