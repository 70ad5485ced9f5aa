"""Computes Whisper's log-mel features with PyTorch, on the device where the model is, for all windows at once.

transformers computes them on the CPU, and brings them back there where it is told to use a GPU: that took 40 % of a
batch's time on an H100.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.engines.contract import Samples

_FLOOR, _RANGE = 1e-10, 8.0
"""Of the logarithm, and of what lies below a window's loudest value: as Whisper has them."""


class LogMel:
    """Holds the filters and the window of one checkpoint's feature extractor, on one device."""

    def __init__(self, extractor: Any, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._n_fft, self._hop, self._length = extractor.n_fft, extractor.hop_length, extractor.n_samples
        self._filters = torch.from_numpy(np.asarray(extractor.mel_filters, np.float32).T.copy()).to(device)
        self._window = torch.hann_window(self._n_fft, device=device)

    def __call__(self, windows: Sequence[Samples]) -> tuple[Any, Any]:
        """Return features float32 [B, bands, frames] of windows that silence fills to 30 s, and the mask of their
        frames, int64 [B, frames]."""
        torch = self._torch
        padded = np.zeros((len(windows), self._length), np.float32)
        for line, window in zip(padded, windows, strict=True):
            line[: len(window)] = window
        waves = torch.from_numpy(padded).to(self._device)
        spectrum = torch.stft(waves, self._n_fft, self._hop, window=self._window, return_complex=True)
        power = spectrum[..., :-1].abs() ** 2
        logarithm = (self._filters @ power).clamp(min=_FLOOR).log10()
        loudest = logarithm.amax(dim=(1, 2), keepdim=True)
        features = (torch.maximum(logarithm, loudest - _RANGE) + 4.0) / 4.0
        frames = torch.arange(self._length // self._hop, device=self._device) * self._hop
        lengths = torch.tensor([len(window) for window in windows], device=self._device)
        return features, (frames < lengths[:, None]).long()
