"""Paraformer, SenseVoice and Fun-ASR by the funasr package: local model directories, or names of the ModelScope hub.

A model directory is read as data (`_funasr_directory`): none of its code is ever run.

What the package does silently is caught here. Where a checkpoint is missing or does not fit, it prints a line and goes
on with random weights; it takes any unknown language to mean "detect it"; it ends the process on an empty clip, gives
one result for a batch without speech, and sets the random seed and the number of threads of the whole process.
"""

import contextlib
import importlib
import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineDied, EngineUnavailable
from manifests.languages import primary_subtag
from manifests.libraries import extra, library, library_version, safe_torch
from manifests.reasons import Reason
from pipeline.engines.asr._chunked_decoding import AudioWindow, WindowDecoder, WindowTranscript, transcribe
from pipeline.engines.asr._funasr_directory import read_directory
from pipeline.engines.contract import Clip, Engine, Failure, Samples, Transcript
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.shared.torch_device import find_device
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local

NAME = "funasr"

_INSTALL = extra("recognizers")

TAG = re.compile(r"<\|[^|<>]*\|>")
"""SenseVoice writes tags before the text, <|zh|><|NEUTRAL|>...: language, emotion, event, and the form of numbers."""

DITHER_SEED = 0

_MISSING = re.compile(r"miss key in ckpt: ([^,\s]+)")


class FunASRModel(Checkpoint):
    """Paraformer, SenseVoice or Fun-ASR by the funasr package."""

    engine: Literal["funasr"]
    hub: Literal["modelscope", "huggingface"] = Field("modelscope", description="where a model's name is looked up")
    itn: bool = Field(False, description="let the model write numbers as digits")
    serving: Local = Field(Local(), description="where it runs")


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one kind: their languages, the package's word for each, and its option (`itn`) to write digits.

    `words` is None where the model is not told the language. `takes_tensors` marks models that do not accept arrays.
    """

    languages: frozenset[str]
    words: Mapping[str, str] | None
    itn: str | None = None
    takes_tensors: bool = False


_PARAFORMER = Family(frozenset({"zh", "cmn"}), None)
_SENSE_VOICE = {"zh": "zh", "cmn": "zh", "en": "en", "yue": "yue", "ja": "ja", "ko": "ko"}
_FUN_ASR = {"zh": "中文", "cmn": "中文", "en": "英文", "ja": "日文"}

FAMILIES: Mapping[str, Family] = {
    "Paraformer": _PARAFORMER,
    "BiCifParaformer": _PARAFORMER,
    "SeacoParaformer": _PARAFORMER,
    "ContextualParaformer": _PARAFORMER,
    "SenseVoiceSmall": Family(frozenset(_SENSE_VOICE), _SENSE_VOICE, "use_itn"),
    "FunASRNano": Family(frozenset(_FUN_ASR), _FUN_ASR, "itn", takes_tensors=True),
}
"""The families by the model class that a directory's config.yaml names. Whisper is not among them: inside funasr it
takes one clip at a time, of at most 30 s, and it has an engine of its own here."""


def version(model: FunASRModel | None = None) -> str:
    """Return the package's version, after the model's label and settings if one is given."""
    package = f"funasr {library_version('funasr', NAME, _INSTALL)}"
    library_version("kaldi-native-fbank", NAME, _INSTALL)
    return f"{model.label} {package} itn={'on' if model.itn else 'off'}" if model else package


def open_recognizer(model: FunASRModel) -> "FunASR":
    """Load a model. Raises EngineUnavailable where the package is missing or the checkpoint does not load."""
    return FunASR(model)


class FunASR:
    """Transcribes clips of any rate and length; those longer than 30 s are cut where they are quiet."""

    name = NAME

    def __init__(self, model: FunASRModel) -> None:
        self.version = version(model)
        self._model = _load(model)
        self._family = FAMILIES[str(self._model.kwargs["model"])]
        self.languages: frozenset[str] | None = self._family.languages
        self._itn = {self._family.itn: model.itn} if self._family.itn else {}
        self._decoder = WindowDecoder(self._decode, self._group, self._refuse, model.serving.batch_s)

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return transcribe(clips, languages, self._decoder)

    def _refuse(self, language: str) -> Failure | None:
        if primary_subtag(language) in self._family.languages:
            return None
        return Failure(Reason.NO_RECOGNIZER, f"the model does not know the language {language!r}")

    def _group(self, seconds: float, language: str) -> str:
        """Group windows by language, since a call has one language."""
        return primary_subtag(language)

    def _decode(self, windows: Sequence[AudioWindow]) -> list[WindowTranscript | Failure]:
        """Decode a batch, or one window after the other where the package fails on the batch.

        Paraformer fails if no word is found in the last clip of a batch.
        """
        import torch

        try:
            return self._decode_together(windows)
        except (torch.OutOfMemoryError, torch.AcceleratorError) as error:
            raise EngineDied(f"funasr stopped: {error}") from error
        except (IndexError, RuntimeError) as error:
            if len(windows) == 1:
                return [Failure(Reason.RECOGNITION_FAILED, f"funasr cannot decode the clip: {type(error).__name__}")]
            return [result for window in windows for result in self._decode([window])]

    def _decode_together(self, windows: Sequence[AudioWindow]) -> list[WindowTranscript | Failure]:
        words = self._family.words
        language = {"language": words[primary_subtag(windows[0].language)]} if words else {}
        results = self._generate([self._input(w.samples) for w in windows], {**language, **self._itn})
        if not any(result.get("text") for result in results):
            # For a batch without any words there is one result, without a key.
            return [WindowTranscript("") for _ in windows]
        if [_key(result) for result in results] != [str(i) for i in range(len(windows))]:
            raise EngineDied(f"funasr gave {len(results)} results for {len(windows)} clips")
        return [WindowTranscript(plain(str(result["text"]))) for result in results]

    def _input(self, samples: Samples) -> Any:
        import torch

        return torch.from_numpy(dithered(samples)) if self._family.takes_tensors else dithered(samples)

    def _generate(self, samples: list[Any], options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run the model on a batch.

        Without `key`, all rows of a batch would get the same key; without `batch_size`, a CPU decodes one by one. `fs`
        is left out: the other models assume 16 kHz anyway, and Fun-ASR fails on it. `llm_kwargs` makes Fun-ASR's
        language model greedy, whatever its checkpoint says.
        """
        keys = [str(i) for i in range(len(samples))]
        fixed = {"batch_size": len(samples), "llm_kwargs": {"do_sample": False}}
        with contextlib.redirect_stdout(sys.stderr):
            found: list[dict[str, Any]] = self._model.generate(input=samples, key=keys, **fixed, **options)
        return found


def _key(result: Mapping[str, Any]) -> Any:
    """Return the key of a result; Fun-ASR gives a single clip the whole list of keys."""
    key = result.get("key")
    return key[0] if isinstance(key, list) else key


def plain(text: str) -> str:
    """Remove the tags of a text. The package's own function would put emoji in their place."""
    return " ".join(TAG.sub(" ", text).split())


def dithered(samples: Samples) -> Samples:
    """Add the noise that the feature extraction would add, one step of 16 bits, but the same for all clips.

    The models were trained with it; without it, the digital silence around a clip makes frames that they have never
    seen. The extraction's own noise differs from call to call.
    """
    noise = np.random.default_rng(DITHER_SEED).standard_normal(len(samples), dtype=np.float32)
    return samples + noise / np.float32(1 << 15)


def _load(model: FunASRModel) -> Any:
    prepare_torchaudio()
    torch = safe_torch(NAME, _INSTALL)
    device = find_device(torch, model.serving.device, NAME)
    with _process_unchanged(torch), contextlib.redirect_stdout(sys.stderr):
        funasr = library("funasr", NAME, _INSTALL)
    printed = io.StringIO()
    settings = {**_network(model), **_settings(device, torch.get_num_threads())}
    # See `dithered`; set here, since a copy of the frontend is used later.
    settings["frontend_conf"] = {**settings.get("frontend_conf", {}), "dither": 0.0}
    try:
        # Fun-ASR imports more of transformers while it is built.
        prepare_torchaudio()
        with _process_unchanged(torch), contextlib.redirect_stdout(printed):
            loaded = funasr.AutoModel(**settings)
    except Exception as error:  # the package passes on whatever its builders raise
        raise EngineUnavailable(_no_checkpoint(model, type(error).__name__)) from error
    if problem := _random_weights(loaded, printed.getvalue()):
        raise EngineUnavailable(_no_checkpoint(model, problem))
    return loaded


def _network(model: FunASRModel) -> dict[str, Any]:
    """Return the description of the network in the model's directory, which the package never sees itself."""
    directory = Path(model.model).expanduser()
    try:
        network = read_directory(directory if directory.is_dir() else _download(model))
    except ValueError as error:
        raise EngineUnavailable(_no_checkpoint(model, str(error))) from None
    if network["model"] not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise EngineUnavailable(
            f"funasr: models of the kind {network['model'][:60]} are not supported; use one of: {known}"
        )
    return network


def _download(model: FunASRModel) -> Path:
    """Download a model of the hub, by the package's short names too, and return its directory."""
    names = library("funasr.download.name_maps_from_hub", NAME, _INSTALL)
    try:
        if model.hub == "modelscope":
            hub, name = importlib.import_module("modelscope"), names.name_maps_ms.get(model.model, model.model)
            return Path(hub.snapshot_download(name, revision=model.revision or "master"))
        hub, name = importlib.import_module("huggingface_hub"), names.name_maps_hf.get(model.model, model.model)
        return Path(hub.snapshot_download(name, revision=model.revision))
    except Exception as error:  # noqa: BLE001  hubs and networks fail in more ways than have a common class
        raise EngineUnavailable(_no_checkpoint(model, type(error).__name__)) from None


def _settings(device: str, threads: int) -> dict[str, Any]:
    return {
        "trust_remote_code": False,
        "device": device,
        "ncpu": threads,  # each call sets PyTorch's threads again
        "disable_update": True,  # otherwise it asks the package index for a newer version
        "disable_pbar": True,
        "log_level": "ERROR",
        "ignore_init_mismatch": False,
    }


def _random_weights(loaded: Any, printed: str) -> str | None:
    """Say which weights are random, as far as the package reports it on its standard output; None where none are."""
    weights = loaded.kwargs.get("init_param")
    if not weights or not Path(weights).exists():
        return "no weights"
    missing = set(_MISSING.findall(printed)) & {name for name, _ in loaded.model.named_parameters()}
    return f"{len(missing)} weights are missing, such as {min(missing)}" if missing else None


def _no_checkpoint(model: FunASRModel, why: str) -> str:
    return (
        f"funasr: no checkpoint could be loaded as {model.label} ({why}): give a local directory with config.yaml and "
        "model.pt, or a name of the ModelScope hub with modelscope installed and access to the hub"
    )


@contextlib.contextmanager
def _process_unchanged(torch: Any) -> Iterator[None]:
    """Undo what importing the package and building a model do to the process.

    They set three random generators, the number of threads and the log level, and log private paths meanwhile.
    """
    log = logging.getLogger()
    level, handlers, disabled = log.level, list(log.handlers), log.manager.disable
    threads = torch.get_num_threads()
    logging.disable(logging.CRITICAL)
    try:
        with random_state_kept():
            yield
    finally:
        torch.set_num_threads(threads)
        log.setLevel(level)
        log.handlers[:] = handlers
        logging.disable(disabled)


ENGINE = Engine(
    "asr", "funasr", "Paraformer, SenseVoice, Fun-ASR", open=open_recognizer, version=version, settings=FunASRModel
)
