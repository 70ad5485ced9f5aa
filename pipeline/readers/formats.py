"""The table of formats: Parley's own, and those of other packages."""

from collections.abc import Mapping
from functools import cache

from pipeline.doors import Door
from pipeline.readers import chat, moss, pairs, reasoning, single, tools
from pipeline.readers.format import Format, Row

__all__ = ["FORMATS", "INPUT_FORMATS", "Format", "Row", "formats"]

FORMATS = (*single.FORMATS, *pairs.FORMATS, *chat.FORMATS, *moss.FORMATS, *tools.FORMATS, *reasoning.FORMATS)

INPUT_FORMATS = Door("parley.formats", Format)


@cache
def formats() -> Mapping[str, Format]:
    """All formats by name, those of other packages included."""
    return {form.name: form for form in INPUT_FORMATS.all()}
