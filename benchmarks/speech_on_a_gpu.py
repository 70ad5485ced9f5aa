"""What a GPU speaks and hears in a second, with random weights of the true sizes: audio seconds, utterances together.

CosyVoice 2 speaks in batches and, beside them, in upstream's own loop; Whisper large-v3-turbo hears in batches of what
the card holds and, beside them, in transformers' pipeline at batch 16. Ratios of one run; the weights say nothing, so
only the speed counts. It needs CosyVoice's source and its packages (docs/cosyvoice.md), about 10 GB of disk, and
a minute to write the weights. `--small` takes tiny weights, to rehearse it without a GPU.

    PYTHONPATH=CosyVoice:. python benchmarks/speech_on_a_gpu.py --out DIR [--small] [--only speaking|hearing|marking]
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests" / "cosyvoice"), str(ROOT / "tests" / "pipeline" / "engines" / "asr")]

from pipeline.engines.contract import Clip, SpeechRequest  # noqa: E402
from pipeline.engines.registry import load_engine  # noqa: E402
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio  # noqa: E402
from pipeline.engines.tts.cosyvoice import CosyVoiceModel, CosyVoiceServing  # noqa: E402
from voicebank.voice import Voice  # noqa: E402

TRUE_SIZES = {
    # From the tiny model's to those of CosyVoice2-0.5B, as upstream's own configuration has them.
    "linear_units: 32": "linear_units: 2048",
    "num_blocks: 1\n": "num_blocks: 6\n",
    "channels: [32]": "channels: [256]",
    "attention_head_dim: 8": "attention_head_dim: 64",
    "n_blocks: 1\n": "n_blocks: 4\n",
    "num_mid_blocks: 1\n": "num_mid_blocks: 12\n",
    "num_heads: 2\n": "num_heads: 8\n",
    "base_channels: 32": "base_channels: 512",
    "resblock_kernel_sizes: [3]": "resblock_kernel_sizes: [3, 7, 11]",
    "resblock_dilation_sizes: [[1, 3, 5]]\n": "resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]\n",
    "cond_channels: 32": "cond_channels: 512",
    "llm_input_size: 32": "llm_input_size: 896",
    "llm_output_size: 32": "llm_output_size: 896",
    "speech_token_size: 256": "speech_token_size: 6561",
    "vocab_size: 256": "vocab_size: 6561",
}
QWEN = {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14}
QWEN["num_key_value_heads"] = 2
TURBO = {"d_model": 1280, "encoder_layers": 32, "decoder_layers": 4, "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120}
TURBO |= {"encoder_attention_heads": 20, "decoder_attention_heads": 20}
SECONDS_OF_A_CHARACTER = 0.8
"""Upstream lets twenty speech tokens follow each character here, of which 25 are a second, and random weights hardly
ever end before."""


def write_cosyvoice(directory: Path, is_small: bool) -> Path:
    import tiny_cosyvoice

    from pipeline.engines.tts.cosyvoice.patches import import_upstream
    from pipeline.engines.tts.cosyvoice.upstream import find_source

    find_source()
    import_upstream()
    if (directory / "spk2info.pt").is_file():  # written last
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    if is_small:
        return tiny_cosyvoice.make_model(directory, 2)
    return tiny_cosyvoice.make_model(directory, 2, TRUE_SIZES, QWEN)


def write_whisper(directory: Path, is_small: bool) -> Path:
    import tiny_whisper

    if not (directory / "processor_config.json").is_file():  # written last
        shutil.rmtree(directory, ignore_errors=True)
        tiny_whisper.make_whisper(directory, spread=0.02, sizes=tiny_whisper.SIZES if is_small else TURBO)
    return directory


def lengths(count: int) -> list[int]:
    """Return the characters of texts that take 2 to 25 s, log-normal with a mean of about 8 s."""
    seconds = np.clip(np.random.default_rng(1).lognormal(1.96, 0.5, count), 2, 25)
    return [int(number) for number in np.ceil(seconds / SECONDS_OF_A_CHARACTER)]


def requests(count: int) -> list[SpeechRequest]:
    random = np.random.default_rng(0)
    made = []
    for number, characters in enumerate(lengths(count)):
        vector = random.normal(size=192).astype(np.float32)
        voice = Voice(f"v{number}", "cosyvoice", "", "en", "female", embedding=vector / np.linalg.norm(vector))
        letters = "".join(random.choice(list("abcdefgh"), characters))
        made.append(SpeechRequest(letters, "en", voice, 1.0, number))
    return made


def load_speaker(directory: Path, decoder: str, batch: int, precision: str = "float32") -> Any:
    model = CosyVoiceModel(
        engine="cosyvoice",
        model=str(directory),
        decoder=decoder,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        text_frontend=False,
        serving=CosyVoiceServing(run_model_code=True, batch=batch),
    )
    return load_engine("tts", "bench", {"bench": model})


def speaking(out: Path, is_small: bool, count: int) -> None:
    directory = write_cosyvoice(out / "cosyvoice", is_small)
    engine = load_speaker(directory, "upstream", 1)
    engine.synthesize(requests(1))  # the first calls load kernels
    alone, _ = rate_of(lambda: engine.synthesize(requests(2)))
    say(f"upstream's loop: {alone:.2f} s of audio a second")
    for batch in sorted({1, 32, count}):
        speak_in_batches(directory, batch, requests(min(count, 4 * batch)), "float32", alone)
    for precision in ("tf32", "bfloat16"):
        speak_in_batches(directory, count, requests(count), precision, alone)


def speak_in_batches(
    directory: Path, batch: int, asked: Sequence[SpeechRequest], precision: str, alone: float | None = None
) -> None:
    """Print the rate, beside that of upstream's loop, and where the time goes; large batches once more without graphs."""
    engine = load_speaker(directory, "batched", batch, precision)
    engine.synthesize(asked)  # the first calls load kernels, and each shape makes plans
    is_large = batch >= 32
    for way, capture in ({"": engine.decoder.step.capture} | ({", eager": None} if is_large else {})).items():
        engine.decoder.step.capture = capture
        with (
            timed(engine.decoder, "decode") as decoding,
            timed(engine, "_mels_of") as flow,
            timed(engine._vocoder, "excite") as exciting,
            timed(engine._vocoder, "samples") as sounding,
        ):
            rate, took = rate_of(lambda: engine.synthesize(asked))
        beside = f", {rate / alone:.1f} times upstream's loop" if alone else ""
        say(
            f"batched, {batch:3d} at once, {precision}{way}: {rate:.1f} s of audio a second{beside}; language model "
            f"{sum(decoding) / took:.0%}, flow {sum(flow) / took:.0%}, "
            f"vocoder {sum(exciting) / took:.0%} + {sum(sounding) / took:.0%}"
        )


def hearing(out: Path, is_small: bool, count: int) -> None:
    import torch
    from transformers import pipeline

    directory = write_whisper(out / "whisper", is_small)
    clips = noise(count)
    seconds = sum(len(clip.samples) for clip in clips) / 16_000
    settings = load_settings("whisper", {"engine": "whisper", "model": str(directory), "max_new_tokens": 40})
    engine = load_engine("asr", "bench", {"bench": settings})
    engine.transcribe(clips, ["en"] * count)
    began = time.perf_counter()
    engine.transcribe(clips, ["en"] * count)
    ours = seconds / (time.perf_counter() - began)
    device = 0 if torch.cuda.is_available() else -1
    dtype = torch.float16 if device == 0 else torch.float32
    library = pipeline("automatic-speech-recognition", str(directory), device=device, dtype=dtype, batch_size=16)
    inputs = [{"raw": clip.samples, "sampling_rate": 16_000} for clip in clips]
    told: dict[str, Any] = {"max_new_tokens": 40, "language": "en"}
    library([dict(one) for one in inputs[:16]], generate_kwargs=told)
    began = time.perf_counter()
    library([dict(one) for one in inputs], generate_kwargs=told)
    theirs = seconds / (time.perf_counter() - began)
    say(f"Whisper: {ours:.1f} s of audio a second, {ours / theirs:.2f} times transformers' pipeline at batch 16")


def marking(out: Path, is_small: bool, count: int) -> None:
    """Print how fast AudioSeal's published layers mark and find."""
    directory = out / "audioseal"
    engine = load_engine(
        "watermark",
        "bench",
        {"bench": load_settings("audioseal", {"engine": "audioseal", **write_marker(directory, is_small)})},
    )
    clips = noise(count)
    seconds = sum(len(clip.samples) for clip in clips) / 16_000
    for name, work in (("marks", lambda: engine.embed(clips, [1] * count)), ("finds", lambda: engine.detect(clips))):
        work()
        began = time.perf_counter()
        work()
        say(f"AudioSeal {name} {seconds / (time.perf_counter() - began):.0f} s of audio a second")


def write_marker(directory: Path, is_small: bool) -> dict[str, str]:
    """Return the paths of a generator and a detector of the published layers, with random weights."""
    from tests.pipeline.engines.watermark import tiny_audioseal

    directory.mkdir(parents=True, exist_ok=True)
    made = {kind: directory / f"{kind}.pth" for kind in ("generator", "detector")}
    for kind, path in made.items():
        if not path.is_file():
            tiny_audioseal.save(path, kind, seed=len(kind), sizes=tiny_audioseal.TINY if is_small else {})
    return {kind: str(path) for kind, path in made.items()}


def noise(count: int) -> list[Clip]:
    random = np.random.default_rng(1)
    return [
        Clip(random.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32), 16_000)
        for seconds in np.clip(random.lognormal(2.0, 0.5, count), 2, 25)
    ]


def load_settings(engine: str, values: dict[str, Any]) -> Any:
    from pipeline.engines.registry import model_settings

    settings = model_settings(engine)
    assert settings is not None
    return settings.model_validate(values)


@contextmanager
def timed(owner: Any, name: str) -> Iterator[list[float]]:
    """Yield a list to which each call of a method adds its seconds; what the GPU began before it is not counted."""
    import torch

    seconds: list[float] = []
    method = getattr(owner, name)

    def called(*given: Any) -> Any:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        began = time.perf_counter()
        made = method(*given)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
        return made

    setattr(owner, name, called)
    try:
        yield seconds
    finally:
        delattr(owner, name)


def say(line: str) -> None:
    print(line, flush=True)


def rate_of(speak: Callable[[], Sequence[Any]]) -> tuple[float, float]:
    """Seconds of audio for each second of the call, and its seconds. Raises RuntimeError for a request that failed."""
    began = time.perf_counter()
    made = speak()
    took = time.perf_counter() - began
    if failed := [one.detail for one in made if not isinstance(one, Clip)]:
        raise RuntimeError(failed[0])
    return sum(len(clip.samples) / clip.sample_rate for clip in made) / took, took


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="where the weights are written, and kept")
    parser.add_argument("--small", action="store_true", help="tiny weights: a rehearsal")
    parser.add_argument("--count", type=int, default=128, help="utterances, and clips")
    parser.add_argument("--only", choices=("speaking", "hearing", "marking"))
    parser.add_argument("--write", action="store_true", help="write the weights and end")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    prepare_torchaudio()
    parts = {"speaking": speaking, "hearing": hearing, "marking": marking}
    writers = {"speaking": ("cosyvoice", write_cosyvoice), "hearing": ("whisper", write_whisper)}
    writers["marking"] = ("audioseal", write_marker)  # type: ignore[assignment]
    for name in (arguments.only,) if arguments.only else parts:
        if arguments.write:
            directory, write = writers[name]
            write(arguments.out / directory, arguments.small)
        else:
            parts[name](arguments.out, arguments.small, arguments.count)


if __name__ == "__main__":
    main()
