"""What a synthesizer can be given as a voice, and which voices of a bank it can therefore speak with.

A voice names its own synthesizer. A voice that also holds a recording of itself can be spoken with by every
synthesizer that clones: it is then given to that one as a recording and nothing else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voicebank.stored_clips import changed
from voicebank.vectors import are_unit
from voicebank.voice import Voice


@dataclass(frozen=True, slots=True)
class VoiceInputs:
    """What a synthesizer takes besides names of voices that it has.

    `clips`: recordings with their text, which it clones. `embeddings`: vectors of a speaker encoder, of `width`
    numbers (None: the model alone knows how many); `raw`: their length means something to it, so it must not be
    scaled away.
    """

    clips: bool = False
    embeddings: bool = False
    width: int | None = None
    raw: bool = False


def inputs_problem(voices: Sequence[Voice], inputs: VoiceInputs) -> str | None:
    """Say in one sentence why a synthesizer cannot speak with voices that are its own; None if it can."""
    for voice in voices:
        if voice.embedding is not None and not inputs.embeddings and not _can_clone(voice, inputs):
            wanted = "clips or names" if inputs.clips else "names"
            return (
                f"voice {voice.voice_id} is an embedding, where {wanted} are wanted; "
                "`parley voicebank voice-prompts` gives each voice a clip"
            )
        nameless = inputs.embeddings or not voice.parents  # who makes an average itself, needs no clip of it
        if voice.embedding is None and voice.is_recorded and not inputs.clips and nameless:
            wanted = "an embedding is" if inputs.embeddings else "a name is"
            return f"voice {voice.voice_id} is a clip, where {wanted} wanted"
        if voice.embedding is not None and inputs.embeddings and inputs.width not in (None, voice.embedding.size):
            found = f"the embedding of voice {voice.voice_id} has {voice.embedding.size} numbers"
            return f"{found}, {inputs.width} are wanted"
    vectors = [voice.embedding for voice in voices if voice.embedding is not None]
    if inputs.embeddings and inputs.raw and vectors and are_unit(np.stack(vectors)):
        return "all embeddings have length 1, where raw ones are wanted: build the bank with the synthesizer's encoder"
    return None


def assigned(
    voices: Sequence[Voice], own: Mapping[str, VoiceInputs | None], cloning: Sequence[str]
) -> tuple[Voice, ...]:
    """Return the voices with the synthesizer that speaks with each: its own, if `own` has it by the name in
    `Voice.engine`, else one of `cloning`, if the voice holds a recording.

    A voice's synthesizer depends on its id and the names alone, and the voices are spread evenly. The other voices
    stay as they are. A voice that is cloned is its recording: everything else that only its own synthesizer
    understands is taken off, and so are rate and pitch, which are in the recording.
    """
    return tuple(_assigned(voice, own, cloning) for voice in voices)


def _assigned(voice: Voice, own: Mapping[str, VoiceInputs | None], cloning: Sequence[str]) -> Voice:
    if voice.engine in own:
        inputs = own[voice.engine]
        cloned = inputs is not None and voice.embedding is not None and not inputs.embeddings
        return _recording(voice, voice.engine) if inputs and cloned and _can_clone(voice, inputs) else voice
    if not voice.is_recorded or not cloning:
        return voice
    digest = hashlib.blake2b(voice.voice_id.encode("utf-8"), digest_size=8).digest()
    return _recording(voice, cloning[int.from_bytes(digest, "big") % len(cloning)])


def _can_clone(voice: Voice, inputs: VoiceInputs) -> bool:
    return inputs.clips and voice.is_recorded


def _recording(voice: Voice, engine: str) -> Voice:
    return changed(voice, engine=engine, rate=1.0, pitch=1.0, parents=(), weights=(), embedding=None)
