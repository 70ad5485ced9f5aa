"""render: every new take gets the corpus's sample rate, level and edge silence, whatever engine spoke it.

Where the recipe asks for a loudness, or for `assess`, the row says what came of it. Clipping is measured here as well,
on what the synthesizer gave: once the level is lowered, no sample is at full scale any more.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.schema import Dialogue, Quality, Take
from pipeline.audio.loudness import normalize_loudness
from pipeline.audio.samples import (
    clipped_share,
    encode,
    normalize_peak,
    pad_silence,
    peak_dbfs,
    resample,
    trim_silence,
)
from pipeline.engines.contract import Samples
from pipeline.recipe import Recipe, Render
from pipeline.stages._turns import clip_of, find_takes, is_raw, put_takes, take_at
from pipeline.stages.contract import Context, EngineKey, Stage


def render(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.render
    recorded = settings.loudness_lufs is not None or context.recipe.assess is not None
    places = find_takes(dialogues, is_raw)
    rendered = [_render(take_at(dialogues, place), settings, recorded) for place in places]
    return put_takes(dialogues, places, rendered)


def _render(take: Take, settings: Render, recorded: bool) -> Take:
    raw = clip_of(take)
    samples = trim_silence(resample(raw.samples, raw.sample_rate, settings.sample_rate))
    edge_ms = settings.edge_silence_ms
    # The level is set with the edges on: what a meter shows for the clip is what was asked for.
    samples, loudness = _level(pad_silence(samples, settings.sample_rate, edge_ms, edge_ms), settings)
    quality = Quality(loudness, peak_dbfs(samples), clipped_share(raw.samples)) if recorded else None
    return replace(take, audio=encode(samples, settings.sample_rate, "wav"), quality=quality)


def _level(samples: Samples, settings: Render) -> tuple[Samples, float | None]:
    """The samples at the recipe's level, and their loudness where that was asked for and they have one."""
    if settings.loudness_lufs is None:
        return normalize_peak(samples, settings.peak_dbfs), None
    leveled = normalize_loudness(samples, settings.sample_rate, settings.loudness_lufs, settings.peak_dbfs)
    return leveled.samples, leveled.loudness_lufs


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return ()


RENDER = Stage("render", render, frozenset({"take.audio", "take.quality"}), _engines)
