"""Seeds: every random choice is drawn from the run's seed and its own subject, not from where or when."""

import hashlib


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from the parts, in order; equal parts give equal seeds on any machine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "big") >> 1
