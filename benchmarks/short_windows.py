"""Whether Whisper hears the same if its encoder takes a clip and some silence in place of 30 s, and what that saves.

    python -m benchmarks.short_windows DIR [--spare 2 4 6 10] [--most 200]

DIR holds clips of `python -m benchmarks.heard speak`, or any FLAC files (English speech without texts: no error rate
then). Each spare time is compared with the whole window, by the model of the recipe `ke-speechchat-neural` (Whisper
base, int8, five beams), one clip at a time: transcripts that are equal, and equal as scored; the error rate; how many
were doubtful, and so heard again in 30 s; CPU time, which includes that. `longer` counts transcripts that are twice as
long as the other or more: what the second hearing did not catch.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from pipeline.engines.asr._whisper_ct2 import CTranslate2Backend
from pipeline.engines.asr.whisper import Decoding, Whisper, WhisperModel
from pipeline.engines.contract import Clip, Transcript
from pipeline.engines.shared.silence_guard import SAMPLE_RATE
from pipeline.recipes.load import load_recipe
from pipeline.scoring.normalize import normalize
from pipeline.scoring.rates import pooled, score
from pipeline.weights.cache import locate

RECIPE, MODEL = "ke-speechchat-neural", "listener"
BATCH_S, MOST_TOKENS = 240.0, 440


@dataclass(slots=True)
class Case:
    language: str
    text: str
    clip: Clip


@dataclass(slots=True)
class Heard:
    texts: list[str] = field(default_factory=list)
    again: int = 0
    cpu_s: float = 0.0


def read_cases(directory: Path, most: int) -> list[Case]:
    """Take as many clips of each language."""
    found: dict[str, list[Case]] = {}
    for path in sorted(directory.rglob("*.flac")):
        beside = path.with_suffix(".json")
        row = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {"language": "en", "text": ""}
        cases = found.setdefault(row["language"], [])
        if len(cases) < most:
            cases.append(Case(row["language"], row["text"], Clip(*soundfile.read(path, dtype="float32"))))
    return [case for cases in found.values() for case in cases]


def hear(backend: CTranslate2Backend, cases: Sequence[Case], spare_s: float | None) -> dict[str, Heard]:
    result: dict[str, Heard] = {}
    recognizer = Whisper(backend, "", MOST_TOKENS, BATCH_S, spare_s)
    decode, windows = backend.decode, []
    backend.decode = lambda *given: windows.append(given[-1]) or decode(*given)  # type: ignore[func-returns-value, method-assign]
    for case in cases:
        ours = result.setdefault(case.language, Heard())
        windows.clear()
        begun = time.process_time()
        (heard,) = recognizer.transcribe([case.clip], [case.language])
        ours.cpu_s += time.process_time() - begun
        ours.again += len(set(windows)) - 1
        ours.texts.append(heard.text if isinstance(heard, Transcript) else "")
    backend.decode = decode  # type: ignore[method-assign]
    return result


def rate(cases: Sequence[Case], heard: Heard) -> str:
    of_all = pooled(score(case.text, text, case.language) for case, text in zip(cases, heard.texts, strict=True))
    return "-" if of_all is None or not any(case.text for case in cases) else f"{of_all:.2%}"


def compare(cases: Sequence[Case], whole: Heard, cut: Heard, shown: bool) -> tuple[str, str, int]:
    """Return the shares of equal transcripts, raw and as scored, and the number of those that are too long."""
    pairs = list(zip(whole.texts, cut.texts, strict=True))
    language = cases[0].language
    scored = [(normalize(one, language), normalize(other, language)) for one, other in pairs]
    for case, (one, other), (left, right) in zip(cases, pairs, scored, strict=True):
        if shown and left != right:
            print(f"{len(case.clip.samples) / case.clip.sample_rate:5.1f} s  {case.text}\n  {one}\n  {other}")
    wrong = sum(len(other) >= 2 * max(len(one), 4) for one, other in scored)
    equal = sum(one == other for one, other in pairs) / len(pairs)
    alike = sum(one == other for one, other in scored) / len(pairs)
    return f"{equal:.1%}", f"{alike:.1%}", wrong


def keep(path: Path, window: str, cases: Sequence[Case], heard: Heard) -> None:
    with path.open("a", encoding="utf-8") as out:
        for case, text in zip(cases, heard.texts, strict=True):
            row = {"window": window, "language": case.language, "text": case.text, "heard": text}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--spare", type=float, nargs="+", default=[2, 4, 6, 10])
    parser.add_argument("--most", type=int, default=200, help="clips of each language")
    parser.add_argument("--show", action="store_true", help="print the transcripts that differ as scored")
    parser.add_argument("--keep", type=Path, help="JSON Lines file for all transcripts")
    arguments = parser.parse_args()
    model = load_recipe(RECIPE).models[MODEL]
    assert isinstance(model, WhisperModel)
    backend = CTranslate2Backend(Decoding(locate(model.model, "whisper"), None, "cpu", model.dtype, model.beams))
    cases = read_cases(arguments.directory, arguments.most)
    backend.decode([cases[0].clip.samples[: 2 * SAMPLE_RATE]], ["en"], 10, 30)  # loading is not counted
    whole = hear(backend, cases, None)
    print("| spare | language | clips | equal | equal as scored | error rate | heard again | longer | CPU, ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for spare_s in (None, *arguments.spare):
        cut = whole if spare_s is None else hear(backend, cases, spare_s)
        for language, heard in cut.items():
            ours = [case for case in cases if case.language == language]
            equal, alike, wrong = compare(ours, whole[language], heard, arguments.show and spare_s is not None)
            name = "whole" if spare_s is None else f"{spare_s:g} s"
            print(
                f"| {name} | {language} | {len(ours)} | {equal} | {alike} | {rate(ours, heard)} | {heard.again} "
                f"| {wrong} | {heard.cpu_s:.0f} s, {whole[language].cpu_s / heard.cpu_s:.1f} |",
                flush=True,
            )
            if arguments.keep:
                keep(arguments.keep, name, ours, heard)


if __name__ == "__main__":
    main()
