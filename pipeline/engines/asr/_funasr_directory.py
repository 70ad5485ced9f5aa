"""Reads the model directories of funasr as data, so that a directory cannot choose what runs.

The package merges `config.yaml` and `configuration.json` into its own arguments. With them a directory can import a
Python file from anywhere, install packages, build classes that run code of a hub, load further models, read and write
any file, and read environment variables. Therefore the package never sees the directory: its files are read here,
only what describes a network is taken, and the package gets plain values.

What stands in the files but describes no network (how it was trained) is left out. What would act is refused.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CONFIG, FILES = "config.yaml", "configuration.json"
WEIGHTS = "model.pt"

_TOKENIZERS = frozenset({"CharTokenizer", "SentencepiecesTokenizer", "HuggingfaceTokenizer", "SenseVoiceTokenizer"})
_DECODERS = frozenset(
    {"ParaformerSANMDecoder", "ParaformerSANDecoder", "ParaformerDecoderSAN", "ContextualParaformerDecoder"}
)
_ADAPTORS = frozenset({"Linear", "Transformer"})
PARTS: Mapping[str, frozenset[str]] = {
    "encoder": frozenset({"SANMEncoder", "SANMEncoderChunkOpt", "ConformerEncoder", "SenseVoiceEncoderSmall"}),
    "audio_encoder": frozenset({"SANMEncoder", "SenseVoiceEncoderSmall"}),
    "decoder": _DECODERS,
    "seaco_decoder": _DECODERS,
    "predictor": frozenset({"CifPredictor", "CifPredictorV2", "CifPredictorV3"}),
    "frontend": frozenset({"WavFrontend"}),
    "tokenizer": _TOKENIZERS,
    "ctc_tokenizer": _TOKENIZERS,
    "specaug": frozenset({"SpecAug", "SpecAugLFR"}),
    "normalize": frozenset({"UtteranceMVN"}),
    "audio_adaptor": _ADAPTORS,
    "ctc_decoder": _ADAPTORS,
}
"""The classes that a directory may name, by key. Others of the package evaluate texts, or load models with their
code (release 1.4.16: data2vec, s3prl, Qwen-Audio, GLM-ASR, MOSS)."""

_SETTINGS = frozenset({*(f"{part}_conf" for part in PARTS), "model_conf", "ctc_conf", "llm_conf", "dataset_conf"})
_NAMES = frozenset({"llm", "bias_encoder_type"})
_REFUSED = frozenset(
    {
        *("trust_remote_code", "remote_code", "model_path", "init_param", "load_kwargs", "oss_bucket"),
        *("vad_model", "punc_model", "spk_model", "hotword", "hotwords", "postprocess_hotword_file"),
        *("output_dir", "lm_file"),
    }
)
_PATHS = frozenset({"bpemodel", "token_list", "seg_dict", "cmvn_file", "init_param_path", "vocab_path", "lexicon"})
_STANDARD = {
    "tokens.txt": ("tokenizer_conf", "token_list"),
    "tokens.json": ("tokenizer_conf", "token_list"),
    "seg_dict": ("tokenizer_conf", "seg_dict"),
    "bpe.model": ("tokenizer_conf", "bpemodel"),
    "am.mvn": ("frontend_conf", "cmvn_file"),
}
"""Files that belong to a network where no configuration.json says so, and the settings that they are."""
_CODE_FILES = ("config.json", "tokenizer_config.json", "processor_config.json", "generation_config.json")


class _Loader(yaml.SafeLoader):
    """YAML as the package reads it: 1e-5 is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+"), list("-+0123456789")
)


def read_directory(directory: Path) -> dict[str, Any]:
    """Return the description of the network: `model`, its class, and the class and settings of each of its parts.

    Paths are absolute and lie in the directory, `init_param` is the file of weights. Raises ValueError, in a few
    words, for files that are missing or broken, and for what would act.
    """
    files = _files(directory)
    config = _mapping(_parsed(directory / str(files.pop("config", CONFIG)), yaml_file=True))
    if acting := next(_acting(config), None):
        raise ValueError(f"it sets {acting}, which a model directory may not")
    network: dict[str, Any] = {"model": str(config.get("model"))}
    network |= {key: value for key, value in config.items() if _is_wanted(key, value)}
    for key in _SETTINGS & config.keys():
        network[key] = _mapping(config[key] or {})
    _merge(network, files)
    for part, known in PARTS.items():
        named = config.get(part)
        if named is not None and (not isinstance(named, str) or named not in known):
            raise ValueError(f"its {part} {str(named)[:60]} is none of {', '.join(sorted(known))}")
    found = {key: _confined(directory, key, value) for key, value in network.items()}
    return {**found, "model_conf": found.get("model_conf", {}), "init_param": str(directory / _weights(directory))}


def _is_wanted(key: str, value: object) -> bool:
    """Tell whether an entry beside the parts' settings describes the network: numbers do, and a few names."""
    return isinstance(value, bool | int | float) or (isinstance(value, str) and (key in PARTS or key in _NAMES))


def _files(directory: Path) -> dict[str, Any]:
    """Return the paths of files that configuration.json assigns to settings, or those of the standard names."""
    if (directory / FILES).is_file():
        metas = _mapping(_mapping(_parsed(directory / FILES, yaml_file=False)).get("file_path_metas") or {})
        kept = {key: value for key, value in metas.items() if key in _SETTINGS or key == "config"}
        if "config" in kept:
            _inside(directory, str(kept["config"]))
        return {key: _mapping(value) if key in _SETTINGS else value for key, value in kept.items()}
    found: dict[str, Any] = {}
    for name, (section, key) in _STANDARD.items():
        if (directory / name).exists():
            found.setdefault(section, {})[key] = name
    return found


def _weights(directory: Path) -> str:
    name = WEIGHTS
    if (directory / FILES).is_file():
        metas = _mapping(_parsed(directory / FILES, yaml_file=False)).get("file_path_metas") or {}
        name = str(_mapping(metas).get("init_param") or WEIGHTS)
    return _inside(directory, name)


def _parsed(file: Path, yaml_file: bool) -> object:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"it has no readable {file.name}") from None
    try:
        return yaml.load(text, Loader=_Loader) if yaml_file else json.loads(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError(f"its {file.name} is broken") from None


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError("its settings are not in the package's form")
    return dict(value)


def _acting(value: object, where: str = "") -> Iterator[str]:
    """Yield the names of entries that would run code, load another model, read an environment, or write files."""
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        name = f"{where}.{key}" if where else str(key)
        if (key in _REFUSED and inner) or (key == "hub" and inner in ("ms", "modelscope")):
            yield name
        elif isinstance(inner, str) and "${" in inner:
            yield f"{name}: ${{...}}"
        yield from _acting(inner, name)


def _confined(directory: Path, key: str, value: Any) -> Any:
    """Return the value with its paths made absolute. Raises ValueError for one that leads out of the directory."""
    if isinstance(value, Mapping):
        return {inner: _confined(directory, inner, one) for inner, one in value.items()}
    if isinstance(value, str) and value and key in _PATHS:
        path = directory / _inside(directory, value)
        if path.is_dir():
            _refuse_code(path)
        return str(path)
    if isinstance(value, str) and (value.startswith(("/", "~")) or "://" in value or ".." in value.split("/")):
        raise ValueError(f"its {key} leads out of the directory")
    return value


def _inside(directory: Path, name: str) -> str:
    """Return the path of an existing file relative to the directory. Raises ValueError for any other."""
    # Not resolved: the files of a hub's cache are links.
    root, path = os.path.normpath(directory), os.path.normpath(directory / name)
    if not path.startswith(root + os.sep):
        raise ValueError(f"it names {Path(name).name}, which is not in the directory")
    inner = os.path.relpath(path, root)
    if not Path(path).exists():
        raise ValueError(f"{inner} is missing")
    return inner


def _refuse_code(directory: Path) -> None:
    """Refuse a checkpoint of transformers that brings its own code."""
    for name in _CODE_FILES:
        if (directory / name).is_file() and "auto_map" in _mapping(_parsed(directory / name, yaml_file=False)):
            raise ValueError(f"{directory.name}/{name} names code of its own (auto_map)")


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
