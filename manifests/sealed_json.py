"""JSON files that hold the hash of what they say, so that every changed byte is found; for files beside the manifest,
which has a file of its own for that."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from manifests.json_text import parse_json

SEAL = "content_sha256"
"""The key of the hash: of the text without this entry."""


def sealed_text(content: Mapping[str, Any]) -> str:
    """Return the content as JSON with its hash; the same content gives the same text."""
    return _text({**content, SEAL: hashlib.sha256(_text(content).encode("utf-8")).hexdigest()})


def without_seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a parsed file without the hash."""
    return {key: value for key, value in content.items() if key != SEAL}


def is_sealed(text: str) -> bool:
    """Whether the text is, to the byte, what `sealed_text` makes of its content."""
    try:
        content = parse_json(text)
    except ValueError:
        return False
    return isinstance(content, dict) and text == sealed_text(without_seal(content))


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
