"""The whole speech chain on one GPU, with random weights of the true sizes: a real job on Ray, by `parley run`.

CosyVoice 2 speaks, AudioSeal marks and finds, Whisper large-v3-turbo hears, the gate judges; one worker speaks and one
hears, on the same card, as in the recipes. Printed: seconds of audio a second of each pool's work, how busy and by how
many watts the card was, and what the whole did beside the synthesizer alone on the same texts (`speech_on_a_gpu.py`
has the same weights and takes the same directory). The weights say nothing, so every row is rejected; only the speed
counts. `--small` takes tiny weights, to rehearse it without a GPU.

    PYTHONPATH=CosyVoice:. python benchmarks/chain_on_a_gpu.py --out DIR [--rows 512] [--small]
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "cosyvoice")]
sys.path += [str(ROOT / "tests" / "pipeline" / "engines" / "asr")]

import speech_on_a_gpu as parts  # noqa: E402

from manifests.storage import open_place  # noqa: E402
from pipeline.engines.contract import SpeechRequest  # noqa: E402
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio  # noqa: E402
from voicebank.tables import VoiceWriter, write_card  # noqa: E402
from voicebank.voice import Voice  # noqa: E402

ANY_SPEED = {"slowest": 0.1, "fastest": 1000, "pause_s": 30}
"""Random weights speak a letter in 0.8 s."""
NOUNS = (
    "apes bats bees cats cows dogs ducks foxes frogs geese goats hens kids men mice owls pigs rats seals sheep".split()
)
VERBS = "bark cry dig eat fly hum jump learn nap play read run sing sleep smile swim talk wait walk work".split()


def write_bank(directory: Path, count: int) -> Path:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, 192)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    voices = [
        Voice(f"v{i}", "cosyvoice", f"v{i}", "en", ("female", "male")[i % 2], agent=i % 4 < 2, embedding=vector)
        for i, vector in enumerate(vectors)
    ]
    directory.mkdir(parents=True, exist_ok=True)
    place = open_place(directory)
    with VoiceWriter(place) as writer:
        writer.write(voices)
    write_card(place, {"name": directory.name, "kind": "voices"})
    return directory


def write_rows(path: Path, rows: int) -> None:
    """Write short questions and answers, of which most take 4 to 15 s here: what is spoken follows the letters."""
    random = np.random.default_rng(2)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            who, what, other = (str(random.choice(words)) for words in (NOUNS, VERBS, NOUNS))
            question = (f"Do {who} {what}?", f"Do {who} like {other}?")[int(random.integers(4)) // 3]
            answers = ("Yes.", "They do.", "Not at all.", f"Yes, {who} do.", f"Some {who} and {other} do.")
            row = {"instruction": question, "input": "", "output": str(random.choice(answers))}
            file.write(json.dumps(row) + "\n")


def write_recipe(out: Path, batch: int, block_rows: int, is_small: bool) -> Path:
    on_gpu = {} if is_small else {"gpus": 0.5}
    recipe: dict[str, Any] = {
        "name": "chain-on-a-gpu",
        "description": "random weights: a measurement of speed, not a corpus",
        "languages": ["en"],
        "exchanges": "all",
        "block_rows": block_rows,
        "models": {
            "speaker": {
                "engine": "cosyvoice",
                "model": str(out / "cosyvoice"),
                "text_frontend": False,
                "serving": {"run_model_code": True, "batch": batch},
            },
            "listener": {"engine": "whisper", "model": str(out / "whisper"), "max_new_tokens": 100},
            "marker": {"engine": "audioseal", **parts.write_marker(out / "audioseal", is_small)},
        },
        "stages": [
            {"rewrite": {"engine": "rules"}},
            {"screen": {"engine": "rules"}},
            {"respond": {"engine": "rules"}},
            {"cast": {"bank": str(write_bank(out / "bank", 64)), "agents": "pair"}},
            {"synthesize": {"engine": "speaker"}},
            {"render": {"sample_rate": 16000, "peak_dbfs": -3, "edge_silence_ms": 150}},
            {"watermark": {"engine": "marker", "threshold": 0, "message_errors": 16}},
            {"transcribe": {"engine": {"en": "listener"}}},
            {"gate": {"cer_limit": 1.0, "wer_limit": 1.0, "ladder": [], "spaced_speed": ANY_SPEED}},
        ],
        "pack": {"clips": False},
        "pools": {
            "text": {"stages": ["rewrite", "screen", "respond"], "workers": 1, "cpus": 0.5},
            "voices": {"stages": ["cast", "synthesize", "render"], **on_gpu},
            "proof": {"stages": ["watermark", "transcribe"], **on_gpu},
            "judges": {"stages": ["gate"], "workers": 1, "cpus": 0.5},
        },
    }
    path = out / "chain-on-a-gpu.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="where the weights are written, and kept")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--block-rows", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128, help="pieces that are spoken at once")
    parser.add_argument("--runner", choices=("ray", "local"), default="ray")
    parser.add_argument("--small", action="store_true", help="tiny weights: a rehearsal")
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    prepare_torchaudio()
    parts.write_cosyvoice(out / "cosyvoice", arguments.small)
    parts.write_whisper(out / "whisper", arguments.small)
    recipe = write_recipe(out, arguments.batch, arguments.block_rows, arguments.small)
    rows = out / "rows.jsonl"
    write_rows(rows, arguments.rows)
    job = out / f"job-{int(time.time())}"
    words = [sys.executable, "-m", "pipeline", "run", str(recipe), "--input", str(rows), "--language", "en"]
    ended = subprocess.run([*words, "--runner", arguments.runner, "--out", str(job)], cwd=ROOT).returncode
    print(f"parley run ended with {ended}")
    together = show(job)
    alone = speak_alone(out, arguments.block_rows, arguments.batch)
    print(f"spoken in the chain {together:.1f} s of audio a second, alone {alone:.1f}: {together / alone:.2f}")


def show(job: Path) -> float:
    """Print what each pool did; return the seconds of audio that were spoken in a second of the synthesizer's work."""
    lines = [json.loads(line) for line in (job / "work" / "log.jsonl").read_text("utf-8").splitlines()]
    pools = next(line["pools"] for line in reversed(lines) if "pools" in line)
    for name, pool in pools.items():
        if pool["audio_s"]:
            print(f"{name}: {pool['audio_s']:.0f} s of audio, {pool['audio_s'] / pool['busy_s']:.1f} a second of work")
    return float(pools["voices"]["audio_s"] / pools["voices"]["busy_s"])


def speak_alone(out: Path, rows: int, batch: int) -> float:
    """Speak the first rows' texts with nothing else on the card; return the seconds of audio a second."""
    engine = parts.load_speaker(out / "cosyvoice", "batched", batch)
    lines = [json.loads(line) for line in (out / "rows.jsonl").read_text("utf-8").splitlines()[:rows]]
    texts = [line[key] for line in lines for key in ("instruction", "output")]
    voice = parts.requests(1)[0].voice
    asked = [SpeechRequest(text, "en", voice, 1.0, number) for number, text in enumerate(texts)]
    engine.synthesize(asked[: max(2, batch // 2)])
    return parts.rate_of(lambda: engine.synthesize(asked))[0]


if __name__ == "__main__":
    main()
