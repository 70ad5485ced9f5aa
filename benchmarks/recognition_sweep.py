"""How well the offline recognizer hears the offline voices: the share of clips with a WER of at most 10 %.

The bank "offline", the order of the retakes in the recipes and the recognizer's language weights rest on this script.

    python benchmarks/recognition_sweep.py sweep --voices flite:rms,flite:slt --rates 0.9,1.0 --pitches 1.0
    python benchmarks/recognition_sweep.py bank --bank offline --retakes 1.0,0.9,0.85,1.0

`sweep` speaks the sentences with bare speakers; `bank` speaks them with the voices of a bank and climbs a ladder of
retakes (rate multipliers, another seed each) until a clip passes. The normalization here is deliberately simple, for
the sentences hold nothing but words. The decoder never sees a sentence: it runs as in the pipeline.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jiwer

from pipeline.engines.asr.pocketsphinx import PocketSphinx
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.festival import Festival
from pipeline.engines.tts.flite import Flite
from voicebank.bank import load_bank
from voicebank.voice import Voice

THRESHOLD = 0.10

QUESTIONS = (
    "What should I cook tonight?",
    "Can you help me plan a birthday party for my sister?",
    "How do plants make food from sunlight?",
    "I have a job interview tomorrow and I feel nervous, what should I do to stay calm?",
    "Could you tell me the difference between a lake and a pond?",
    "My neighbor plays loud music every night. How can I talk to him without starting a fight?",
    "What are some good ways to save money when you live alone in a big city?",
    "Please give me three ideas for a quick lunch that I can take to work.",
    "Why does the moon look bigger when it is close to the horizon?",
    "How often should I water the small cactus on my desk?",
    "I want to learn the guitar, but I only have twenty minutes a day. Is that enough to make progress?",
    "What is the best way to remove a coffee stain from a white shirt?",
    "Can you explain how a bank decides who gets a loan?",
    "I would like to read more books this year. Do you have any tips that really work?",
    "Who invented the telephone, and why did people need it?",
    "What should I pack for a weekend trip to the mountains in early spring?",
    "How can a student stay focused when there is so much noise in the house?",
    "Is it better to run in the morning or in the evening?",
    "Tell me something interesting about the history of bread.",
    "My car makes a strange sound when I turn left, should I be worried about it?",
    "What makes a good friend?",
    "How do I teach my daughter to ride a bicycle without scaring her?",
    "Could you suggest a few polite ways to say no to an invitation?",
    "Why do we yawn when other people yawn?",
    "I am moving to a new apartment next month and I do not know where to start with packing.",
    "How long does it take for a broken bone to heal?",
    "What kind of music helps people fall asleep faster?",
    "Do cats really like milk, or is that just a story?",
)

ANSWERS = (
    "A good way to start is to write down what you spend each week. After a month you will see where the money goes, "
    "and it becomes much easier to decide what you can do without.",
    "Plants catch light with their green leaves and use it to turn water and air into sugar. The sugar feeds the "
    "plant, and the oxygen that is left over goes back into the air we breathe.",
    "Try to talk to him during the day, when you are both relaxed. Tell him that you sleep badly because of the "
    "music, and ask if he could turn it down after ten.",
    "You could make a simple pasta with tomatoes, garlic and a little cheese. It takes about fifteen minutes, and you "
    "can add any vegetables that you have at home.",
    "The moon does not really change its size. When it is low in the sky, we compare it with trees and houses, "
    "and our brain thinks that it must be very large.",
    "Most broken bones need six to eight weeks to heal. Children heal faster than adults, and a doctor should always "
    "check that the bone grows together in the right way.",
    "Begin with a short walk every morning and add five minutes each week. After two months you will feel stronger, "
    "sleep better, and have more energy during the day.",
    "Thank the person for the invitation first, then say clearly that you cannot come. You do not have to give a "
    "reason, but a kind word and another date always help.",
    "Yes, twenty minutes a day is enough if you practice with a plan. Spend half of the time on chords and the other "
    "half on a song that you love, and you will hear the difference within a month.",
    "Soak the stain in cold water as soon as you can, then rub it gently with a little soap. "
    "Wash the shirt as usual and let it dry in the sun.",
    "Bread is thousands of years old. People in the past ground grain between two stones, mixed it with water and "
    "baked it on a hot rock, and much later they found out how to make it rise.",
    "Focus comes more easily when your phone is in another room. Work for half an hour, take a short break, and "
    "then begin the next task with a fresh mind.",
)

SPEAKERS = {
    "flite": ("rms", "slt", "awb", "kal16"),
    "festival": ("cmu_us_slt_arctic_hts", "kal_diphone", "ked_diphone"),
}


@dataclass(frozen=True)
class Result:
    """One clip: `kind` is question or answer, `wer` a fraction, `audio_s` and `decode_s` seconds."""

    voice: str
    rate: float
    pitch: float
    seed: int
    kind: str
    index: int
    words: int
    errors: int
    wer: float
    audio_s: float
    decode_s: float
    hypothesis: str


class Bench:
    """The engines, and one clip through them."""

    def __init__(self) -> None:
        self._synthesizers: dict[str, Any] = {"flite": Flite(), "festival": Festival()}
        self._recognizer = PocketSphinx()

    def score(self, voice: Voice, rate: float, seed: int, kind: str, index: int) -> Result:
        text = sentences()[kind][index]
        clip = self._synthesizers[voice.engine].synthesize([SpeechRequest(text, "en", voice, rate, seed)])[0]
        begin = time.perf_counter()
        transcript = self._recognizer.transcribe([_usable(clip)], ["en"])[0]
        decode_s = time.perf_counter() - begin
        if isinstance(transcript, Failure):
            raise SystemExit(f"{voice.voice_id}: {transcript.detail}")
        counts = jiwer.process_words(normalized(text), normalized(transcript.text) or "-")
        errors = counts.substitutions + counts.deletions + counts.insertions
        return Result(
            voice=voice.voice_id,
            rate=rate,
            pitch=voice.pitch,
            seed=seed,
            kind=kind,
            index=index,
            words=len(normalized(text).split()),
            errors=errors,
            wer=counts.wer,
            audio_s=len(clip.samples) / clip.sample_rate,
            decode_s=decode_s,
            hypothesis=transcript.text,
        )


def sentences() -> dict[str, tuple[str, ...]]:
    return {"question": QUESTIONS, "answer": ANSWERS}


def normalized(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split())


def sweep(bench: Bench, arguments: argparse.Namespace) -> Iterator[Result]:
    for name in arguments.voices.split(","):
        engine, _, speaker = name.partition(":")
        for pitch in _floats(arguments.pitches):
            voice = Voice(name, engine, speaker, "en", "male", pitch=pitch)
            for rate in _floats(arguments.rates):
                yield from _report(
                    f"{name} rate {rate:g} pitch {pitch:g}",
                    [bench.score(voice, rate, arguments.seed, kind, i) for kind, i in _chosen(arguments)],
                )


def bank(bench: Bench, arguments: argparse.Namespace) -> Iterator[Result]:
    for voice in load_bank(arguments.bank).select(language="en"):
        waiting = list(_chosen(arguments))
        last: dict[tuple[str, int], Result] = {}
        for attempt, rate in enumerate(_floats(arguments.retakes)):
            results = [bench.score(voice, rate, arguments.seed + attempt, kind, i) for kind, i in waiting]
            last |= {(r.kind, r.index): r for r in results}
            waiting = [(r.kind, r.index) for r in results if r.wer > THRESHOLD]
            _report(f"{voice.voice_id} up to take {attempt + 1} (rate {rate:g})", list(last.values()))
            yield from results


def _report(title: str, results: list[Result]) -> list[Result]:
    shares = []
    for kind in sentences():
        passed = [r.wer <= THRESHOLD for r in results if r.kind == kind]
        shares.append(f"{kind}s {sum(passed):2}/{len(passed):2}")
    wer = sum(r.errors for r in results) / max(1, sum(r.words for r in results))
    audio_s, decode_s = sum(r.audio_s for r in results), sum(r.decode_s for r in results)
    print(f"{title:48} {'  '.join(shares)}  WER {wer:6.1%}  RTF {decode_s / audio_s:.2f}", flush=True)
    return results


def _chosen(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    """Every n-th sentence of each kind, from an offset."""
    every, offset = arguments.every, arguments.offset
    return [(kind, i) for kind, texts in sentences().items() for i in range(offset % every, len(texts), every)]


def _usable(clip: Clip | Failure) -> Clip:
    if isinstance(clip, Failure):
        raise SystemExit(f"no clip: {clip.detail}")
    return clip


def _floats(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("sweep", "bank"))
    parser.add_argument("--voices", default=",".join(f"{e}:{s}" for e, speakers in SPEAKERS.items() for s in speakers))
    parser.add_argument("--rates", default="1.0")
    parser.add_argument("--pitches", default="1.0")
    parser.add_argument("--bank", default="offline")
    parser.add_argument("--retakes", default="1.0")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only every n-th sentence")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write every clip's result here, one JSON line each")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    arguments = _arguments(argv)
    results = list({"sweep": sweep, "bank": bank}[arguments.command](Bench(), arguments))
    if arguments.out:
        arguments.out.write_text("".join(json.dumps(asdict(result)) + "\n" for result in results))


if __name__ == "__main__":
    main(sys.argv[1:])
