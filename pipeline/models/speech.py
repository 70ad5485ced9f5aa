"""Models that speak and models that hear."""

from typing import Any, Literal

from pydantic import Field, field_serializer

from pipeline.models.base import Checkpoint, Local, Section, Server, public_name


class CosyVoiceServing(Section):
    jit: bool = Field(False, description="TorchScript modules of the model directory (CosyVoice 1 and 2)")
    tensorrt: bool = Field(False, description="TensorRT for the flow's estimator")
    tensorrt_streams: int = Field(
        1, gt=0, description="utterances in flight with TensorRT, as upstream's trt_concurrent"
    )
    vllm: bool = Field(False, description="vLLM for the language model (CosyVoice 2 and 3)")
    threads: int = Field(1, gt=0, description="utterances in flight in one worker, where version and flags allow it")


class CosyVoiceModel(Checkpoint):
    """CosyVoice 1, 2 or 3, told apart by the model directory. What the voice holds decides how it is spoken with."""

    engine: Literal["cosyvoice"]
    fp16: bool = Field(False, description="half precision")
    text_frontend: bool = Field(True, description="upstream's own text normalizer and its cutting of long texts")
    instruct: str | None = Field(None, description="how to speak, for models that take instructions")
    serving: CosyVoiceServing = Field(CosyVoiceServing(), description="where and how it runs")


class OpenAISpeechModel(Checkpoint):
    """Any server of the OpenAI /v1/audio/speech kind. The voice's `speaker` is the server's name for it."""

    engine: Literal["openai-speech"]
    response_format: Literal["wav", "flac", "pcm"] = Field("wav", description="of the answer; lossless ones only")
    pcm_sample_rate: int = Field(24_000, gt=0, description="of raw pcm whose media type tells no rate, Hz")
    send_seed: bool = Field(False, description="send a `seed`, for servers that take one")
    send_reference: bool = Field(
        False,
        description="send a voice's recording as `ref_audio` and its text as `ref_text`, as vLLM-Omni takes them",
    )
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: Server = Field(Server(), description="where it runs")


class OpenAITranscriptionModel(Checkpoint):
    """Any server of the OpenAI /v1/audio/transcriptions kind."""

    engine: Literal["openai-transcription"]
    temperature: float = Field(0.0, ge=0, le=1, description="of the sampling")
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: Server = Field(Server(), description="where it runs")


class WhisperModel(Checkpoint):
    """A Whisper checkpoint. Language and task are forced."""

    engine: Literal["whisper"]
    backend: Literal["transformers", "ctranslate2"] = Field(
        "transformers", description="ctranslate2: for checkpoints converted to its format"
    )
    dtype: str = Field(
        "auto", description="of the weights: auto (half precision on a GPU), float32, float16, bfloat16"
    )
    beams: int = Field(1, gt=0, description="of the beam search; 1: greedy")
    max_new_tokens: int = Field(440, gt=0, le=440, description="longest transcript of 30 s; shorter clips get less")
    serving: Local = Field(Local(), description="where it runs")


class FunASRModel(Checkpoint):
    """Paraformer, SenseVoice or Fun-ASR by the funasr package."""

    engine: Literal["funasr"]
    hub: Literal["modelscope", "huggingface"] = Field("modelscope", description="where a model's name is looked up")
    itn: bool = Field(False, description="let the model write numbers as digits")
    serving: Local = Field(Local(), description="where it runs")


class AudioSealModel(Section):
    """AudioSeal. The message of a row is its corpus's: the first bits of the recipe's digest."""

    engine: Literal["audioseal"]
    generator: str = Field("audioseal_wm_16bits", description="card of the package, or a local checkpoint")
    detector: str = Field("audioseal_detector_16bits", description="card of the package, or a local checkpoint")
    architecture: Literal["base", "streaming"] = Field(
        "base", description="of the card, for local checkpoints that hold no architecture of their own"
    )
    strength: float = Field(1.0, gt=0, le=2, description="multiplies the mark before it is added")
    serving: Local = Field(Local(), description="where it runs")

    @field_serializer("generator", "detector")
    def _no_private_path(self, name: str) -> str:
        """Recipes stand in manifests."""
        return public_name(name)
