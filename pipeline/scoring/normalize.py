"""Which normalisation and which metric a language has.

The same normalisation is applied to the reference and to the hypothesis. Its version is part of every score, since a
changed normalizer moves every rate.
"""

from functools import lru_cache
from types import ModuleType

from manifests.schema import Metric
from pipeline.scoring import chinese, english, generic

_MODULES: dict[str, ModuleType] = {
    "en": english,
    "zh": chinese,
    "cmn": chinese,
}

# Scripts written without spaces between words (Unicode line breaking class SA, and Han with kana): words cannot be
# counted without a segmenter, characters can.
_UNSPACED = frozenset({"zh", "cmn", "yue", "wuu", "nan", "ja", "th", "lo", "km", "my", "bo", "dz"})


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


@lru_cache(maxsize=1024)
def metric(language: str) -> Metric:
    """Character error rate for scripts without spaces, word error rate for the others."""
    return "cer" if primary_subtag(language) in _UNSPACED else "wer"


def primary_subtag(language: str) -> str:
    """ "zh" of "zh-Hant-TW"."""
    return language.replace("_", "-").partition("-")[0].casefold()


@lru_cache(maxsize=1024)
def _module(language: str) -> ModuleType:
    return _MODULES.get(primary_subtag(language), generic)
