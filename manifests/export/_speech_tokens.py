"""Speech tokens of a turn, for exporters whose consumer trains on them."""

from collections.abc import Iterable

from manifests.schema import Turn

Codes = tuple[tuple[int, ...], ...]
"""Token ids, [book][time]."""

S3_V1 = "s3-v1"
"""CosyVoice: 4096 ids, 50 a second, one book."""
S3_V2 = "s3-v2"
"""CosyVoice 2: 6561 ids, 25 a second, one book."""
GLM4_VOICE = "glm-4-voice"
"""GLM-4-Voice: 16384 ids, 12.5 a second, one book."""
SNAC_24KHZ = "snac-24khz"
"""SNAC at 24 kHz: 4096 ids in three books of f, 2f and 4f ids."""


def codes_of(turn: Turn, tokenizer: str) -> Codes | None:
    """Return the tokens of the turn's clip by this tokenizer; None: the corpus has none. A corpus has no token
    columns, so this is the one place to read them when it has."""
    return None


def all_have_codes(turns: Iterable[Turn], tokenizer: str) -> bool:
    """Tell whether every turn has tokens: an empty list would train silence."""
    return all(any(codes_of(turn, tokenizer) or ()) for turn in turns)
