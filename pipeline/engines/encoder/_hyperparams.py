"""Checks that a SpeechBrain model's hyperparams.yaml runs no code.

SpeechBrain builds a model from that file, and the file's language (HyperPyYAML) can call any function of any package:
to read the file is to run it. So its text is checked first, and the file is refused unless it only sets values, refers
to them, and makes objects of the classes of which speaker encoders consist. That is enough for the published x-vector,
ECAPA-TDNN and ResNet encoders. Weights may come from the model's own directory only.

The check looks at the text instead of parsed YAML because HyperPyYAML parses twice: it inserts the references, writes
the result out, parses that, and hands everything in parentheses to a parser that runs code. All of this begins with an
exclamation mark. Hence the rule: each one must begin a tag of the list, and nothing may stand for one (no escapes, no
tag directives).
"""

import importlib
import re
from collections.abc import Iterator

import yaml

_VALUE_TAGS = ("!ref", "!copy")
_CLASS_TAGS = ("!new:", "!name:")
_TAG = re.compile(r"![^\s,\]}]*")
_DIRECTIVE = re.compile(r"^\ufeff?%", re.MULTILINE)
_ATTRIBUTE = re.compile(r"<[^>]*\.[^>]*>")

# Arguments of SpeechBrain's Pretrainer: where weights are read, and where links to them are made.
_READ, _WRITTEN = "paths", "collect_in"
_OWN_FILE = re.compile(r"<pretrained_path>(/[\w.-]+)+")

_PACKAGES = (
    "speechbrain.dataio.encoder.",
    "speechbrain.lobes.features.",
    "speechbrain.lobes.models.",
    "speechbrain.nnet.",
    "speechbrain.processing.features.",
    "speechbrain.utils.parameter_transfer.",
    "torch.nn.",
)


def problem(text: str) -> str | None:
    """Say in a few words why a file with this text cannot be trusted; None where it only describes a model.

    Imports the modules that the text names, but only those of the packages above.
    """
    if "\\" in text or _DIRECTIVE.search(text):
        return "it holds escapes or directives, behind which tags can hide"
    if found := _ATTRIBUTE.search(text):
        return f"it reaches into an object: {found[0]}"
    return next((why for tag in _TAG.findall(text) if (why := _tag_problem(tag))), None) or _place_problem(text)


def has_key(text: str, key: str) -> bool:
    """Whether the top level of the file has a key."""
    return re.search(rf"^{re.escape(key)}\s*:", text, re.MULTILINE) is not None


class _Untagged(yaml.SafeLoader):
    """Reads a file whose tags are all known as plain values: `!ref <x>/y` is the text "<x>/y"."""


def _untagged(loader: _Untagged, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Untagged.add_multi_constructor("!", _untagged)


def _place_problem(text: str) -> str | None:
    """Say which weights the file would fetch from elsewhere, or which files it would write; None where none."""
    try:
        values = yaml.load(text, Loader=_Untagged)
    except (yaml.YAMLError, ValueError, RecursionError):
        return "it is not plain YAML"
    return next(_misplaced(values), None)


def _misplaced(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _misplaced(inner)
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key == _WRITTEN and inner is not None:
            yield f"{_WRITTEN} would write files elsewhere"
        for place in inner.values() if key == _READ and isinstance(inner, dict) else ():
            if not _OWN_FILE.fullmatch(str(place)) or ".." in str(place):
                yield f"{str(place)[:60]} is not a file of the model: write <pretrained_path>/NAME"
        yield from _misplaced(inner)


def _tag_problem(tag: str) -> str | None:
    if tag in _VALUE_TAGS:
        return None
    if not tag.startswith(_CLASS_TAGS):
        return f"{tag} can run code or read other files"
    name = tag.split(":", 1)[1]
    return None if _is_model_class(name) else f"{name} is not a class of which speaker encoders consist"


def _is_model_class(name: str) -> bool:
    """Whether a name is a class defined in these packages; what their modules import (subprocess, os) is not."""
    module_name, _, class_name = name.rpartition(".")
    if not f"{module_name}.".startswith(_PACKAGES):
        return False
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.startswith(("speechbrain.", "torch.nn."))
