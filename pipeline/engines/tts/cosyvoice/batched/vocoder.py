"""The vocoder, for spectrograms of like length together: each row becomes what it would become alone, up to rounding.

Upstream's vocoder makes a source from the spectrogram, of sines with noise that is drawn; that goes piece by piece.
Its convolutions take the time, and go together. Each pads its input with zeros, so each is given zeros after the end
of a row. The Fourier transforms before and after them reflect at the ends, and go piece by piece again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.engines.contract import Samples
from pipeline.engines.tts.cosyvoice.batched.batches import batches

_MOST_FRAMES = 8000
"""Frames of spectrogram in one batch. Eight thousand, at 50 a second, take about a gigabyte between two layers."""


@dataclass(frozen=True)
class Excited:
    """Holds a spectrogram [1, 80, T] and its source [1, 1, samples]."""

    mel: Any
    source: Any


class Vocoder:
    """Makes samples with upstream's vocoder `hift` of a version."""

    def __init__(self, hift: Any, version: int) -> None:
        self._hift = hift
        self._given = {"finalize": True} if version == 3 else {}

    def excite(self, mel: Any, speed: float) -> Excited:
        """Make the source of a spectrogram [1, 80, T]. Draws from the generators of the process."""
        from torch.nn import functional

        if speed != 1.0:
            mel = functional.interpolate(mel, size=int(mel.shape[2] / speed), mode="linear")
        made: list[Excited] = []

        def decode(x: Any, s: Any, **_: Any) -> Any:
            made.append(Excited(x, s))
            return s

        with _replaced(self._hift, decode=decode):
            self._hift.inference(speech_feat=mel, **self._given)
        return made[0]

    def batches(self, excited: Sequence[Excited]) -> Iterator[list[int]]:
        """Yield the numbers of those that go through `samples` together."""
        return batches([one.mel.shape[2] for one in excited], _MOST_FRAMES)

    def samples(self, excited: Sequence[Excited]) -> list[Samples]:
        """Return the samples [T] of each."""
        import numpy as np
        import torch

        hift, made = self._hift, []
        spectra = [torch.stack(hift._stft(one.source.squeeze(1)))[:, 0] for one in excited]
        real, imaginary = _padded(spectra).unbind(1)

        def rows(magnitude: Any, phase: Any) -> Any:
            for row, spectrum in enumerate(spectra):
                ends = spectrum.shape[2]
                made.append(inverse(magnitude[row : row + 1, :, :ends], phase[row : row + 1, :, :ends]))
            return magnitude

        inverse = hift._istft
        mels = _padded([one.mel[0] for one in excited])
        lengths = torch.tensor([one.mel.shape[2] for one in excited], device=mels.device)
        with (
            _replaced(hift, _stft=lambda _: (real, imaginary), _istft=rows),
            _zeros_after(lengths, mels.shape[2], hift),
        ):
            hift.decode(x=mels, s=mels[:, :1], **self._given)
        limit = hift.audio_limit
        return [np.ascontiguousarray(row.clamp(-limit, limit).float().cpu().numpy().reshape(-1)) for row in made]


def _padded(rows: Sequence[Any]) -> Any:
    """Stack tensors [..., T] of different lengths, with zeros after the end of each."""
    import torch
    from torch.nn import functional

    most = max(row.shape[-1] for row in rows)
    return torch.stack([functional.pad(row, (0, most - row.shape[-1])) for row in rows])


@contextmanager
def _replaced(module: Any, **methods: Callable[..., Any]) -> Iterator[None]:
    """Let a module have other methods in the block."""
    vars(module).update(methods)
    try:
        yield
    finally:
        for name in methods:
            del vars(module)[name]


@contextmanager
def _zeros_after(lengths: Any, longest: int, module: Any) -> Iterator[None]:
    """Let each convolution, in the block, see zeros after the end of each row.

    Rows of `lengths` frames, int64 [B], are padded to `longest`. Inputs have so many steps for a frame, and one more
    where the vocoder adds one at the beginning.
    """
    import torch

    masks: dict[int, Any] = {}

    def zeros(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        steps = inputs[0].shape[2]
        if steps not in masks:
            ends = lengths * (steps // longest) + steps % longest
            masks[steps] = (torch.arange(steps, device=lengths.device) >= ends[:, None])[:, None]
        return (inputs[0].masked_fill(masks[steps], 0.0), *inputs[1:])

    kinds = (torch.nn.Conv1d, torch.nn.ConvTranspose1d)
    hooks = [part.register_forward_pre_hook(zeros) for part in module.modules() if isinstance(part, kinds)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
