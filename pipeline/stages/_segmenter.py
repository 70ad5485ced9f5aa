"""Declares the library that cuts Chinese into words: its version affects rows, so it is part of the job's identity."""

from collections.abc import Callable

from manifests.libraries import library_version
from pipeline.engines.shared.jieba_words import INSTALL, load_jieba
from pipeline.stages.contract import Resource

SEGMENTED = frozenset({"zh", "cmn"})
"""The languages that it knows."""

SEGMENTER: Resource[Callable[[str], list[str]]] = Resource(
    "words/jieba",
    lambda recipe, work: load_jieba("align").lcut,
    lambda recipe: f"jieba {library_version('jieba', 'align', INSTALL)}",
)
