"""Choose the normalization and the metric of a language.

Reference and hypothesis are normalized in the same way. The version of the normalizer is part of every score, since a
changed normalizer moves every rate.
"""

from functools import lru_cache
from types import ModuleType

from manifests.languages import is_unspaced, primary_subtag
from manifests.schema import Metric
from pipeline.scoring import chinese, english, generic

_MODULES: dict[str, ModuleType] = {
    "en": english,
    "zh": chinese,
    "cmn": chinese,
}


def normalize(text: str, language: str) -> str:
    """Normalize `text` for comparison. Of the BCP 47 tag `language` ("zh", "en-GB") only the first part counts.

    Languages without a normalizer of their own get `generic.normalize`.
    """
    normalized: str = _module(language).normalize(text)
    return normalized


def normalizer_version(language: str) -> str:
    """Return the name and version of the normalizer that `normalize` uses for the language, for the record."""
    version: str = _module(language).VERSION
    return version


def tokens(text: str, language: str) -> list[str]:
    """Return what an error rate counts: the normalized words, or characters where words are not spaced."""
    normalized = normalize(text, language)
    return list(normalized.replace(" ", "")) if metric(language) == "cer" else normalized.split()


@lru_cache(maxsize=1024)
def metric(language: str) -> Metric:
    """Return "cer", the character error rate, where words are not spaced, else "wer", the word error rate."""
    return "cer" if is_unspaced(language) else "wer"


@lru_cache(maxsize=1024)
def has_syllables(language: str) -> bool:
    """Tell whether toned syllables can be counted: in Mandarin, and in no other language of the characters."""
    return _module(language) is chinese


@lru_cache(maxsize=1024)
def _module(language: str) -> ModuleType:
    return _MODULES.get(primary_subtag(language), generic)
