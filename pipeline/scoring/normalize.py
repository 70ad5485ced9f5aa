"""Which normalisation and which metric a language has.

The same normalisation is applied to the reference and to the hypothesis. Its version is part of every score, since a
changed normalizer moves every rate.
"""

from functools import lru_cache
from types import ModuleType
from typing import Literal

from manifests.languages import is_unspaced, primary_subtag
from pipeline.scoring import chinese, english, generic

Metric = Literal["cer", "wer"]

_MODULES: dict[str, ModuleType] = {
    "en": english,
    "zh": chinese,
    "cmn": chinese,
}


def normalize(text: str, language: str) -> str:
    """`text` as it is compared. `language` is a BCP 47 tag ("zh", "en-GB"); only its first part counts.

    An unknown language gets `generic.normalize`.
    """
    normalized: str = _module(language).normalize(text)
    return normalized


def normalizer_version(language: str) -> str:
    """Name and version of what `normalize` does for the language, for the record."""
    version: str = _module(language).VERSION
    return version


def tokens(text: str, language: str) -> list[str]:
    """Return what an error rate counts: the normalised words, or the characters of an unspaced script."""
    normalized = normalize(text, language)
    return list(normalized.replace(" ", "")) if metric(language) == "cer" else normalized.split()


@lru_cache(maxsize=1024)
def metric(language: str) -> Metric:
    """Character error rate for scripts without spaces, word error rate for the others."""
    return "cer" if is_unspaced(language) else "wer"


@lru_cache(maxsize=1024)
def _module(language: str) -> ModuleType:
    return _MODULES.get(primary_subtag(language), generic)
