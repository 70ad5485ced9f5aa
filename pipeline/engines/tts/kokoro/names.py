"""What the names of Kokoro's voices say: language, gender, and which voices serve as parents."""

import re
from collections.abc import Iterable

from voicebank.voice import Gender, Voice

LICENSE = "Apache-2.0"

_NAME = re.compile(r"[a-z][fm]_[a-z0-9]+")
_LANGUAGES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh"}
"""By the first letter; a: American, b: British."""

_LEFT_OUT = {
    "zf_xiaoni",  # Whisper base mishears 58 % of its characters; the other Mandarin voices: 2 to 8 %
    "em_santa", "pm_santa", "pm_alex",  # almost the same vectors as am_santa and em_alex
    "ff_siwis", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo",  # made from recordings under CC BY
}  # fmt: skip
"""Voices that no virtual voice is made from. They can be spoken with by name."""


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def language_of(name: str) -> str | None:
    return _LANGUAGES.get(name[0])


def gender_of(name: str) -> Gender:
    return "female" if name[1] == "f" else "male"


def natives(names: Iterable[str], language: str, gender: Gender) -> list[str]:
    """Return the voices whose own language this is, those left out excepted."""
    return [name for name in parent_names(names) if (language_of(name), gender_of(name)) == (language, gender)]


def parent_names(names: Iterable[str]) -> list[str]:
    """Return the voices that virtual voices may be made from, sorted."""
    return sorted(name for name in names if is_name(name) and name not in _LEFT_OUT)


def own_voice(name: str) -> Voice:
    """Return one of Kokoro's own voices, in its own language."""
    return Voice(name.replace("_", "-"), "kokoro", name, language_of(name) or "und", gender_of(name), license=LICENSE)
