"""Virtual voices: seconds and memory for 40,000 and 100,000 of them, and that a second run gives the same file.

    python benchmarks/blend.py [--speakers 5000] [--counts 40000 100000]

Speakers are made up: x-vectors of 512 and synthesis embeddings of 192 numbers, scattered around a common mean so that
two strangers are at a cosine of about 0.75, in rate buckets as spread out as read speech. Each run is in a process of
its own, whose highest resident memory is the figure (Linux only); "nothing" is one that has only loaded the speakers.
Wall seconds; the ratios hold within one run, on whatever machine.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from manifests.storage import open_place
from pipeline.bank.blend_report import write_report
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.card import write_card
from voicebank.check import check_bank
from voicebank.speaker_table import load_speaker_table
from voicebank.tables import write_speakers
from voicebank.voice import GENDERS, Speaker, Vector

OPTIONS = BlendOptions(count=0, seed=1, leak_limit=0.97, twin_limit=0.97)


def make_bank(directory: Path, count: int) -> None:
    generator = np.random.default_rng(5)
    xvectors, embeddings = (scatter(generator, count, width) for width in (512, 192))
    rates = generator.normal(0.2, 0.03, count)
    speakers = [
        Speaker(
            speaker_id=f"p{index:05d}",
            language="zh" if index % 4 else "en",
            gender=GENDERS[index // 4 % 2],
            gender_confidence=None,
            clips=10,
            speech_s=60.0,
            similar_pairs=45,
            seconds_per_character=float(abs(rates[index])) + 0.01,
            ms_per_character=max(10, 10 * round(rates[index] * 100)),
            quality=4.2,
            license="CC-BY-4.0",
            xvector=xvectors[index],
            embedding=embeddings[index],
        )
        for index in range(count)
    ]
    write_speakers(open_place(directory), speakers)
    write_card(open_place(directory), {"name": "made-up", "kind": "speakers"})


def scatter(generator: np.random.Generator, count: int, width: int) -> Vector:
    """Block vectors around a common one: cosines of about 0.75."""
    own = generator.normal(size=(count, width)) / np.sqrt(width)
    common = generator.normal(size=width)
    mixed = np.sqrt(0.75) * common / np.linalg.norm(common) + np.sqrt(0.25) * own
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def run(work: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Wall seconds, and the highest resident memory in MB, of a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measured, work, arguments).result()


def measured(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[float, float]:
    begun = time.perf_counter()
    work(*arguments)
    seconds = time.perf_counter() - begun
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return seconds, int(line.split()[1]) / 1024


def load(bank: str) -> None:
    load_speaker_table(open_place(bank))


def make(bank: str, out: str, count: int, report: bool) -> None:
    write = [partial(write_report, open_place(out))] if report else []
    blend(open_place(bank), open_place(out), replace(OPTIONS, count=count), *write)


def check(bank: str, out: str) -> None:
    report = check_bank(open_place(out), open_place(bank))
    if report.problems:
        raise SystemExit(f"the check failed: {report.problems[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", type=int, default=5000)
    parser.add_argument("--counts", type=int, nargs="+", default=[40_000, 100_000])
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave out the plots")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bank = f"{scratch}/bank"
        make_bank(Path(bank), arguments.speakers)
        _, least = run(load, bank)
        print(f"nothing: {least:.0f} MB with {arguments.speakers} speakers loaded")
        peaks = []
        for count in arguments.counts:
            seconds, peak = run(make, bank, f"{scratch}/v{count}", count, arguments.report)
            peaks.append(peak)
            print(f"{count} voices: {seconds:.1f} s, {count / seconds:.0f} voices/s, highest memory {peak:.0f} MB")
            seconds, peak = run(check, bank, f"{scratch}/v{count}")
            print(f"  checked from the files: {seconds:.1f} s, highest memory {peak:.0f} MB")
        print(f"memory, {arguments.counts[-1]} to {arguments.counts[0]} voices: {peaks[-1] / peaks[0]:.2f} times")
        run(make, bank, f"{scratch}/again", arguments.counts[-1], False)
        names = (f"v{arguments.counts[-1]}", "again")
        hashes = {hashlib.sha256(Path(scratch, name, "voices.parquet").read_bytes()).hexdigest() for name in names}
        print(f"blended twice, voices.parquet: {'the same bytes' if len(hashes) == 1 else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
