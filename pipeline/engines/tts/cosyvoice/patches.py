"""What upstream's code needs to run inside a worker: mends of its modules, none of its files.

* torchaudio's compiled part is not loadable beside every PyTorch, and since 2.9 its `load` needs torchcodec. Upstream
  uses its pure-Python parts alone (Kaldi features, mel spectrograms) once prompts are read by soundfile.
* Upstream sets the root logger to DEBUG, writes the text of every row to it, and shows a progress bar for each.
* transformers 5 makes a language model in the type that its configuration names: bfloat16, in which the checkpoint
  would be rounded and the layers around it, in float32, would not fit.
* Upstream masks one token a step and leaves out those in the cache. transformers 4.51 took that as "nothing is
  masked"; later releases fill the mask up with "masked", so that every step but the first sees the first token alone.
"""

import contextlib
import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from io import BytesIO
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import soundfile

from pipeline.audio.samples import resample
from pipeline.engines.contract import Samples
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.engines.tts.cosyvoice.upstream import find_source

_LOGGER = "cosyvoice"
_LOWEST_PROMPT_RATE = 16_000


def import_upstream() -> ModuleType:
    """`cosyvoice.cli.cosyvoice`, mended. May be called again; ImportError where a package that it needs is missing."""
    find_source()
    with _root_logger_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_torchaudio()
        upstream = importlib.import_module("cosyvoice.cli.cosyvoice")
        # The yaml of the model directory names classes of these; imported now, their import is quiet too.
        for name in ("cosyvoice.flow.flow_matching", "cosyvoice.flow.DiT.dit", "cosyvoice.hifigan.generator"):
            importlib.import_module(name)
    _quieten(upstream)
    vars(importlib.import_module("cosyvoice.cli.frontend"))["load_wav"] = load_prompt
    _mend_language_model(importlib.import_module("cosyvoice.llm.llm"))
    return upstream


def load_prompt(prompt: bytes, target_rate: int, min_sr: int = _LOWEST_PROMPT_RATE) -> Any:
    """Upstream's `load_wav` for a file in memory: float32 tensor [1, T] in -1..1 at `target_rate`.

    `min_sr` (upstream's name) is the lowest rate of the file. Raises ValueError below it.
    """
    import torch

    samples, sample_rate = read_prompt(prompt)
    if sample_rate < min_sr:
        raise ValueError(f"the prompt is at {sample_rate} Hz; at least {min_sr} are needed")
    made = np.clip(resample(samples, sample_rate, target_rate), -1.0, 1.0)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))[None]


def read_prompt(prompt: bytes) -> tuple[Samples, int]:
    """Mono samples, float32 [T], and rate of a WAV or FLAC file. Raises soundfile.LibsndfileError."""
    samples, sample_rate = soundfile.read(BytesIO(prompt), dtype="float32", always_2d=True)
    mono: Samples = samples.mean(axis=1, dtype=np.float32)
    return mono, int(sample_rate)


@contextlib.contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Whatever the block does to the root logger is undone."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    # basicConfig, which upstream calls, does nothing where a handler is there.
    root.addHandler(logging.NullHandler())
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _quieten(upstream: ModuleType) -> None:
    """Upstream's modules log to a logger of their own name, warnings and up, and show no progress."""
    logger = logging.getLogger(_LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "cosyvoice" and getattr(module, "logging", None) is logging:
            vars(module)["logging"] = logger
    vars(upstream)["tqdm"] = lambda pieces: pieces
    # `torch.cuda.amp.autocast` is deprecated; said anew for every piece.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"cosyvoice\.")


def _mend_language_model(module: ModuleType) -> None:
    encoder = module.Qwen2Encoder
    if isinstance(module.Qwen2ForCausalLM, SimpleNamespace):
        return
    made, step = module.Qwen2ForCausalLM, encoder.forward_one_step

    def from_pretrained(path: str) -> Any:
        import torch

        return made.from_pretrained(path, torch_dtype=torch.float32)

    def forward_one_step(self: Any, xs: Any, masks: Any, cache: Any = None) -> Any:
        return step(self, xs, _reaching_back(masks, cache, xs.shape[1]), cache)

    vars(module)["Qwen2ForCausalLM"] = SimpleNamespace(from_pretrained=from_pretrained)
    encoder.forward_one_step = forward_one_step


def _reaching_back(masks: Any, cache: Any, new: int) -> Any:
    """The mask [1, T, S] with "seen" for the cached positions that it leaves out, before those of `new` tokens.

    Upstream reads its last row.
    """
    import torch

    missing = 0 if cache is None else cache.get_seq_length() + new - masks.shape[2]
    return torch.nn.functional.pad(masks, (max(0, missing), 0), value=True)
