"""Which synthesizer can speak with which voice: refusals in one sentence, and clips for those that clone."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from voicebank.inputs import VoiceInputs, assigned, inputs_problem
from voicebank.voice import Voice

EMBEDDED = Voice(
    "virtual", "embeds", "virtual", "en", "female", rate=1.1, parents=("a", "b"), weights=(0.5, 0.5),
    embedding=np.full(4, 3, np.float32),
)  # fmt: skip
PROMPTED = replace(EMBEDDED, prompt_audio=b"fLaC", prompt_text="Hello.")
RECORDED = Voice("recorded", "clones", "x", "en", "male", prompt_audio=b"RIFF", prompt_text="Hello.")
UNIT = replace(EMBEDDED, embedding=np.full(4, 0.5, np.float32))
AVERAGED = replace(PROMPTED, embedding=None)

NAMES, CLIPS, VECTORS = VoiceInputs(), VoiceInputs(clips=True), VoiceInputs(embeddings=True)
RAW = VoiceInputs(embeddings=True, width=4, raw=True)


@pytest.mark.parametrize(
    "voice, inputs, problem",
    [
        (EMBEDDED, NAMES, "voice virtual is an embedding, where names are wanted"),
        (EMBEDDED, CLIPS, "voice virtual is an embedding, where clips or names are wanted"),
        (RECORDED, VECTORS, "voice recorded is a clip, where an embedding is wanted"),
        (RECORDED, NAMES, "voice recorded is a clip, where a name is wanted"),
        (AVERAGED, VECTORS, "voice virtual is a clip, where an embedding is wanted"),
        (EMBEDDED, replace(RAW, width=2048), "the embedding of voice virtual has 4 numbers, 2048 are wanted"),
        (UNIT, RAW, "all embeddings have length 1, where raw ones are wanted"),
        (UNIT, VECTORS, None),
        (EMBEDDED, RAW, None),
        (EMBEDDED, VECTORS, None),
        (PROMPTED, CLIPS, None),
        (RECORDED, CLIPS, None),
        (AVERAGED, NAMES, None),
        (Voice("named", "names", "rms", "en", "male"), VECTORS, None),
    ],
)
def test_what_a_synthesizer_refuses(voice: Voice, inputs: VoiceInputs, problem: str | None) -> None:
    found = inputs_problem([voice], inputs)
    assert found is None if problem is None else problem in str(found)
    assert "\n" not in str(found)


def test_one_vector_of_length_1_among_raw_ones_is_chance() -> None:
    assert inputs_problem([UNIT, EMBEDDED], RAW) is None


def test_a_voice_keeps_its_own_synthesizer_where_it_is_there() -> None:
    assert assigned([PROMPTED, EMBEDDED], {"embeds": RAW, "clones": CLIPS}, ["clones"]) == (PROMPTED, EMBEDDED)


def test_elsewhere_it_is_its_clip_and_nothing_else() -> None:
    (voice, other) = assigned([PROMPTED, EMBEDDED], {"clones": CLIPS}, ["clones"])
    assert voice == Voice(
        "virtual", "clones", "virtual", "en", "female", prompt_audio=b"fLaC", prompt_text="Hello."
    ), "no vector, parents or rate of another synthesizer's"
    assert voice.embedding is None and other is EMBEDDED, "what no one can speak with stays as it is"
    (taken,) = assigned([PROMPTED], {"embeds": CLIPS}, ["embeds"])
    assert (taken.engine, taken.embedding) == ("embeds", None), "its engine here takes clips, and no vectors"


def test_voices_are_spread_over_those_that_clone_whatever_their_order() -> None:
    voices = [replace(PROMPTED, voice_id=f"v-{number}") for number in range(400)]
    found = {voice.voice_id: voice.engine for voice in assigned(voices, {}, ["one", "two"])}
    again = {voice.voice_id: voice.engine for voice in assigned(voices[::-1], {}, ["one", "two"])}
    assert found == again
    assert all(150 < count < 250 for count in Counter(found.values()).values())
