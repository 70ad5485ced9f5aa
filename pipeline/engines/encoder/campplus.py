"""CAM++ as CosyVoice ships it (campplus.onnx): the embedding that conditions CosyVoice's voices.

The features are those of CosyVoice's own front end: 16 kHz, 80 mel bins of Kaldi's filter bank without dither, in
-1..1 (not 16-bit) scale, less their mean over time. Upstream makes them with torchaudio; kaldi-native-fbank gives the
same (docs/speaker-encoders.md) without PyTorch. Like upstream, this engine takes clips whole, however long they are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.shared.clips import SAMPLE_RATE, encode_each
from pipeline.engines.shared.onnx import OnnxSession
from pipeline.settings import Checkpoint, Local

NAME = "campplus"

_INSTALL = extra("voicebank")

FILE = "campplus.onnx"
BINS = 80


class CampplusModel(Checkpoint):
    """CAM++ as CosyVoice ships it: `campplus.onnx`, or the model directory that holds it. CosyVoice speaks with it."""

    engine: Literal["campplus"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: CampplusModel | None = None) -> str:
    """Return the libraries' versions, after the model's name and revision if one is given.

    Raises EngineUnavailable where a library is missing.
    """
    names = ("onnxruntime", "kaldi-native-fbank")
    of_libraries = " ".join(f"{name} {library_version(name, NAME, _INSTALL)}" for name in names)
    return f"{model.label} {of_libraries}" if model else of_libraries


class Campplus:
    """Embeddings as wide as the graph gives them (192 in the published ones). Runs on one CPU thread, as upstream."""

    name = NAME

    def __init__(self, model: CampplusModel) -> None:
        """Load the graph.

        Raises EngineUnavailable for a missing file, a graph of another kind, and where a GPU is asked for.
        """
        self.version = version(model)
        if model.serving.device not in ("auto", "cpu"):
            raise EngineUnavailable(f"{NAME} runs on the CPU only, as in CosyVoice, not on {model.serving.device!r}")
        self._fbank = library("kaldi_native_fbank", NAME, _INSTALL)
        self._session = OnnxSession(_graph(model), model.label, NAME, _INSTALL)
        self._input = _input_name(self._session, model)
        self.dimension = self._run(np.zeros((100, BINS), np.float32)).size

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Encode clips; those shorter than 0.5 s are a `Failure`."""
        return encode_each(clips, self._embed)

    def _embed(self, samples: Samples) -> Samples:
        features = kaldi_fbank(self._fbank, samples)
        return self._run(features - features.mean(axis=0, keepdims=True))

    def _run(self, features: Samples) -> Samples:
        (embedding, *_) = self._session.run(None, {self._input: features[None]})
        return np.asarray(embedding, np.float32).reshape(-1)


def kaldi_fbank(kaldi: Any, samples: Samples) -> Samples:
    """Compute log mel energies [frames, 80] of 16 kHz samples [T], by Kaldi's defaults without dither.

    Frames of 25 ms every 10 ms, none beyond the edges. `kaldi` is the module kaldi_native_fbank.
    """
    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.mel_opts.num_bins = BINS
    frames = kaldi.OnlineFbank(options)
    frames.accept_waveform(SAMPLE_RATE, samples.tolist())
    frames.input_finished()
    return np.stack([frames.get_frame(i) for i in range(frames.num_frames_ready)])


def _graph(model: CampplusModel) -> Path:
    path = Path(model.model).expanduser()
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise EngineUnavailable(f"{NAME} finds no {FILE} under {model.label}: name the file, or CosyVoice's directory")
    return path


def _input_name(session: OnnxSession, model: CampplusModel) -> str:
    """Find the name of the graph's only input, [batch, frames, 80]; sizes may be open (None or a name)."""
    if len(session.inputs) == 1:
        ((name, shape),) = session.inputs.items()
        if len(shape) == 3 and (shape[2] == BINS or not isinstance(shape[2], int)):
            return name
    raise EngineUnavailable(f"{model.label} is not a graph of CAM++: its inputs are {session.inputs}")


ENGINE = Engine(
    "encoder", "campplus", "CAM++, which CosyVoice speaks with", open=Campplus, version=version, settings=CampplusModel
)
