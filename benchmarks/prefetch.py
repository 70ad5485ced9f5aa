"""What it saves to prepare the next batch of clips while a recognizer's card decodes this one.

    python benchmarks/prefetch.py [--clips 512] [--card-s 0.05 0.1 0.2]

Clips at 24 kHz are really resampled, guarded and cut; the card is a sleep of so many seconds a batch of 24 clips, in
which a core is free as it is beside a GPU. The same clips with the thread and without. That the interpreter also has
the card's kernels to start, which can slow it down, is not in these figures: only a GPU shows it.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.engines.asr import _chunked_decoding
from pipeline.engines.asr._chunked_decoding import AudioWindow, WindowDecoder, WindowTranscript
from pipeline.engines.contract import Clip
from pipeline.engines.shared.prefetch import prefetch

SAMPLE_RATE = 24_000
BATCH_CLIPS, LONGEST_S = 24, 15.0


def made(count: int) -> list[Clip]:
    """Noise of 3 to 15 s: what it costs to prepare a clip does not depend on what it says."""
    draw = np.random.default_rng(0)
    noise = draw.normal(0, 0.1, int(LONGEST_S * SAMPLE_RATE)).astype(np.float32)
    return [Clip(noise[: int(seconds * SAMPLE_RATE)], SAMPLE_RATE) for seconds in draw.uniform(3, LONGEST_S, count)]


def without(prepare: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    return map(prepare, items)


def timed(clips: Sequence[Clip], card_s: float, ahead: Any) -> float:
    def decode(windows: Sequence[AudioWindow]) -> list[WindowTranscript]:
        time.sleep(card_s)
        return [WindowTranscript("yes")] * len(windows)

    decoder = WindowDecoder(
        decode, lambda seconds, language: language, lambda language: None, BATCH_CLIPS * 30.0, lambda seconds: 30.0
    )
    _chunked_decoding.prefetch = ahead  # type: ignore[attr-defined]
    began = time.perf_counter()
    _chunked_decoding.transcribe(clips, ["en"] * len(clips), decoder)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--card-s", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    arguments = parser.parse_args()
    clips = made(arguments.clips)
    batches = -(-arguments.clips // BATCH_CLIPS)
    alone = timed(clips, 0.0, without)
    print(f"{arguments.clips} clips in {batches} batches: preparing alone takes {alone:.2f} s")
    for card_s in arguments.card_s:
        plain, ahead = (timed(clips, card_s, way) for way in (without, prefetch))
        print(
            f"card {card_s * batches:5.2f} s: {plain:.2f} s without the thread, {ahead:.2f} s with it, "
            f"{plain / ahead:.2f} times as fast"
        )


if __name__ == "__main__":
    main()
