"""The Perth watermark: the neural mark of `resemble-perth`, whose weights ship in its package. It carries no message.

The package's files are used, but not its public interface. That needs torchaudio, librosa, scipy and setuptools < 81
without requiring any of them, and where one is missing, `perth.PerthImplicitWatermarker` is silently None. The two
networks that carry the mark and their weights need PyTorch alone; the spectra around them are made here.
They are the package's own: 32 kHz, 2048-point frames every 320 samples, levels in dB from -180 to 15 scaled to 0..1;
the mark lies below 2 kHz.

Two things differ on purpose. The package drops the rest after the last whole hop, so that its clips come back up to
10 ms shorter; here the inverse transform runs to the last sample, which is marked too. And the package returns the
clip resampled to 32 kHz and back, without what was above 16 kHz; here only the mark travels, and the clip itself is
not resampled. Computation is on the CPU, as is the package's default: 0.013 s to mark and 0.023 s to detect one
second of audio on one core.

Measured on 60 short English utterances (0.35 to 1.9 s of speech) of five synthetic voices, marked, as 16-bit FLAC at
16 kHz: scores of 0.96 and more with the mark, 0.15 and less without. On stretches cut from longer speech at random
places, at 8 to 24 kHz, the scores do not overlap (0.94 and more against 0.68 and less) from 0.5 s on; at 0.3 s they
overlap (0.78 and more, while 3 of 420 unmarked stretches exceed 0.9). Silence added after marking weakens the mark of
clips under a second.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from manifests.private_paths import public_text
from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Detection, Engine, Failure, Samples
from pipeline.engines.watermark._message import add_mark

NAME = "perth"

# The package's files are used by path: another release may have moved them.
_SUPPORTED = "1.0.1"
_INSTALL = f"pip install resemble-perth=={_SUPPORTED}"
_ALIAS = "_perth_networks"
_WEIGHTS = "pretrained/implicit/perth_net_250000.pth.tar"

_SAMPLE_RATE = 32000
_FLOOR_DB = -180.0
_RANGE_DB = 195.0
# Frames are mirrored at the edges by half their length, which takes one sample more than that.
_MIN_SAMPLES = 1025


def version() -> str:
    """Return the installed package's version. Raises EngineUnavailable where it is missing."""
    return library_version("resemble-perth", NAME, _INSTALL)


class PerthWatermarker:
    """Marks and detects clip by clip on one thread, so that a result never depends on its batch.

    The constructor sets PyTorch's number of threads to 1 for the process: sums over several threads would differ from
    one machine to the next.
    """

    name = NAME
    bits = 0

    def __init__(self) -> None:
        self.version = version()
        if self.version != _SUPPORTED:
            raise EngineUnavailable(
                f"{NAME} knows release {_SUPPORTED} of its package only, not {self.version}: {_INSTALL}"
            )
        torch = library("torch", NAME, extra("offline"))
        torch.set_num_threads(1)
        self._torch = torch
        self._window = torch.hann_window(2048)
        self._encoder, self._decoder = _load_networks(_package_root(), torch)

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        """Mark clips, keeping their lengths and rates. Silence and clips of 32 ms or less cannot carry the mark."""
        with self._torch.inference_mode():
            return [self._embed(clip) for clip in clips]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        """Score clips by the network's own confidence, not rounded; 0 for silence."""
        with self._torch.inference_mode():
            return [self._detect(clip) for clip in clips]

    def _embed(self, clip: Clip) -> Clip | Failure:
        samples = resample(clip.samples, clip.sample_rate, _SAMPLE_RATE)
        if problem := _problem(samples):
            return Failure(Reason.WATERMARK_FAILED, problem)
        if not samples.any():
            return Failure(Reason.WATERMARK_FAILED, "the clip is silent")
        levels, phases = self._spectrum(samples)
        marked = self._samples(self._encoder(levels)[0], phases, len(samples))
        return add_mark(clip, marked - samples, _SAMPLE_RATE)

    def _detect(self, clip: Clip) -> Detection | Failure:
        samples = resample(clip.samples, clip.sample_rate, _SAMPLE_RATE)
        if problem := _problem(samples):
            return Failure(Reason.WATERMARK_FAILED, problem)
        if not samples.any():
            return Detection(0.0)
        levels, _ = self._spectrum(samples)
        return Detection(float(self._decoder(levels)[0].clamp(0, 1)))

    def _spectrum(self, samples: Samples) -> tuple[Any, Any]:
        """Scaled levels and phases, both [1, 1025, frames]."""
        torch = self._torch
        spectrum = torch.stft(
            torch.from_numpy(np.ascontiguousarray(samples))[None],
            2048,
            hop_length=320,
            window=self._window,
            return_complex=True,
        )
        decibels = 20 * spectrum.abs().clamp(min=1e-9).log10()
        return (decibels - _FLOOR_DB) / _RANGE_DB, spectrum.angle()

    def _samples(self, levels: Any, phases: Any, length: int) -> Samples:
        torch = self._torch
        magnitudes = 10 ** ((levels * _RANGE_DB + _FLOOR_DB) / 20)
        spectrum = torch.polar(magnitudes, phases)
        made = torch.istft(spectrum, 2048, hop_length=320, window=self._window, length=length)
        samples: Samples = made[0].numpy()
        return samples


def _problem(samples: Samples) -> str | None:
    if len(samples) < _MIN_SAMPLES:
        return "the clip is too short: a mark needs more than 32 ms"
    if not np.isfinite(samples).all():
        return "the clip holds NaN or infinite samples"
    return None


def _package_root() -> Path:
    spec = importlib.util.find_spec("perth")
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable(f"the package of {NAME} is damaged: {_INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "perth_net"


def _load_networks(root: Path, torch: ModuleType) -> tuple[Any, Any]:
    """Load the mark's encoder and decoder with their trained weights, in evaluation mode."""
    try:
        hyperparameters = _import_below(root, "config").default_hp
        subband = _import_below(root, "model").compute_subband_freq(hyperparameters)
        encoder = _import_below(root, "model.encoder").Encoder(hyperparameters.hidden_size, subband)
        decoder = _import_below(root, "model.decoder").Decoder(hyperparameters.hidden_size, subband)
        weights = torch.load(root / _WEIGHTS, map_location="cpu", weights_only=True)["model"]
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"the package of {NAME} is damaged ({public_text(str(error))}): {_INSTALL}") from error
    for name, network in (("encoder", encoder), ("decoder", decoder)):
        network.load_state_dict(
            {k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")}
        )
        network.eval()
    return encoder, decoder


def _import_below(root: Path, module: str) -> Any:
    """Import a module of the package by its path, under a name of our own, without running the package's __init__."""
    if _ALIAS not in sys.modules:
        directory = root / "perth_net_implicit"
        spec = importlib.util.spec_from_file_location(
            _ALIAS, directory / "__init__.py", submodule_search_locations=[str(directory)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{directory} cannot be imported")
        package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
        sys.modules[_ALIAS] = package
    return import_module(f"{_ALIAS}.{module}")


ENGINE = Engine("watermark", "perth", "neural, weights in its package", open=PerthWatermarker, version=version)
