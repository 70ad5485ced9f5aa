"""Parses JSON that people or other programs wrote, so that whatever is wrong with it is one kind of error."""

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value. Raises ValueError for text that is not JSON, is nested too deep, or is not UTF-8."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
