"""render: gives every new take the corpus's sample rate, level and edge silence, whatever engine spoke it.

If the recipe sets a loudness, or has `assess`, the result is recorded in the row. Clipping and the level of the clip's
end are measured here as well, on the synthesizer's output: once the level is lowered, no sample is at full scale any
more, and once silence is put behind the speech, nothing tells whether it was cut off.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from manifests.changes import replace
from manifests.schema import Dialogue, Quality, Take, Word, WordTimes
from pipeline.audio.levels import clipped_share, end_level_db, normalize_peak, peak_dbfs
from pipeline.audio.loudness import normalize_loudness
from pipeline.audio.samples import encode, loud_span, pad_silence, resample
from pipeline.engines.contract import Clip, Samples
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._loudness import LOUDNESS
from pipeline.stages._takes import clip_of, find_takes, is_raw, put_takes, take_at
from pipeline.stages.assess import AssessSettings
from pipeline.stages.contract import Context, Resource, Stage


class RenderSettings(Section):
    sample_rate: int = Field(16_000, ge=8_000, le=48_000, description="sample rate of the delivered clips, in Hz")
    loudness_lufs: float | None = Field(
        None, ge=-60, le=0, description="loudness of every clip, ITU-R BS.1770; none: the peak alone sets the level"
    )
    peak_dbfs: float = Field(-3.0, le=0, description="peak level of every clip; with a loudness, the highest allowed")
    edge_silence_ms: int = Field(150, ge=0, le=10_000, description="silence before and after the speech")


def render(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(RenderSettings)
    recorded = settings.loudness_lufs is not None or context.recipe.find(AssessSettings) is not None
    places = find_takes(dialogues, needs_rendering)
    rendered = [_render(take_at(dialogues, place), settings, recorded) for place in places]
    return put_takes(dialogues, places, rendered)


def needs_rendering(take: Take) -> bool:
    """Tell whether a take is new: one that is only to be arranged again keeps its level and edges."""
    return is_raw(take) and take.dry is None


def _render(take: Take, settings: RenderSettings, recorded: bool) -> Take:
    raw = clip_of(take)
    whole = resample(raw.samples, raw.sample_rate, settings.sample_rate)
    start, end = loud_span(whole)
    samples = whole[start:end]
    edge_ms = settings.edge_silence_ms
    edge = edge_ms * settings.sample_rate // 1000
    moved = _moved(take.word_times, settings.sample_rate / raw.sample_rate, edge - start, len(samples) + 2 * edge)
    # The level is set with the edges on, so that a meter shows the requested level for the whole clip.
    samples, loudness = _level(pad_silence(samples, settings.sample_rate, edge_ms, edge_ms), settings)
    return replace(
        take,
        audio=encode(samples, settings.sample_rate, "wav"),
        quality=_recorded(raw, samples, loudness) if recorded else None,
        word_times=moved,
    )


def _moved(times: WordTimes | None, scale: float, shift: int, num_samples: int) -> WordTimes | None:
    """Return the times at `scale` times their sample rate, `shift` samples later, in a clip of `num_samples`."""

    def at(sample: int | None) -> int | None:
        return None if sample is None else min(max(round(sample * scale) + shift, 0), num_samples)

    if times is None:
        return None
    return replace(times, words=tuple(Word(w.text, at(w.start_sample), at(w.end_sample)) for w in times.words))


def _recorded(raw: Clip, rendered: Samples, loudness: float | None) -> Quality:
    """Record the level that was set, and of the synthesizer's own clip what can be measured on no later one."""
    return Quality(
        loudness_lufs=loudness,
        peak_dbfs=peak_dbfs(rendered),
        clipped_share=clipped_share(raw.samples),
        end_level_db=end_level_db(raw.samples, raw.sample_rate),
    )


def _level(samples: Samples, settings: RenderSettings) -> tuple[Samples, float | None]:
    """Return the samples at the recipe's level, and their loudness if the recipe sets one and it can be measured."""
    if settings.loudness_lufs is None:
        return normalize_peak(samples, settings.peak_dbfs), None
    leveled = normalize_loudness(samples, settings.sample_rate, settings.loudness_lufs, settings.peak_dbfs)
    return leveled.samples, leveled.loudness_lufs


def _resources(recipe: Recipe) -> tuple[Resource[Any], ...]:
    return (LOUDNESS,) if recipe.section(RenderSettings).loudness_lufs is not None else ()


def _check_recipe(recipe: Recipe) -> None:
    settings, assessed = recipe.section(RenderSettings), recipe.find(AssessSettings)
    if assessed is None:
        return
    edge_s, half = settings.edge_silence_ms / 1000, settings.sample_rate / 2
    if assessed.max_edge_silence_s is not None and assessed.max_edge_silence_s < edge_s:
        raise ValueError(f"assess.max_edge_silence_s: render alone puts {edge_s:g} s of silence at the edges")
    if assessed.min_bandwidth_hz is not None and assessed.min_bandwidth_hz > half:
        raise ValueError(
            f"assess.min_bandwidth_hz: render.sample_rate={settings.sample_rate} allows no bandwidth above {half:g} Hz"
        )


RENDER = Stage(
    name="render",
    about="gives every new take the corpus's sample rate, level and edge silence",
    settings=RenderSettings,
    apply=render,
    reads=frozenset({"take.audio"}),
    writes=frozenset({"take.audio", "take.quality", "take.word_times"}),
    spoils=frozenset({"take.watermark", "take.hearing", "take.quality", "timeline"}),
    pool="voices",
    after=("synthesize", "perform"),
    resources=_resources,
    check=_check_recipe,
)
