"""Checks that a SpeechBrain model's hyperparams.yaml runs no code.

SpeechBrain builds a model from that file, and the file's language (HyperPyYAML) can call any function of any package:
to read the file is to run it. So its text is checked first, and the file is refused unless it only sets values, refers
to them, and makes objects of the classes of which speaker encoders consist. That is enough for the published x-vector,
ECAPA-TDNN and ResNet encoders.

The check looks at the text instead of parsed YAML because HyperPyYAML parses twice: it inserts the references, writes
the result out, parses that, and hands everything in parentheses to a parser that runs code. All of this begins with an
exclamation mark. Hence the rule: each one must begin a tag of the list, and nothing may stand for one (no escapes, no
tag directives).
"""

import importlib
import re

_VALUE_TAGS = ("!ref", "!copy")
_CLASS_TAGS = ("!new:", "!name:")
_TAG = re.compile(r"![^\s,\]}]*")
_DIRECTIVE = re.compile(r"^\ufeff?%", re.MULTILINE)
_ATTRIBUTE = re.compile(r"<[^>]*\.[^>]*>")

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
    return next((why for tag in _TAG.findall(text) if (why := _tag_problem(tag))), None)


def has_key(text: str, key: str) -> bool:
    """Whether the top level of the file has a key."""
    return re.search(rf"^{re.escape(key)}\s*:", text, re.MULTILINE) is not None


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
