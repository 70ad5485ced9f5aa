"""What a SpeechBrain model's hyperparams.yaml may do.

SpeechBrain builds a model from that file, and the file's language (HyperPyYAML) can call any function of any package:
reading it is running it. So its text is looked at first, and the file refused unless all it does is set values, refer
to them, and make objects of the classes that speaker encoders are made of. That is enough for the published x-vector,
ECAPA-TDNN and ResNet encoders.

The text, not what a YAML parser makes of it, because HyperPyYAML reads what it has read again: it puts the references
in, writes the result out, parses that, and hands everything in parentheses to a parser that runs code. What begins
all of that is an exclamation mark. Hence the rule: each one must begin a tag of the list, and nothing may stand for
one (no escapes, no tag directives).
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
    """Why a file of that text is not to be trusted, in a few words; None: it does nothing but describe a model.

    Imports the modules that it names, of the packages above only.
    """
    if "\\" in text or _DIRECTIVE.search(text):
        return "it holds escapes or directives, behind which tags can hide"
    if found := _ATTRIBUTE.search(text):
        return f"it reaches into an object: {found[0]}"
    return next((why for tag in _TAG.findall(text) if (why := _tag_problem(tag))), None)


def has_key(text: str, key: str) -> bool:
    """Whether the uppermost level has that key."""
    return re.search(rf"^{re.escape(key)}\s*:", text, re.MULTILINE) is not None


def _tag_problem(tag: str) -> str | None:
    if tag in _VALUE_TAGS:
        return None
    if not tag.startswith(_CLASS_TAGS):
        return f"{tag} can run code or read other files"
    name = tag.split(":", 1)[1]
    return None if _is_model_class(name) else f"{name} is no class that a speaker encoder is made of"


def _is_model_class(name: str) -> bool:
    """Whether it is a class of these packages' own: what one of their modules imports (subprocess, os) is not."""
    module_name, _, class_name = name.rpartition(".")
    if not f"{module_name}.".startswith(_PACKAGES):
        return False
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.startswith(("speechbrain.", "torch.nn."))
