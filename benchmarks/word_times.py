"""How exactly aligners place words, against the times of the synthesizers, and which wrong texts are noticed.

    python -m benchmarks.word_times [--clips 20] [--aligner pocketsphinx whisper]

Sentences of `heard_sentences.py` are spoken by flite, whose word times are exact, and by the model of the recipe
`ke-speechchat-neural` (Kokoro, to 25 ms). Printed for each voice and aligner: bias, median
and 95th percentile of the error, and the share within 50 ms, of starts and of ends; how many clips the stage `align`
would not believe although the text is right; and how many it does not believe for other texts: one of another clip,
the text without its last or first third, with the words of its middle left out, and with a clause more.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from benchmarks.heard_sentences import sentences
from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.contract import AlignRequest, Clip, Failure, SpeechRequest, SpeechSynthesizer, WordAligner
from pipeline.engines.registry import load_engine
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.stages._word_times import TimeLimits, find_problem
from pipeline.stages.align import AlignSettings
from voicebank.bank import load_bank
from voicebank.voice import Voice

RECIPE, SPEAKER, LISTENER = "ke-speechchat-neural", "speaker", "listener"
MORE = {"en": " and that is all there is to say about it.", "zh": "别的我就不知道了，你再问问别人吧。"}


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    language: str
    clip: Clip
    times: WordTimes


def speak(engine: SpeechSynthesizer, voice: Voice, texts: Sequence[str]) -> Iterator[Case]:
    """Yield what is spoken with the times of all its words."""
    for number, text in enumerate(texts):
        (clip,) = engine.synthesize([SpeechRequest(text, voice.language, voice, 1.0, number, word_times=True)])
        if isinstance(clip, Failure) or clip.word_times is None or not clip.word_times.is_complete:
            print(f"   left out: {text}")
        else:
            yield Case(text, voice.language, clip, clip.word_times)


def others(case: Case, cases: Sequence[Case], draw: random.Random) -> Iterator[tuple[str, str]]:
    """Yield wrong texts for the clip, by what is wrong."""
    words = words_of(case.text, case.language)
    third = max(1, len(words) // 3)

    def part(*spans: range) -> str:
        return "".join(case.text[words[i].start : words[i].end] for span in spans for i in span).strip()

    yield "another", draw.choice([each.text for each in cases if each.text != case.text])
    yield "no end", part(range(len(words) - third))
    yield "no start", part(range(third, len(words)))
    yield "no middle", part(range(third), range(2 * third, len(words)))
    yield "one word less", part(range(len(words) // 2), range(len(words) // 2 + 1, len(words)))
    yield "more", case.text + MORE[case.language]


def problem_of(result: WordTimes | Failure, clip: Clip, limits: TimeLimits) -> str | None:
    if isinstance(result, Failure):
        return result.detail
    return result.problem or find_problem(result, clip, limits)


def report(name: str, cases: Sequence[Case], aligner: WordAligner, limits: TimeLimits) -> None:
    began = time.process_time()
    results = aligner.align([AlignRequest(case.clip, case.text, case.language) for case in cases])
    cost = (time.process_time() - began) / sum(len(case.clip.samples) / case.clip.sample_rate for case in cases)
    errors: dict[str, list[float]] = {"starts": [], "ends": []}
    doubted = 0
    for case, result in zip(cases, results, strict=True):
        if problem := problem_of(result, case.clip, limits):
            doubted += 1
            print(f"   {problem}: {case.text}")
        if isinstance(result, Failure):
            continue
        for found, true in zip(result.words, case.times.words, strict=True):
            if found.start_sample is not None and found.end_sample is not None:
                rate = case.clip.sample_rate / 1000
                errors["starts"].append((found.start_sample - (true.start_sample or 0)) / rate)
                errors["ends"].append((found.end_sample - (true.end_sample or 0)) / rate)
    print(f"{name}: {len(cases)} clips, {len(errors['starts'])} words, {cost:.3f} s of CPU a second")
    for side, values in errors.items():
        size = np.abs(values)
        print(
            f"   {side}: bias {np.mean(values):+.0f} ms, median {np.median(size):.0f}, "
            f"p95 {np.quantile(size, 0.95):.0f}, within 50 ms {np.mean(size <= 50):.1%}"
        )
    print(f"   right texts that are not believed: {doubted}")
    draw = random.Random(1)
    wrong = [(case, kind, text) for case in cases for kind, text in others(case, cases, draw)]
    answers = aligner.align([AlignRequest(case.clip, text, case.language) for case, _, text in wrong])
    kinds: dict[str, list[bool]] = {}
    for (case, kind, _), answer in zip(wrong, answers, strict=True):
        kinds.setdefault(kind, []).append(problem_of(answer, case.clip, limits) is not None)
    print("   wrong texts noticed: " + ", ".join(f"{kind} {sum(seen)}/{len(seen)}" for kind, seen in kinds.items()))


def voices(recipe: Recipe) -> Iterator[tuple[str, SpeechSynthesizer, Voice]]:
    flite = load_engine("tts", "flite")
    for speaker in ("rms", "slt"):
        yield f"flite {speaker}", flite, Voice(speaker, "flite", speaker, "en", "male")
    kokoro = load_engine("tts", SPEAKER, recipe.models)
    for voice in (voice for voice in load_bank("kokoro").voices if voice.agent):
        yield f"kokoro {voice.language} {voice.gender}", kokoro, voice


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--aligner", nargs="+", default=["pocketsphinx", "whisper"])
    chosen = parser.parse_args()
    recipe = load_recipe(RECIPE)
    open_aligner: dict[str, Callable[[], WordAligner]] = {
        "pocketsphinx": lambda: load_engine("aligner", "pocketsphinx"),
        "whisper": lambda: load_engine("aligner", LISTENER, recipe.models),
    }
    aligners = {name: open_aligner[name]() for name in chosen.aligner}
    settings = AlignSettings(engine={"*": "any"})
    limits = TimeLimits(settings.min_word_ms, settings.max_word_s, settings.max_gap_s, settings.max_unplaced_s)
    for name, engine, voice in voices(recipe):
        texts = list(islice(sentences(voice.language), chosen.clips))
        cases = list(speak(engine, voice, texts))
        for aligner_name, aligner in aligners.items():
            if aligner.languages is None or voice.language in aligner.languages:
                report(f"{name} / {aligner_name}", cases, aligner, limits)


if __name__ == "__main__":
    main()
