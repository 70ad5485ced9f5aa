"""Reads sizes and shares as people write them: `XS=1h,S=10h,XL=all` and `5%`."""

import re
from collections.abc import Mapping, Sequence

from manifests.errors import UserError
from manifests.views import check_names

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|s|%)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")
_UNITS = {"h": 3600.0, "min": 60.0, "s": 1.0}


def parse_sizes(text: str, total_s: float) -> dict[str, float]:
    """Return the size of each subset in seconds, from `NAME=SIZE,...`; "all" is `total_s`, the whole corpus.

    Raises a UserError for sizes that do not grow, or that the corpus does not have.
    """
    pairs = [pair.partition("=") for pair in text.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    check_names("subsets", names)
    sizes = {name: _size(name, size.strip(), total_s) for name, (_, _, size) in zip(names, pairs, strict=True)}
    for name, size in sizes.items():
        if size > total_s * (1 + 1e-9):
            raise UserError(f"{name}={_words(size)} is more than there is to choose from: {_words(total_s)} of speech")
    for (smaller, size), (larger, next_size) in zip(list(sizes.items()), list(sizes.items())[1:], strict=False):
        if next_size <= size:
            raise UserError(
                f"each subset holds the one before it, so sizes must grow: {larger}={_words(next_size)} is not more "
                f"than {smaller}={_words(size)}"
            )
    return sizes


def parse_shares(texts: Mapping[str, str], rest: str = "train") -> dict[str, float]:
    """Return the share of each held-out part, 0..1, from texts as `5%` or `0.05`; parts of share 0 are left out.

    Raises a UserError for what is no share, and where they leave nothing for `rest`.
    """
    shares = {name: _share(name, text) for name, text in texts.items()}
    shares = {name: share for name, share in shares.items() if share}
    check_names("splits", [rest, *shares])
    if not shares or sum(shares.values()) >= 1:
        raise UserError(f"the shares held out add up to {sum(shares.values()):.0%}: they must leave some to {rest}")
    return shares


def parse_parts(pairs: Sequence[str]) -> dict[str, str]:
    """Return name and share of parts given as `NAME=SHARE`."""
    found = {}
    for pair in pairs:
        name, equals, share = pair.partition("=")
        if not equals:
            raise UserError(f"{pair!r} is not NAME=SHARE, such as dev=2%")
        found[name] = share
    return found


def _size(name: str, text: str, total_s: float) -> float:
    if text == "all":
        return total_s
    found = _SIZE.fullmatch(text)
    if not found or not float(found[1]):
        raise UserError(f"{name}={text}: a size is a number with h, min, s or %, such as 10h, or all")
    return float(found[1]) / 100 * total_s if found[2] == "%" else float(found[1]) * _UNITS[found[2]]


def _share(name: str, text: str) -> float:
    found = _SHARE.fullmatch(text.strip())
    share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= share < 1:
        raise UserError(f"{name}: {text!r} is not a share: write it as 5%")
    return share


def _words(seconds: float) -> str:
    return f"{seconds / 3600:.4g}h" if seconds >= 3600 else f"{seconds:.4g}s"
