"""Removes keys, credentials and private paths from texts that a server wrote.

Servers quote what they were sent: a wrong key in the error message, a path as the model's name.
"""

import re
from collections.abc import Callable, Iterable

from manifests.credentials import MASK, without_secrets

# Servers shorten the keys that they quote, and what they write is not ours: rather mask too much.
_KEY_LIKE = re.compile(r"\b(?:sk|pk|rk|hf|gsk|xai|key|token)[-_][\w*.-]{4,}|(?<=bearer )\S+", re.IGNORECASE)
_SHORTEST_SECRET = 4
"""Shorter secrets cannot be told from ordinary words."""
_QUOTED_PART = 8
"""Servers that shorten a key show its first characters and then asterisks."""

Redactor = Callable[[str], str]


def make_redactor(secrets: Iterable[str], names: dict[str, str], limit: int = 200) -> Redactor:
    """Make a function that returns a text as one line of at most `limit` characters, without the secrets.

    `names` maps private names, such as the path of a checkpoint, to what is shown instead.
    """
    patterns = [pattern for secret in secrets if len(secret) >= _SHORTEST_SECRET for pattern in _patterns(secret)]
    masks = re.compile("|".join(patterns)) if patterns else None

    def redact(text: str) -> str:
        for private, public in names.items():
            text = text.replace(private, public)
        if masks:
            text = masks.sub(MASK, text)
        text = without_secrets(_KEY_LIKE.sub(MASK, text))
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= limit else line[: limit - 1] + "…"

    return redact


def _patterns(secret: str) -> list[str]:
    whole = [re.escape(secret)]
    if len(secret) >= 2 * _QUOTED_PART:
        whole.append(re.escape(secret[:_QUOTED_PART]) + r"[\w*.…-]*")
    return whole
