"""Rows per second of the whole job with tone engines, against the same work written as plain Ray Data; and the
memory of the driver.

    python benchmarks/tone_rows.py [--rows 100000]

Both sides run the same text, tone, watermark, recognition and scoring calls on the same rows, on the same number of
actors, one after the other in this process's children, and write Parquet with the audio inside. The plain side has no
laws, no provenance, no blocks, no continuation, no shards by status and no checks: it is the floor that Ray Data sets.
Figures are ratios of one run: machines differ and are shared.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

NOUNS = (
    "apples birds boats books bread bridges cakes cats chairs cheese clocks clouds coats coffee dogs doors ducks fish "
    "flowers games gardens goats grapes hats honey horses kites lamps lemons maps mice milk moons nuts onions pears "
    "pens plums rain rice rings roads ropes roses sand ships shoes snow soup stars stones sugar sheep swans tea towns "
    "toys"
).split()
BLOCK_ROWS = 256


def write_rows(path: Path, rows: int) -> None:
    """Short question and answer rows, each different (up to 185,193 of them), all of which can be spoken."""
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            a, b, c = (NOUNS[i // len(NOUNS) ** power % len(NOUNS)] for power in range(3))
            row = {"instruction": f"Do {a} like {b} and {c}?", "input": "", "output": f"Yes, they like {b}."}
            file.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--side", choices=["plain"], help=argparse.SUPPRESS)
    parser.add_argument("--input", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side == "plain":
        run_plain(arguments.input, arguments.out)
        return
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "rows.jsonl"
        write_rows(source, arguments.rows)
        parley = [str(Path(sys.executable).with_name("parley")), "run", "tone-dry-run", "--input", str(source)]
        parley += ["--language", "en", "--set", f"block_rows={BLOCK_ROWS}", "--out", f"{scratch}/parley"]
        plain = [sys.executable, __file__, "--side", "plain", "--input", str(source), "--out", f"{scratch}/plain"]
        plain_s, _ = timed(plain)
        parley_s, driver = timed(parley)
    print(f"rows {arguments.rows}, cores {len(os.sched_getaffinity(0))}")
    print(f"plain Ray Data: {plain_s:.1f} s, {arguments.rows / plain_s:.0f} rows/s")
    print(f"parley run:     {parley_s:.1f} s, {arguments.rows / parley_s:.0f} rows/s")
    print(f"ratio (parley over plain): {plain_s / parley_s:.2f}")
    quarters = [max(driver[i * len(driver) // 4 : (i + 1) * len(driver) // 4] or [0]) for i in range(4)]
    print("driver's memory, highest of each quarter of the run, MB:", *(f"{q / 2**20:.0f}" for q in quarters))


def timed(command: list[str]) -> tuple[float, list[int]]:
    """Wall seconds of the command, and its own resident memory, sampled every half second."""
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    watched, memory = psutil.Process(process.pid), []
    while process.poll() is None:
        try:
            memory.append(watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.5)
    if process.wait():
        sys.exit(process.returncode)
    return time.perf_counter() - begun, memory


class Plain:
    """One actor that does to a batch of rows what the stages do, by calling the engines directly."""

    def __init__(self) -> None:
        from pipeline.engines.asr.tone import ToneRecognizer
        from pipeline.engines.text.rules import RulesGenerator
        from pipeline.engines.tts.tone import ToneSynthesizer
        from pipeline.engines.watermark.tone_mark import ToneWatermarker
        from voicebank.bank import load_bank

        self.text, self.tts = RulesGenerator(), ToneSynthesizer()
        self.mark, self.asr = ToneWatermarker(), ToneRecognizer()
        self.voice = load_bank("tone").voices[0]

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        from manifests.audio import decode
        from pipeline.audio.levels import normalize_peak
        from pipeline.audio.samples import encode, pad_silence, trim_silence
        from pipeline.engines.contract import Clip, SpeechRequest
        from pipeline.scoring.rates import pooled, score

        questions = self._texts("rewrite", "question", instruction=batch["instruction"], material=batch["input"])
        self._texts(
            "screen", "verdict", instruction=batch["instruction"], material=batch["input"], question=questions,
            answer=batch["output"],
        )  # fmt: skip
        answers = self._texts("respond", "answer", question=questions, answer=batch["output"])
        texts = [text for pair in zip(questions, answers, strict=True) for text in pair]
        spoken = self.tts.synthesize([SpeechRequest(text, "en", self.voice, 1.0, i) for i, text in enumerate(texts)])
        clips = []
        for clip in spoken:
            samples = normalize_peak(trim_silence(clip.samples), -3.0)
            clips.append(Clip(*decode(encode(pad_silence(samples, 16_000, 150, 150), 16_000, "wav"))))
        audios = [encode(clip.samples, 16_000, "flac") for clip in self.mark.embed(clips, [0] * len(clips))]
        delivered = [Clip(*decode(audio)) for audio in audios]
        self.mark.detect(delivered)
        heard = self.asr.transcribe(delivered, ["en"] * len(delivered))
        scores = [score(text, one.text, "en") for text, one in zip(texts, heard, strict=True)]
        rates = [pooled(scores[i : i + 2]) for i in range(0, len(scores), 2)]
        return {
            "question": np.array(questions, object),
            "answer": np.array(answers, object),
            "question_audio": np.array([audio.bytes for audio in audios[::2]], object),
            "answer_audio": np.array([audio.bytes for audio in audios[1::2]], object),
            "wer": np.array(rates),
        }

    def _texts(self, task: str, field: str, **variables: Any) -> list[str]:
        from pipeline.engines.contract import TextRequest

        names, columns = list(variables), list(variables.values())
        options = {"max_length": 60, "max_words": 200, "max_non_text_share": 0.3, "answer_limit": 100}
        requests = [
            TextRequest(task, "en", dict(zip(names, map(str, values), strict=True)), i, options)
            for i, values in enumerate(zip(*columns, strict=True))
        ]
        return [answer.fields[field] for answer in self.text.generate(requests)]


def run_plain(source: str, out: str) -> None:
    import logging

    import ray
    import ray.data

    cores = len(os.sched_getaffinity(0))
    ray.init(address="local", num_cpus=cores + 2, include_dashboard=False, log_to_driver=False)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    actors = ray.data.ActorPoolStrategy(size=cores)
    data = ray.data.read_json(source, lines=True).repartition(target_num_rows_per_block=BLOCK_ROWS)
    data.map_batches(Plain, batch_size=BLOCK_ROWS, compute=actors, num_cpus=1).write_parquet(out)


if __name__ == "__main__":
    main()
