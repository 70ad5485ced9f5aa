"""render: every new take gets the corpus's sample rate, level and edge silence, whatever engine spoke it.

Where the recipe asks for a loudness, or for `assess`, the row says what came of it. Clipping is measured here as well,
on what the synthesizer gave: once the level is lowered, no sample is at full scale any more.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.audio import decode
from manifests.schema import Audio, Dialogue, Quality, Turn
from pipeline.audio.levels import clipped_share, normalize_peak, peak_dbfs
from pipeline.audio.loudness import normalize_loudness
from pipeline.audio.samples import encode, pad_silence, resample, trim_silence
from pipeline.engines.contract import Samples
from pipeline.recipe import Recipe, Render
from pipeline.stages._turns import find_turns, replace_turns
from pipeline.stages.contract import Context, EngineKey, Stage

Rendered = tuple[Audio, Quality | None]


def render(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.render
    recorded = settings.loudness_lufs is not None or context.recipe.assess is not None
    places = find_turns(dialogues, _is_raw)
    clips = [dialogues[i].turns[j].audio for i, j in places]
    rendered = [_render(clip, settings, recorded) for clip in clips if clip is not None]
    return replace_turns(dialogues, places, rendered, _with_audio)


def _is_raw(turn: Turn) -> bool:
    return turn.audio is not None and turn.reason is None and turn.watermark is None


def _render(audio: Audio, settings: Render, recorded: bool) -> Rendered:
    raw, rate = decode(audio)
    samples = trim_silence(resample(raw, rate, settings.sample_rate))
    edge_ms = settings.edge_silence_ms
    # The level is set with the edges on: what a meter shows for the clip is what was asked for.
    samples, loudness = _level(pad_silence(samples, settings.sample_rate, edge_ms, edge_ms), settings)
    quality = Quality(loudness, peak_dbfs(samples), clipped_share(raw)) if recorded else None
    return encode(samples, settings.sample_rate, "wav"), quality


def _level(samples: Samples, settings: Render) -> tuple[Samples, float | None]:
    """The samples at the recipe's level, and their loudness where that was asked for and they have one."""
    if settings.loudness_lufs is None:
        return normalize_peak(samples, settings.peak_dbfs), None
    leveled = normalize_loudness(samples, settings.sample_rate, settings.loudness_lufs, settings.peak_dbfs)
    return leveled.samples, leveled.loudness_lufs


def _with_audio(turn: Turn, rendered: Rendered) -> Turn:
    audio, quality = rendered
    return replace(turn, audio=audio, quality=quality)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return ()


RENDER = Stage("render", render, frozenset({"turns.audio", "turns.quality"}), _engines)
