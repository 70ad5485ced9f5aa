"""What batching by seconds saves: padded seconds and time of batches cut by seconds against batches of so many clips.

Needs a checkpoint; with none, only the padding is counted, which no machine changes.

    python benchmarks/recognizer_batches.py
    python benchmarks/recognizer_batches.py --model paraformer-zh --engine funasr --language zh
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from pipeline.engines.asr.funasr import FunASRModel
from pipeline.engines.asr.whisper import WhisperModel
from pipeline.engines.contract import Clip
from pipeline.engines.registry import load_engine
from pipeline.engines.shared.batches import cut_batches

CLIPS = 512
BATCH_S = 240.0


def durations(seed: int = 0) -> list[float]:
    """Questions of some four seconds and answers of some fifteen, log-normal, as in spoken instruction data."""
    random = np.random.default_rng(seed)
    means = np.where(np.arange(CLIPS) % 2, 15.0, 4.0)
    return [float(s) for s in np.clip(means * random.lognormal(0, 0.4, CLIPS), 0.8, 30)]


def padded(batches: Sequence[Sequence[int]], seconds: Sequence[float]) -> float:
    return sum(len(batch) * max(seconds[i] for i in batch) for batch in batches)


def by_count(seconds: Sequence[float]) -> list[list[int]]:
    """As many clips to a batch as surely fit, in the order of arrival."""
    size = int(BATCH_S // max(seconds))
    return [list(range(i, min(i + size, len(seconds)))) for i in range(0, len(seconds), size)]


def timed(arguments: argparse.Namespace, seconds: Sequence[float], batch_s: float) -> float:
    kind = {"whisper": WhisperModel, "funasr": FunASRModel}[arguments.engine]
    model = kind.model_validate(
        {"engine": arguments.engine, "model": arguments.model, "serving": {"batch_s": batch_s}}
    )
    recognizer = load_engine("asr", "bench", {"bench": model})
    noise = np.random.default_rng(1).standard_normal(30 * 16_000).astype(np.float32) / 10
    clips = [Clip(noise[: round(s * 16_000)], 16_000) for s in seconds[: arguments.clips]]
    begin = time.perf_counter()
    recognizer.transcribe(clips, [arguments.language] * len(clips))
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=("whisper", "funasr"), default="whisper")
    parser.add_argument("--model", help="checkpoint; none: count the padding only")
    parser.add_argument("--language", default="en")
    parser.add_argument("--clips", type=int, default=64)
    arguments = parser.parse_args()
    seconds = durations()
    audio = sum(seconds)
    for name, batches in (("by count", by_count(seconds)), ("by seconds", cut_batches(seconds, BATCH_S))):
        share = audio / padded(batches, seconds)
        print(f"{name:10}  {len(batches):3} batches  {share:6.1%} of the padded seconds are audio")
    if arguments.model:
        alone, together = (timed(arguments, seconds, batch_s) for batch_s in (0.1, BATCH_S))
        print(f"one by one {alone:.1f} s, in batches {together:.1f} s: {alone / together:.1f} times as fast")


if __name__ == "__main__":
    main()
