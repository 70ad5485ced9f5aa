"""render: every new take gets the corpus's sample rate, level and edge silence, whatever engine spoke it."""

from collections.abc import Sequence
from dataclasses import replace

from manifests.audio import decode
from manifests.schema import Audio, Dialogue, Turn
from pipeline.audio import encode, normalize_peak, pad_silence, resample, trim_silence
from pipeline.recipe import Recipe, Render
from pipeline.stage import Context, EngineKey, Stage
from pipeline.stages.dialogue import find_turns, replace_turns


def render(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.render
    places = find_turns(dialogues, _is_raw)
    clips = [dialogues[i].turns[j].audio for i, j in places]
    rendered = [_render(clip, settings) for clip in clips if clip is not None]
    return replace_turns(dialogues, places, rendered, _with_audio)


def _is_raw(turn: Turn) -> bool:
    return turn.audio is not None and turn.reason is None and turn.watermark is None


def _render(audio: Audio, settings: Render) -> Audio:
    samples, rate = decode(audio)
    samples = resample(samples, rate, settings.sample_rate)
    samples = normalize_peak(trim_silence(samples), settings.peak_dbfs)
    edge_ms = settings.edge_silence_ms
    return encode(pad_silence(samples, settings.sample_rate, edge_ms, edge_ms), settings.sample_rate, "wav")


def _with_audio(turn: Turn, audio: Audio) -> Turn:
    return replace(turn, audio=audio)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return ()


RENDER = Stage("render", render, frozenset({"turns.audio"}), _engines)
