"""Spoils files, each time in the same way for the same seed, and records what came of it."""

import json
import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from manifests.errors import LawBroken, ParleyError

_BYTES = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"{", b"[" * 3000, b'"', b"\\ud800", b"9" * 5000, b"\n", b"&a [*a]",
    b"\xef\xbb\xbf",
)  # fmt: skip
_TEXTS = (
    "", " ", "\0", "\ud800", "\u2028", "a" * 20_000, "<script>alert(1)</script>", "../../etc/passwd", "x" * 304,
    "2026-13-45", "1e999", "中文", "a\x1b]0;b\x07", "NaN", "null", "-", "{{x}}", "\\ud800", "\u202e",
)  # fmt: skip
_VALUES = (
    None, True, False, 0, -1, 2**63, 10**30, 1.5, -0.0, 1e308, float("nan"), float("inf"), [], {}, [[]],
    [None], {"": 0},
)  # fmt: skip


@dataclass
class Outcome:
    """What came of the files: how many were read, how many refused in a sentence, and everything that is wrong.

    `flipped` and `missed` count flipped bits, and those that a check did not see, by the check and the kind of file.
    """

    read: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)
    flipped: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def attempt(self, what: str, action: Callable[[], Any]) -> Any:
        """Call the action. An error that is not a sentence for users is a fault, under the name `what`."""
        started = process_time()
        try:
            result = action()
        except LawBroken as error:
            self.faults.append(f"{what}: LawBroken: {error}")
        except ParleyError as error:
            self.refused += 1
            if not str(error).strip():
                self.faults.append(f"{what}: {type(error).__name__} without a word")
        except Exception:  # noqa: BLE001  this is what the mutations look for
            self.faults.append(f"{what}: {traceback.format_exc()}")
        else:
            self.read += 1
            return result
        finally:
            self.slowest_s = max(self.slowest_s, process_time() - started)
        return None


def spoil(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes with one to three changes: a flip, a cut, a repetition, or bytes that mean something."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        start = dice.randrange(len(data) + 1)
        stop = min(len(data), start + dice.choice((1, 1, 2, 10, 200)))
        match dice.randrange(6):
            case 0:
                data = flip(data, dice) if data else data
            case 1:
                data = data[:start] + data[stop:]
            case 2:
                data = data[:stop] + data[start:]
            case 3:
                data = data[:start]
            case 4:
                data = data[:start] + dice.choice(_BYTES) + data[start:]
            case 5:
                data = data[:start] + dice.choice(_BYTES) + data[stop:]
    return data


def spoil_value(value: Any, dice: random.Random) -> Any:
    """Return the JSON value with one value in it replaced, one key renamed or one entry gone."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(sorted(value))
        rest = {name: inner for name, inner in value.items() if name != key}
        kind = dice.random()
        if kind < 0.08:
            return rest
        if kind < 0.16:
            return {dice.choice(_TEXTS): value[key], **rest}
        return {**value, key: spoil_value(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        changed = [] if dice.random() < 0.1 else [spoil_value(value[place], dice)]
        return [*value[:place], *changed, *value[place + 1 :]]
    return odd_value(dice)


def odd_value(dice: random.Random) -> Any:
    if dice.random() < 0.03:
        return json.loads("[" * 300 + "]" * 300)
    return dice.choice((*_VALUES, *_TEXTS))


def spoil_json(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes of a JSON file with one value changed, or spoiled as bytes."""
    if dice.random() < 0.3:
        return spoil(data, dice)
    return json.dumps(spoil_value(json.loads(data), dice), indent=2).encode()


def flip(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes with one bit of one byte changed."""
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
