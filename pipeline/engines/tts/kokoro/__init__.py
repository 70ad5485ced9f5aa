"""Kokoro-82M: English and Mandarin with 36 voices, and with weighted averages of them, as an ONNX graph.

===========  ======================================================================================================
checkpoint   finds the model directory and reads the vocabulary
graph        loads the graph, whichever of its two known forms it has
float_graph  rewrites a graph whose weights are int8 to compute in float32
names        what the names of its voices say
styles       what the graph speaks with: a voice's style vectors, or the average of several voices'
phonemes     turns text into the phonemes that Kokoro was trained on
pieces       cuts long phoneme strings at the ends of sentences
synthesizer  the engine
===========  ======================================================================================================
"""

from typing import Literal

from pydantic import Field

from manifests.libraries import extra, library_version
from pipeline.engines.contract import Engine, SpeechSynthesizer
from pipeline.engines.tts._prosody import PROSODY_VERSION
from pipeline.settings import Checkpoint, Section
from pipeline.weights.cache import label
from voicebank.inputs import VoiceInputs

NAME = "kokoro"
INSTALL = extra("kokoro")

RULES_VERSION = 1
"""Of what is done here with text, styles and samples: another way of cutting or averaging is another engine."""

_PACKAGES = ("onnxruntime", "hibari-tts", "misaki")


class KokoroServing(Section):
    device: Literal["cpu", "cuda"] = Field("cpu", description="cuda needs onnxruntime-gpu and `dtype: float32`")


class KokoroModel(Checkpoint):
    """A directory with model.onnx, vocab.json and voices/NAME.bin, or a name of the table of models."""

    engine: Literal["kokoro"]
    dtype: Literal["stored", "float32"] = Field(
        "stored", description="stored: the graph as it is; float32: int8 weights are computed with in float32"
    )
    serving: KokoroServing = Field(KokoroServing(), description="where it runs")


def version(model: KokoroModel | None = None) -> str:
    """Return the libraries' versions; with a model, also its label before them. Raises EngineUnavailable."""
    libraries = " ".join(f"{name} {library_version(name, NAME, INSTALL)}" for name in _PACKAGES)
    rules = f"rules={RULES_VERSION} takes={PROSODY_VERSION}"
    if model is None:
        return f"{libraries} {rules}"
    return f"{label(model.model, model.revision, NAME)} {model.dtype} {libraries} {rules}"


def open_synthesizer(model: KokoroModel) -> SpeechSynthesizer:
    """Load the model. Raises EngineUnavailable where that fails."""
    from pipeline.engines.tts.kokoro.synthesizer import load

    return load(model, version(model))


def voice_inputs(model: KokoroModel | None = None) -> VoiceInputs:
    """Names alone: styles are averaged here, from the names of a voice's parents."""
    return VoiceInputs()


ENGINE = Engine(
    "tts",
    NAME,
    "Kokoro-82M, English and Mandarin, neural",
    open=open_synthesizer,
    version=version,
    settings=KokoroModel,
    voice_inputs=voice_inputs,
)
