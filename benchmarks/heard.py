"""What a recognizer prints for sentences that Kokoro spoke, and what the scorer makes of it.

    python -m benchmarks.heard speak DIR [--language zh] [--count 500] [--quick]   # a clip for each sentence
    python -m benchmarks.heard hear DIR                # transcribes the clips that have no transcript yet
    python -m benchmarks.heard report DIR [--show en]  # rates; --show: all pairs that are not equal

The sentences are those of `heard_sentences.py`, over eight voices of each language; with --quick, other English ones
by hibari, one voice, forty times as quick. Kokoro and Whisper base are those of the recipe `ke-speechchat-neural`,
which `parley models fetch ke-speechchat-neural` brings. DIR keeps the clips (FLAC, 24 kHz) and the transcripts; a
command that is repeated goes on where it stopped.
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import soundfile

from benchmarks.heard_sentences import sentences
from pipeline.engines.contract import Clip, Failure, SpeechRequest, Transcript
from pipeline.engines.registry import load_engine
from pipeline.engines.tts.kokoro.names import own_voice
from pipeline.recipes.load import load_recipe
from pipeline.scoring.rates import score
from voicebank.voice import Voice

RECIPE = "ke-speechchat-neural"
LANGUAGES = ("en", "zh")
VOICES = {
    "en": "af_heart am_michael bf_emma bm_george af_bella am_puck af_sarah am_fenrir".split(),
    "zh": "zf_xiaobei zm_yunjian zf_xiaoxiao zm_yunxi zf_xiaoyi zm_yunxia af_heart zm_yunyang".split(),
}
HIBARI = Voice("heart", "hibari", "heart", "en", "female")
BATCH = 8


def speak(directory: Path, language: str, count: int, quick: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    speaker = load_engine("tts", "hibari") if quick else load_engine("tts", "speaker", load_recipe(RECIPE).models)
    voices = [HIBARI] if quick else [own_voice(name) for name in VOICES[language]]
    for index, text in enumerate(islice(sentences(language, 1 + quick), count)):
        name = f"{language}{'-hibari' * quick}-{index:04}"
        if (directory / f"{name}.json").exists():
            continue
        voice = voices[index % len(voices)]
        (clip,) = speaker.synthesize([SpeechRequest(text, language, voice, 1.0, index)])
        if isinstance(clip, Failure):
            print(f"{name} {text}: {clip.detail}")
            continue
        soundfile.write(directory / f"{name}.flac", clip.samples, clip.sample_rate)
        row = {"name": name, "language": language, "voice": voice.speaker, "text": text}
        (directory / f"{name}.json").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")


def clips(directory: Path) -> list[dict[str, str]]:
    """By number, so that an interrupted hearing has some of every voice."""
    paths = sorted(directory.glob("*-*.json"), key=lambda path: (path.stem[-4:], path.stem))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def read_clip(directory: Path, name: str) -> Clip:
    samples, rate = soundfile.read(directory / f"{name}.flac", dtype="float32")
    return Clip(samples, rate)


def hear(directory: Path) -> None:
    listener = load_engine("asr", "listener", load_recipe(RECIPE).models)
    path = directory / "heard.jsonl"
    done = {row["name"] for row in transcripts(path)}
    rows = [row for row in clips(directory) if row["name"] not in done]
    begun, audio = time.process_time(), 0.0
    with path.open("a", encoding="utf-8") as out:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            sounds = [read_clip(directory, row["name"]) for row in batch]
            audio += sum(len(clip.samples) / clip.sample_rate for clip in sounds)
            results = listener.transcribe(sounds, [row["language"] for row in batch])
            for row, result in zip(batch, results, strict=True):
                heard = result.text if isinstance(result, Transcript) else None
                out.write(json.dumps(row | {"heard": heard}, ensure_ascii=False) + "\n")
            out.flush()
    print(f"{len(rows)} clips, {audio:.0f} s of audio, {time.process_time() - begun:.0f} s of CPU")


def transcripts(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def report(directory: Path, shown: str | None) -> None:
    print(
        "| language | sentences | equal | error rate, pooled | error rate, mean | failed |\n|---|---|---|---|---|---|"
    )
    rows = list(transcripts(directory / "heard.jsonl"))
    for language in LANGUAGES:
        ours = [row for row in rows if row["language"] == language]
        scores = [(row, score(row["text"], row["heard"], language)) for row in ours if row["heard"] is not None]
        rates = [one.rate or 0.0 for _, one in scores]
        if not rates:
            continue
        pooled = sum(one.edits for _, one in scores) / sum(one.reference_length for _, one in scores)
        equal = sum(rate == 0 for rate in rates)
        print(
            f"| {language} | {len(ours)} | {equal} ({equal / len(rates):.1%}) | {pooled:.2%} "
            f"| {sum(rates) / len(rates):.2%} | {len(ours) - len(rates)} |"
        )
        if shown == language:
            for row, one in sorted(scores, key=lambda pair: pair[1].rate or 0.0):
                if one.rate:
                    print(f"{row['name']} {row['voice']:11} {one.rate:.2f}\t{row['text']}\t{row['heard']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speak", "hear", "report"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="that is spoken")
    parser.add_argument("--count", type=int, default=500, help="sentences that are spoken")
    parser.add_argument("--quick", action="store_true", help="English by hibari")
    parser.add_argument("--show", choices=LANGUAGES, help="print the pairs of this language that are not equal")
    arguments = parser.parse_args()
    if arguments.what == "speak":
        speak(arguments.directory, arguments.language, arguments.count, arguments.quick)
    elif arguments.what == "hear":
        hear(arguments.directory)
    else:
        report(arguments.directory, arguments.show)


if __name__ == "__main__":
    main()
