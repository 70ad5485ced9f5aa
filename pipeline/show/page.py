"""One HTML page that needs nothing beside it, loads nothing and runs nothing.

Every text in it is text, never markup: the template escapes all of them, and the page's own policy forbids scripts.
Plots and clips are inside the page.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import ClassVar, Literal

from jinja2 import Environment, StrictUndefined, Template


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the parts that follow."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text; with a `tone`, a verdict, whose line breaks are kept."""

    text: str
    tone: Literal["passed", "failed"] | None = None
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Lines whose characters stand in columns, such as an alignment."""

    text: str
    kind: ClassVar[str] = "preformatted"


@dataclass(frozen=True, slots=True)
class SoundCell:
    """A FLAC file to listen to, as a cell of a table; `about` says what is heard."""

    about: str
    flac: bytes
    kind: ClassVar[str] = "sound"

    @property
    def base64(self) -> str:
        return base64.b64encode(self.flac).decode("ascii")


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table. Numbers are set right, floats with four decimals; a cell may be a `SoundCell`. Without any name there
    is no head."""

    names: Sequence[str]
    rows: Sequence[Sequence[object]]
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG; `about` says what it shows to those who cannot see it."""

    about: str
    png: bytes
    kind: ClassVar[str] = "picture"

    @property
    def base64(self) -> str:
        return base64.b64encode(self.png).decode("ascii")


Part = Heading | Paragraph | Preformatted | PageTable | Picture


def page(title: str, parts: Sequence[Part]) -> str:
    """Return the whole page, with one final line break."""
    return _template().render(title=title, parts=parts) + "\n"


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["any"] = any
    environment.filters["shown"] = _shown
    environment.tests["sound"] = lambda cell: isinstance(cell, SoundCell)
    return environment.from_string(resources.files("pipeline.show").joinpath("page.html").read_text("utf-8"))


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
