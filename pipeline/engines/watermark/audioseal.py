"""AudioSeal: a mark that carries 16 bits, found sample by sample (San Roman et al., ICML 2024, arXiv 2401.17264).

The networks work at 16 kHz only: since release 0.2 the package accepts a `sample_rate` and ignores it. Here the
networks get a clip of any rate at 16 kHz, and only the mark is resampled back: the clip itself keeps its content above
8 kHz, which the mark does not reach.

Convolutions look ahead, so padding would change the samples before it. Therefore every clip is followed by ten hops
of silence (0.2 s), alone or in a batch, before it is padded further; scores and bits are taken over the clip's own
samples. In networks of the published layers with random weights, nothing after eight hops changes a sample (1e-16 in
double precision), while with seven the mark's end still changes.

What is left is rounding: a mark in a batch of four differed from the same mark alone by 4e-6 of its level. On the CPU,
where a batch is no faster (0.11 s to mark and 0.05 s to detect one second on one core, at the published size), clips
go through one by one, and a result is the same to the last bit whatever its neighbors. On a GPU they go in batches by
audio seconds, in float32 without TF32.

The score is the package's: the share of samples that are more likely marked than not. It says nothing about the bits,
and an unmarked clip has some bits too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import library
from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Detection, Engine, Failure, Samples
from pipeline.engines.shared.batches import cut_batches
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.watermark._audioseal_networks import INSTALL, NAME, AudioSealModel, installed, load_network
from pipeline.engines.watermark._message import add_mark, message_bits, message_text
from pipeline.settings import public_name

SAMPLE_RATE = 16_000
SPARE_HOPS = 10
"""Silence after every clip, in hops of the networks. The published networks look eight hops ahead."""

Network = Callable[[Any, Sequence[int]], Any]
"""Maps waves [B, 1, T] and the row numbers of the clips to a tensor [B, ..., T]."""

_SILENT = Failure(Reason.WATERMARK_FAILED, "the clip is silent")


def version(model: AudioSealModel | None = None) -> str:
    """Return the package's version, after the checkpoints' names if a model is given.

    Raises EngineUnavailable where the package is missing.
    """
    of_library = f"audioseal {installed()}"
    return f"{public_name(model.generator)} {public_name(model.detector)} {of_library}" if model else of_library


class AudioSealWatermarker:
    """Marks and detects clips of any rate from one hop (20 ms) on. Silence cannot carry the mark, and has none."""

    name = NAME

    def __init__(self, model: AudioSealModel) -> None:
        """Load the model. Raises EngineUnavailable where the package, a checkpoint or the device is missing."""
        self.version = version(model)
        self._compiling = library("audioseal.libs.moshi.utils.compile", NAME, INSTALL)
        self._torch, self._device = torch_on(model.serving.device, NAME, INSTALL)
        self._generator, self._detector = (
            load_network(kind, model, self._torch).to(self._device) for kind in ("generator", "detector")
        )
        self.bits: int = self._generator.nbits
        if self.bits != self._detector.nbits:
            raise EngineUnavailable(
                f"{NAME}: the generator has {self.bits} bits and the detector {self._detector.nbits}; "
                "name checkpoints that belong together"
            )
        self._hop = int(self._generator.encoder.hop_length)
        self._strength = model.strength
        self._batch_s = 0.0 if self._device == "cpu" else model.serving.batch_s

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        """Mark clips, keeping their lengths and rates. ValueError for a message that does not fit into `bits`."""
        bits = [message_bits(message, self.bits) for _, message in zip(clips, messages, strict=True)]

        def mark(waves: Any, rows: Sequence[int]) -> Any:
            asked = self._torch.tensor([bits[row] for row in rows], device=self._device)
            return self._strength * self._generator.get_watermark(waves, message=asked)[:, 0]

        return [_marked(clip, made) for clip, made in zip(clips, self._run(clips, mark), strict=True)]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        """Score clips by the share of their samples that carry the mark, with its bits; 0 and no bits for silence."""

        def find(waves: Any, rows: Sequence[int]) -> Any:
            normalizer = self._detector.normalizer
            return self._detector.detector(waves if normalizer is None else normalizer.loudness_normalization(waves))

        return [_detection(found) for found in self._run(clips, find, self._summary)]

    def _summary(self, found: Any) -> Any:
        """Reduce the detector's outputs of one clip, [2 + bits, T], to [2 + bits], on the device.

        The way to the CPU takes longest, on a GPU.

        The first number is 1 if all are finite; the second is the share of the samples with a mark, where a softmax of
        "no mark" and "a mark" is above one half; then the mean of each bit's output.
        """
        torch = self._torch
        finite = found.isfinite().all().float()
        return torch.cat([finite[None], (found[1] > found[0]).float().mean()[None], found[2:].mean(dim=-1)])

    def _run(
        self, clips: Sequence[Clip], network: Network, reduce: Callable[[Any], Any] | None = None
    ) -> list[Samples | Failure]:
        """Run a network on all clips in batches; returns its output for each clip, [..., T] at 16 kHz, or reduced."""
        waves = [_wave(clip, self._hop) for clip in clips]
        sound = {row: wave for row, wave in enumerate(waves) if not isinstance(wave, Failure)}
        rows = list(sound)
        made: dict[int, Samples | Failure] = {}
        for batch in cut_batches([self._padded(sound[row]) / SAMPLE_RATE for row in rows], self._batch_s):
            made.update(self._run_batch({rows[index]: sound[rows[index]] for index in batch}, network, reduce))
        return [made.get(row, wave) for row, wave in enumerate(waves)]

    def _run_batch(
        self, waves: Mapping[int, Samples], network: Network, reduce: Callable[[Any], Any] | None
    ) -> dict[int, Samples]:
        padded = np.zeros((len(waves), 1, max(map(self._padded, waves.values()))), np.float32)
        for line, wave in zip(padded, waves.values(), strict=True):
            line[0, : len(wave)] = wave
        with self._computing():
            made = network(self._torch.from_numpy(padded).to(self._device), list(waves))
            if reduce is not None:
                cut = [reduce(made[i, ..., : len(wave)]) for i, wave in enumerate(waves.values())]
                return dict(zip(waves, self._torch.stack(cut).cpu().numpy(), strict=True))
            made = made.cpu().numpy()
        return {row: made[i, ..., : len(wave)] for i, (row, wave) in enumerate(waves.items())}

    def _padded(self, wave: Samples) -> int:
        """Length of a wave with the silence after it, in samples that are whole hops."""
        return (-(-len(wave) // self._hop) + SPARE_HOPS) * self._hop

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Keep the package from compiling its networks on first use: on one core that took 142 s instead of 8 s."""
        exact = self._torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        try:
            with self._torch.inference_mode(), self._compiling.no_compile(), exact:
                yield
        except RuntimeError as error:  # all of PyTorch's are
            raise EngineDied(f"{NAME} stopped: {str(error).splitlines()[0]}") from error


def _wave(clip: Clip, shortest: int) -> Samples | Failure:
    """Resample a clip to 16 kHz; a `Failure` where it cannot carry a mark."""
    wave = resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
    if len(wave) < shortest:
        return Failure(Reason.WATERMARK_FAILED, "the clip is too short: a mark needs 20 ms")
    if not np.isfinite(wave).all():
        return Failure(Reason.WATERMARK_FAILED, "the clip holds NaN or infinite samples")
    return wave if wave.any() else _SILENT


def _marked(clip: Clip, mark: Samples | Failure) -> Clip | Failure:
    if isinstance(mark, Failure):
        return mark
    if not np.isfinite(mark).all():
        return Failure(Reason.WATERMARK_FAILED, "the generator gave NaN or infinity")
    return add_mark(clip, mark, SAMPLE_RATE)


def _detection(found: Samples | Failure) -> Detection | Failure:
    """Read the detector's summary [2 + bits]: finite, the share with a mark, the mean of each bit's output."""
    if isinstance(found, Failure):
        return Detection(0.0) if found == _SILENT else found
    if not found[0]:
        return Failure(Reason.WATERMARK_FAILED, "the detector gave NaN or infinity")
    return Detection(float(found[1]), message_text([int(bit) for bit in found[2:] > 0]))


ENGINE = Engine(
    "watermark",
    "audioseal",
    "neural, with a message of 16 bits",
    open=AudioSealWatermarker,
    version=version,
    settings=AudioSealModel,
)
