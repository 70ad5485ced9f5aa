"""What a GPU speaks and hears in a second, with random weights of the true sizes: audio seconds, utterances together.

CosyVoice 2 speaks in batches and, beside them, in upstream's own loop; Whisper large-v3-turbo hears in batches of what
the card holds and, beside them, in transformers' pipeline at batch 16. Ratios of one run; the weights say nothing, so
only the speed counts. It needs CosyVoice's source and its packages (docs/cosyvoice.md), about 10 GB of disk, and
minutes to write the weights. `--small` takes tiny weights, to rehearse it without a GPU. `--eager` speaks once more
without CUDA graphs.

    PYTHONPATH=CosyVoice:. python benchmarks/speech_on_a_gpu.py --out DIR [--small] [--eager]
        [--precision float32|tf32|bfloat16] [--skip speaking|hearing]
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests" / "cosyvoice"), str(ROOT / "tests" / "pipeline" / "engines" / "asr")]

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
CHARACTERS = 10
"""Of a text: upstream lets twenty speech tokens follow each character here, so that an utterance takes about 8 s."""


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


def requests(count: int) -> list[SpeechRequest]:
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        vector = random.normal(size=192).astype(np.float32)
        voice = Voice(f"v{number}", "cosyvoice", "", "en", "female", embedding=vector / np.linalg.norm(vector))
        letters = "".join(random.choice(list("abcdefgh"), CHARACTERS))
        made.append(SpeechRequest(letters, "en", voice, 1.0, number))
    return made


def speaking(out: Path, is_small: bool, count: int, with_eager: bool, precision: str) -> None:
    directory = write_cosyvoice(out / "cosyvoice", is_small)

    def speaks(
        decoder: str, batch: int, asked: Sequence[SpeechRequest], is_eager: bool = False
    ) -> tuple[float, float]:
        """The rate, and the share of the language model in the time."""
        model = CosyVoiceModel(
            engine="cosyvoice",
            model=str(directory),
            decoder=decoder,  # type: ignore[arg-type]
            precision=precision if decoder == "batched" else "float32",  # type: ignore[arg-type]
            text_frontend=False,
            serving=CosyVoiceServing(run_model_code=True, batch=batch),
        )
        engine: Any = load_engine("tts", "bench", {"bench": model})
        if is_eager:
            engine.decoder.step.capture = None
        engine.synthesize(asked[:2])  # the first calls load kernels
        seconds = time_decoding(engine) if decoder == "batched" else []
        rate, took = rate_of(lambda: engine.synthesize(asked))
        return rate, sum(seconds) / took

    alone, _ = speaks("upstream", 1, requests(min(count, 4)))
    print(f"upstream's loop: {alone:.1f} s of audio a second")
    for batch in sorted({1, 8, 32, count}):
        some = requests(min(count, 4 * batch))
        for is_eager in (False, True)[: 1 + with_eager]:
            rate, share = speaks("batched", batch, some, is_eager)
            way = f"batched, {batch:3d} at once{', eager' if is_eager else ''}"
            print(
                f"{way}: {rate:.1f} s of audio a second, {rate / alone:.1f} times upstream's loop; "
                f"{share:.0%} of the time in the language model"
            )


def hearing(out: Path, is_small: bool, count: int) -> None:
    import tiny_whisper
    import torch
    from transformers import pipeline

    directory = out / "whisper"
    if not directory.is_dir():
        tiny_whisper.make_whisper(directory, spread=0.02, sizes=tiny_whisper.SIZES if is_small else TURBO)
    random = np.random.default_rng(1)
    clips = [
        Clip(random.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32), 16_000)
        for seconds in np.clip(random.lognormal(2.0, 0.5, count), 2, 25)
    ]
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
    print(f"Whisper: {ours:.1f} s of audio a second, {ours / theirs:.2f} times transformers' pipeline at batch 16")


def load_settings(engine: str, values: dict[str, Any]) -> Any:
    from pipeline.engines.registry import model_settings

    settings = model_settings(engine)
    assert settings is not None
    return settings.model_validate(values)


def time_decoding(engine: Any) -> list[float]:
    """A list to which each call of the decoder adds its seconds; the GPU has ended by then too."""
    seconds: list[float] = []
    decode = engine.decoder.decode

    def timed(*given: Any) -> Any:
        began = time.perf_counter()
        made = decode(*given)
        seconds.append(time.perf_counter() - began)
        return made

    engine.decoder.decode = timed
    return seconds


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
    parser.add_argument("--eager", action="store_true", help="speak once more without CUDA graphs")
    parser.add_argument("--precision", choices=("float32", "tf32", "bfloat16"), default="float32", help="in batches")
    parser.add_argument("--skip", choices=("speaking", "hearing"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    prepare_torchaudio()
    if arguments.skip != "speaking":
        speaking(arguments.out, arguments.small, arguments.count, arguments.eager, arguments.precision)
    if arguments.skip != "hearing":
        hearing(arguments.out, arguments.small, arguments.count)


if __name__ == "__main__":
    main()
