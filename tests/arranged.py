"""Arranged dialogues of tones, made by hand: what `arrange` gives to `mix`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from manifests.schema import Dialogue, DryTake, Event, Timeline, Turn
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take, take_of
from pipeline.audio.levels import normalize_peak
from pipeline.audio.samples import encode, pad_silence
from pipeline.engines.contract import Clip, Samples, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.recipe import Recipe
from pipeline.stages.contract import Context
from pipeline.stages.registry import find_stage
from voicebank.voice import Voice

RATE = 16_000
TALK = (("how are you today", "i am fine, thank you"), ("and what is the time", "it is late, my friend"))
_VOICE = Voice("tone-user-en-female-0", "tone", "1", "en", "female")


def said(text: str, seed: int = 0) -> Samples:
    """The chords of a text, leveled, with 50 ms of silence at each edge: float32 [T]."""
    (made,) = ToneSynthesizer().synthesize([SpeechRequest(text, "en", _VOICE, 1.0, seed)])
    assert isinstance(made, Clip)
    return pad_silence(normalize_peak(made.samples, -3.0), RATE, 50, 50)


def arranged(*exchanges: tuple[str, str], gap: int = 3_000, starts: Sequence[int] = (), **changes: Any) -> Dialogue:
    """A dialogue whose turns lie one after another with `gap` samples between them, or at `starts`."""
    dialogue = make_dialogue(*(exchanges or TALK), spoken=True, user_voice="u", agent_voice="a", **changes)
    turns: list[Turn] = []
    clock = gap
    for number, turn in enumerate(dialogue.turns):
        audio = encode(said(turn.text or "", number), RATE, "wav")
        start = starts[number] if starts else clock
        clock = start + audio.num_samples + gap
        take = make_take(1, _VOICE.voice_id, audio=audio, dry=DryTake(audio))
        turns.append(replace(turn, take=take, start_sample=start))
    return replace(dialogue, turns=tuple(turns), timeline=timeline_of(turns))


def timeline_of(turns: Sequence[Turn], tail: int = 2_000) -> Timeline:
    """The timeline of placed turns, with an event for each."""
    spans = [(i, t.role, t.start_sample, take_of(t).audio) for i, t in enumerate(turns) if t.start_sample is not None]
    events = [Event("turn", r, s, s + a.num_samples, i) for i, r, s, a in spans if a is not None and s is not None]
    return Timeline("by-hand", RATE, max(event.end_sample for event in events) + tail, tuple(events))


def mixing(**settings: Any) -> Recipe:
    """The recipe of tones with dialogues that are arranged and mixed."""
    return tone_recipe("arrange={profile: salm}", f"mix={json.dumps(settings)}")


def mix_context(engines: Any = None, **settings: Any) -> Context:
    """A context in which dialogues are mixed, marked and heard with tones."""
    recipe = mixing(**settings)
    resources = {r.name: r.load(recipe, None) for r in find_stage("mix").resources(recipe)}
    return make_context(recipe, ("watermark", "transcribe"), engines=engines, **resources)
