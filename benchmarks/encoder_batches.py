"""WavLM's x-vectors in batches: what a batch changes in a vector, and what it costs beside clips one by one.

    python -m benchmarks.encoder_batches [SECONDS ...]

Random weights at the size of the published base model, on a GPU if there is one; clips of something like speech, of
the SECONDS (default: 15.0 12.6 8.1 5.1 4.0 2.8). Prints the largest change of a value of a vector of length 1, the
least cosine, and seconds of the process's CPU and of the clock, the best of three.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.encoder.wavlm import WavLM, WavLMModel
from pipeline.engines.shared.encoder_batches import encode_batches
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

RATE = 16_000
SECONDS = (15.0, 12.6, 8.1, 5.1, 4.0, 2.8)
ROUNDS = 3


def main() -> None:
    lengths = [float(word) for word in sys.argv[1:]] or list(SECONDS)
    clips = [_clip(seconds, pitch=90 + 20 * place) for place, seconds in enumerate(lengths)]
    with tempfile.TemporaryDirectory() as name:
        _save(Path(name))
        encoder = WavLM(WavLMModel(engine="wavlm", model=name))
    alone, alone_s = _measured(lambda: _vectors(encoder, clips, 0.0))
    together, together_s = _measured(lambda: _vectors(encoder, clips, len(clips) * max(lengths)))
    cosines = (alone.astype(np.float64) * together).sum(axis=1)
    print(f"{len(clips)} clips, {sum(lengths):.1f} s, {len(clips) * max(lengths) / sum(lengths):.2f} with padding")
    print(f"largest change {np.abs(alone - together).max():.1e}, 1 - least cosine {1 - cosines.min():.1e}")
    for name, (cpu_s, wall_s) in (("one by one", alone_s), ("one batch", together_s)):
        print(f"{name}: {cpu_s:.2f} s of CPU, {wall_s:.2f} s; {sum(lengths) / wall_s:.1f} s of audio a second")


def _save(directory: Path) -> None:
    import torch

    prepare_torchaudio()
    import transformers

    torch.manual_seed(0)
    transformers.WavLMForXVector(transformers.WavLMConfig(use_weighted_layer_sum=True)).save_pretrained(directory)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(directory)


def _clip(seconds: float, pitch: float) -> Clip:
    time_s = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * k * pitch * time_s) / k for k in range(1, 20))
    noise = np.random.default_rng(0).normal(0, 0.02, len(time_s))
    return Clip((0.2 * tones * np.abs(np.sin(9 * time_s)) + noise).astype(np.float32), RATE)


def _vectors(encoder: WavLM, clips: list[Clip], batch_s: float) -> Samples:
    made = encode_batches(clips, encoder._embed, batch_s)
    return np.stack([vector for vector in made if not isinstance(vector, Failure)])


def _measured(work: Callable[[], Samples]) -> tuple[Samples, tuple[float, float]]:
    spent = []
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        made = work()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    return made, min(spent)


if __name__ == "__main__":
    main()
