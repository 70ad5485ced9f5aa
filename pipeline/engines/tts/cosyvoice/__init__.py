"""CosyVoice 1, 2 and 3: speech with voices that are an embedding, a recording, or a name inside the model.

Upstream is not a package. Its source lies beside Parley and is imported when a recipe names such a model;
docs/cosyvoice.md says how to get it, what the versions do with a voice, and what was run.

=============  ==================================================================================================
upstream       finds upstream's source, and refuses PyPI's package of the same name
patches        makes upstream quiet, and right with current libraries, inside a worker
checkpoint     finds the model directory, recognizes its version, loads it
modes          chooses how to speak with a voice
timbre         turns what a voice holds into the inputs of the model
guards         refuses what upstream must not be given, and what it must not have made
watch          raises the exceptions of upstream's own thread
errors         decides which of upstream's errors end the worker, and describes the others
synthesizer    the engine, one utterance at a time, as upstream speaks
batched        the engine, many utterances at once
=============  ==================================================================================================
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.engines.contract import Engine, SpeechSynthesizer
from pipeline.engines.tts.cosyvoice.upstream import NAME, find_source, source_digest
from pipeline.settings import Checkpoint, Section
from voicebank.inputs import VoiceInputs

__all__ = ["NAME", "open_synthesizer", "version"]

_BATCHED = 1
"""Version of our decoder: with another one, the same seed gives another take."""


EMBEDDING_WIDTH = 192
"""Of CAM++ in every published version."""


class CosyVoiceServing(Section):
    run_model_code: bool = Field(
        False, description="agree that code of the model directory runs: its yaml file names Python objects to make"
    )
    jit: bool = Field(False, description="TorchScript modules of the model directory (CosyVoice 1 and 2)")
    tensorrt: bool = Field(False, description="TensorRT for the flow's estimator")
    tensorrt_streams: int = Field(
        1, gt=0, description="utterances in flight with TensorRT, as upstream's trt_concurrent"
    )
    vllm: bool = Field(False, description="vLLM for the language model (CosyVoice 2 and 3)")
    threads: int = Field(1, gt=0, description="utterances in flight in one worker, where version and flags allow it")
    batch: int = Field(
        32, gt=0, le=1024, description="pieces of text that are spoken at once, with `decoder: batched`"
    )


class CosyVoiceModel(Checkpoint):
    """CosyVoice 1, 2 or 3, told apart by the model directory. What the voice holds decides how it is spoken with."""

    engine: Literal["cosyvoice"]
    decoder: Literal["batched", "upstream"] = Field(
        "batched",
        description="batched: many utterances at once, each with random numbers of its own; upstream: one at a time, "
        "by upstream's own loop, which half precision, TorchScript, TensorRT and vLLM need",
    )
    fp16: bool = Field(False, description="half precision, with `decoder: upstream`")
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        "float32",
        description="of matrix products on a GPU, with `decoder: batched`. tf32: factors are rounded to 10 bits; "
        "bfloat16: the same, and the language model's layers are kept in that type (versions 2 and 3). Tokens are "
        "chosen in float32 and float64 always",
    )
    text_frontend: bool = Field(True, description="upstream's own text normalizer and its cutting of long texts")
    instruct: str | None = Field(None, description="how to speak, for models that take instructions")
    serving: CosyVoiceServing = Field(CosyVoiceServing(), description="where and how it runs")

    @model_validator(mode="after")
    def _upstreams_ways_need_its_loop(self) -> Self:
        serving = self.serving
        asked = {"fp16": self.fp16, "jit": serving.jit, "tensorrt": serving.tensorrt, "vllm": serving.vllm}
        if self.decoder == "batched" and (names := [name for name, on in asked.items() if on]):
            raise ValueError(f"{', '.join(names)} needs `decoder: upstream`")
        if self.decoder == "upstream" and self.precision != "float32":
            raise ValueError(f"precision: {self.precision} needs `decoder: batched`")
        return self


def version(model: CosyVoiceModel | None = None) -> str:
    """Digest of upstream's source, which has no version number, after the model's name and revision if one is given.

    Raises EngineUnavailable where the source is missing.
    """
    library = f"source {source_digest(find_source())}"
    if model is None:
        return library
    decoder = f" batched {_BATCHED}" if model.decoder == "batched" else ""
    precision = f" {model.precision}" if model.precision != "float32" else ""
    return f"{model.label} {NAME} {library}{decoder}{precision}"


def open_synthesizer(model: CosyVoiceModel) -> SpeechSynthesizer:
    """Load the model. Raises EngineUnavailable where that fails."""
    from pipeline.engines.tts.cosyvoice.checkpoint import load

    if model.decoder == "batched":
        from pipeline.engines.tts.cosyvoice.batched.synthesizer import BatchedSynthesizer

        return BatchedSynthesizer(model, load(model), version(model))
    from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer

    return CosyVoiceSynthesizer(model, load(model), version(model))


def voice_inputs(model: CosyVoiceModel | None = None) -> VoiceInputs:
    """Clips, and CAM++'s embeddings: upstream scales those to length 1 itself, so their length means nothing."""
    return VoiceInputs(clips=True, embeddings=True, width=EMBEDDING_WIDTH)


ENGINE = Engine(
    "tts",
    "cosyvoice",
    "CosyVoice 1, 2 and 3, from its source",
    open=open_synthesizer,
    version=version,
    settings=CosyVoiceModel,
    runs_model_code=True,
    voice_inputs=voice_inputs,
)
