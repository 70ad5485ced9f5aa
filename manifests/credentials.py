"""Recognizes keys and passwords: one rule for recipes, cards, messages and what servers write."""

import re
from collections.abc import Iterator, Mapping

MASK = "***"

_SECRET_KEY = re.compile(
    r"(^|_)(api_?key|access_?key(_?id)?|secret_?key|private_?key|account_?key|token|password|passwd|passphrase|pwd"
    r"|secret|credentials?|authorization|auth|bearer|cookie|signature|sas)$"
)
_WORD_OF_A_MODEL = re.compile(r"(^|_)(bos|eos|pad|unk|sep|cls|mask|start|end|stop|image|audio|think|per)_token$")
"""Tokenizers have tokens of these names, which are no secrets."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# The password of an address may hold a slash, as keys of object stores do; the user before it may not.
_USER_INFO = re.compile(r"(?<=://)(?:[^\s'\"/@:]*:[^\s'\"@]+|[^\s'\"/@]+)@")
_NAMED = re.compile(
    r"(\b[\w-]*(?:api_?key|access_?key|secret_?key|password|passwd|secret|token|signature|\bsig|authorization)"
    r"[\"']?\s*[=:]\s*[\"']?)(?!\*\*\*)(?:bearer\s+)?[^\s\"',}&)]+",
    re.IGNORECASE,
)
_KEY_LIKE = re.compile(r"\b(?:sk|pk|rk|hf|gsk|xai)[-_][\w-]*\d[\w-]{8,}|\bAKIA[0-9A-Z]{16}\b|(?<=bearer )\S+", re.I)


def is_secret_key(key: str) -> bool:
    """Tell whether the value under a key of this name is a key or a password: `api_key`, `authToken`, `x-secret`."""
    name = _HUMP.sub("_", key).replace("-", "_").lower()
    return _SECRET_KEY.search(name) is not None and _WORD_OF_A_MODEL.search(name) is None


def secret_places(value: object, where: str = "") -> Iterator[str]:
    """Yield the dotted name of each entry that is a secret by its key, or an address with a password in it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = f"{where}.{key}" if where else str(key)
            if is_secret_key(str(key)) and inner not in (None, ""):
                yield name
            else:
                yield from secret_places(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secret_places(inner, where)
    elif isinstance(value, str) and has_user_info(value):
        yield where


def has_user_info(text: str) -> bool:
    """Tell whether a text holds an address with a user or a password in it."""
    return _USER_INFO.search(text) is not None


def without_secrets(text: str) -> str:
    """Mask passwords in addresses, what stands behind the name of a secret (`api_key=...`), and what looks like a
    key."""
    return _KEY_LIKE.sub(MASK, _NAMED.sub(rf"\g<1>{MASK}", _USER_INFO.sub(f"{MASK}@", text)))
