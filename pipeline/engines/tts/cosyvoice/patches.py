"""Patches upstream's modules in memory so that they run inside a worker; its files stay as they are.

* torchaudio's compiled part is not loadable beside every PyTorch, and since 2.9 its `load` needs torchcodec. Upstream
  uses its pure-Python parts alone (Kaldi features, mel spectrograms) once prompts are read by soundfile.
* Upstream sets the root logger to DEBUG, writes the text of every row to it, and shows a progress bar for each.
* transformers 5 makes a language model in the data type that its configuration names: bfloat16, to which the
  checkpoint would be rounded, and which does not fit the float32 layers around it.
* Upstream's mask has one token for each step and leaves out those in the cache. transformers 4.51 took the missing
  ones as "not masked"; later releases take them as "masked", so that every step but the first sees the first token
  alone.
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
    """Import `cosyvoice.cli.cosyvoice` with all patches. May be called again.

    Raises ImportError where a package that upstream needs is missing.
    """
    find_source()
    with _root_logger_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_torchaudio()
        upstream = importlib.import_module("cosyvoice.cli.cosyvoice")
        # The yaml file of the model directory names classes of these modules; imported here, they are quiet too.
        for name in ("cosyvoice.flow.flow_matching", "cosyvoice.flow.DiT.dit", "cosyvoice.hifigan.generator"):
            importlib.import_module(name)
    _quieten(upstream)
    vars(importlib.import_module("cosyvoice.cli.frontend"))["load_wav"] = load_prompt
    _patch_language_model(importlib.import_module("cosyvoice.llm.llm"))
    return upstream


def load_prompt(prompt: bytes, target_rate: int, min_sr: int = _LOWEST_PROMPT_RATE) -> Any:
    """Load a prompt as upstream's `load_wav` does, but from memory: float32 tensor [1, T] in -1..1 at `target_rate`.

    `min_sr` (upstream's name) is the lowest rate that the file may have. Raises ValueError below it.
    """
    import torch

    samples, sample_rate = read_prompt(prompt)
    if sample_rate < min_sr:
        raise ValueError(f"the prompt is at {sample_rate} Hz; at least {min_sr} are needed")
    made = np.clip(resample(samples, sample_rate, target_rate), -1.0, 1.0)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))[None]


def read_prompt(prompt: bytes) -> tuple[Samples, int]:
    """Decode a WAV or FLAC file to mono samples, float32 [T], and their rate. Raises soundfile.LibsndfileError."""
    samples, sample_rate = soundfile.read(BytesIO(prompt), dtype="float32", always_2d=True)
    mono: Samples = samples.mean(axis=1, dtype=np.float32)
    return mono, int(sample_rate)


@contextlib.contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Undo whatever the block does to the root logger."""
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
    """Let upstream's modules log warnings and errors only, to a logger of their own, and hide their progress bars."""
    logger = logging.getLogger(_LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "cosyvoice" and getattr(module, "logging", None) is logging:
            vars(module)["logging"] = logger
    vars(upstream)["tqdm"] = lambda pieces: pieces
    # `torch.cuda.amp.autocast` is deprecated, and warns for every piece of text.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"cosyvoice\.")


def _patch_language_model(module: ModuleType) -> None:
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
    """Extend the mask [1, T, S] by "not masked" for the cached positions before those of the `new` tokens.

    Upstream reads its last row.
    """
    import torch

    missing = 0 if cache is None else cache.get_seq_length() + new - masks.shape[2]
    return torch.nn.functional.pad(masks, (max(0, missing), 0), value=True)
