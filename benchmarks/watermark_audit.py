"""What the packaged watermark survives: clips of the offline voices with the mark, and others that never had one,
through every attack of `parley corpus audit`.

The last lines say how good the audit's own controls are: how resynthesized marked clips score beside clips that never
had a mark, and how many of the latter reach the threshold of 1 % that the former give.

    python benchmarks/watermark_audit.py
    python benchmarks/watermark_audit.py --clips 20 --engine perth
"""

import argparse
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from importlib import resources

import numpy as np

from manifests.audio import decode
from pipeline.audio.levels import normalize_peak
from pipeline.audio.samples import encode, pad_silence, resample, trim_silence
from pipeline.audit.attacks import ATTACKS
from pipeline.audit.controls import resynthesize
from pipeline.audit.detect import MarkScore
from pipeline.audit.rates import rate_at, threshold_at
from pipeline.audit.survival import (
    FALSE_POSITIVE_RATE,
    Detector,
    Survived,
    add_controls,
    add_marked,
    new_table,
    survival,
)
from pipeline.audit.text import number, percent
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.registry import load_engine
from voicebank.bank import load_bank
from voicebank.voice import Voice

SAMPLE_RATE = 16_000
LONGEST = {"en": 45, "zh": 15}
"""Characters of a text: clips of one to four seconds, the hard case for a detector."""
THRESHOLD = 0.8
"""That of the recipe `ke-speechchat-offline`."""


def texts(language: str) -> list[str]:
    file = resources.files("pipeline.samples").joinpath(f"instructions_{language}.json")
    rows = [row for row in json.loads(file.read_text("utf-8")) if isinstance(row, dict)]
    whole = " ".join(f"{row.get('instruction', '')} {row.get('output', '')}" for row in rows)
    sentences = [s.strip() for s in re.findall(r"[^.!?。！？\n]+[.!?。！？]", whole)]
    return sorted({s for s in sentences if LONGEST[language] // 3 <= len(s) <= LONGEST[language]})


def speak(count: int, seed: int) -> Iterator[Clip]:
    """As the recipe renders them: 16 kHz, peak at -3 dBFS, 150 ms of silence on both sides."""
    voices = load_bank("offline").voices
    spoken = {language: texts(language) for language in LONGEST}
    pairs = [(voice, text) for voice in voices for text in spoken[voice.language]]
    engines = {name: load_engine("tts", name) for name in {voice.engine for voice in voices}}
    made = (say(engines, voice, text) for voice, text in random.Random(seed).sample(pairs, len(pairs)))
    sound = (clip for clip in made if clip is not None)
    return (clip for clip, _ in zip(sound, range(count), strict=False))


def say(engines: dict[str, object], voice: Voice, text: str) -> Clip | None:
    engine = engines[voice.engine]
    made = engine.synthesize([SpeechRequest(text, voice.language, voice, 1.0, 0)])[0]  # type: ignore[attr-defined]
    if isinstance(made, Failure):
        return None
    samples = trim_silence(resample(made.samples, made.sample_rate, SAMPLE_RATE))
    return Clip(pad_silence(normalize_peak(samples, -3.0), SAMPLE_RATE, 150, 150), SAMPLE_RATE)


def as_delivered(clip: Clip) -> Clip:
    return Clip(*decode(encode(clip.samples, clip.sample_rate, "flac")))


def table(lines: Sequence[Survived]) -> str:
    head = ["attack", "clips", f"at {THRESHOLD}", "false", "at 1 % FPR", "false", "threshold", "mean", "controls"]
    rows = [
        [
            one.attack,
            str(one.at_recipe.total),
            percent(one.at_recipe),
            percent(one.false_at_recipe),
            percent(one.at_1_percent),
            percent(one.false_at_1_percent),
            number(one.threshold_1_percent),
            number(one.mean_score),
            number(one.mean_control),
        ]
        for one in lines
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def spread(name: str, found: Sequence[MarkScore]) -> str:
    scores = [one.score for one in found]
    quantiles = " ".join(f"{q:.4f}" for q in np.quantile(scores, (0.5, 0.9, 0.99, 1.0)))
    return f"{name:28} median, 90 %, 99 %, highest: {quantiles}"


def compare_controls(marked: Sequence[Clip], controls: Sequence[Clip], detect: Detector) -> str:
    """Controls by resynthesis beside true ones, and the share of these that the threshold from the first lets pass."""
    true, made = detect(controls), detect([resynthesize(clip) for clip in marked])
    threshold = threshold_at([one.score for one in made], FALSE_POSITIVE_RATE)
    passing = rate_at([one.score for one in true], threshold or 0.0)
    lines = [
        spread("never marked", true),
        spread("marked, resynthesized", made),
        spread("never marked, resynthesized", detect([resynthesize(clip) for clip in controls])),
        f"threshold of the resynthesized {number(threshold)}: {percent(passing)} % of the never marked reach it",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--clips", type=int, default=200, help="with the mark, and as many without")
    parser.add_argument("--engine", default="perth")
    arguments = parser.parse_args()
    begin = time.process_time()
    engine = load_engine("watermark", arguments.engine)

    def detect(clips: Sequence[Clip]) -> list[MarkScore]:
        return [MarkScore(0.0) if isinstance(one, Failure) else MarkScore(one.score) for one in engine.detect(clips)]

    clips = list(speak(2 * arguments.clips, seed=0))
    controls = [as_delivered(clip) for clip in clips[1::2]]
    embedded = engine.embed(clips[::2], [0] * len(clips[::2]))
    marked = [as_delivered(clip) for clip in embedded if not isinstance(clip, Failure)]
    seconds = sum(len(clip.samples) for clip in marked) / SAMPLE_RATE
    print(f"{len(marked)} marked clips ({seconds:.0f} s), {len(controls)} controls, {arguments.engine}\n")
    scores = new_table(ATTACKS)
    add_marked(scores, ((clip, 0) for clip in marked), detect, THRESHOLD, 0, ATTACKS)
    add_controls(scores, controls, detect, ATTACKS)
    print(table(survival(scores, THRESHOLD, ATTACKS)), "\n")
    print(compare_controls(marked, controls, detect))
    print(f"\n{time.process_time() - begin:.0f} s of CPU")


if __name__ == "__main__":
    main()
