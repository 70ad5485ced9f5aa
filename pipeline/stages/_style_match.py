"""Finds which class of a style classifier a turn asks for."""

import re
from collections.abc import Mapping

from manifests.schema import Style


def class_asked(style: Style | None, labels: Mapping[str, str]) -> str | None:
    """Return the classifier's label that the turn's style means, by `labels`: from words to classifier's labels.

    The style's label decides, and else the words of its instruction. None for a style that names several classes, or
    none that is known: it asks for nothing that could be checked.
    """
    if style is None:
        return None
    if style.label is not None and (known := labels.get(style.label.strip().casefold())):
        return known
    text = (style.instruction or style.label or "").casefold()
    found = {label for word, label in labels.items() if _is_in(word, text)}
    return found.pop() if len(found) == 1 else None


def _is_in(word: str, text: str) -> bool:
    """Tell whether the words stand in the text as words; Chinese has no spaces between them."""
    edge = r"\b" if word.isascii() else ""
    return re.search(f"{edge}{re.escape(word)}{edge}", text) is not None
