"""Writes the page of a corpus's report: one file that needs no server, no network and nothing else but its clips.

Whatever comes from the corpus goes into the page as JSON, in elements that no browser runs, with every `<` escaped;
the page's own script shows it as text alone. The policy in the page allows that one script and that one style, by
their hashes, and nothing else.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import resources
from typing import IO, Any

from jinja2 import Environment, StrictUndefined

from manifests.storage import Place

STYLES = ("base.css", "figures.css", "browser.css", "timeline.css")
SCRIPTS = (
    "dom.js",
    "summary.js",
    "flow.js",
    "errors.js",
    "limit.js",
    "sound.js",
    "timing.js",
    "cost.js",
    "rows.js",
    "list.js",
    "player.js",
    "alignment.js",
    "timeline.js",
    "dialogue.js",
    "keys.js",
    "start.js",
)
_HERE = "<!-- data -->"


def write_page(
    place: Place,
    data: dict[str, Any],
    rows: Iterable[dict[str, Any]],
    clips: Callable[[], Iterable[tuple[str, str]]],
) -> None:
    """Write the page: `data` are the numbers, `rows` the dialogues; `clips`, asked after the last row, gives id and
    data address of each clip inside the page."""
    before, after = _frame(f"Report of {data['corpus']}")
    with place.writing() as file:
        file.write(before)
        _write_json(file, "data", [json_text(data)])
        _write_json(file, "rows", _listed(rows))
        for name, address in clips():
            _write_json(file, name, [json_text(address)])
        file.write(after)


def json_text(value: Any) -> str:
    """Return the value as JSON that ends no element of HTML and begins none: `<` and `>` are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def policy(style: str, script: str) -> str:
    """Return the page's Content-Security-Policy.

    Clips lie beside the page, which is opened from disk (`file:`) or from a server (`'self'`), or inside (`data:`).
    No text can be made markup: browsers that know trusted types refuse it, and the script never tries.
    """
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; media-src 'self' file: data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _listed(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + json_text(row)
    yield "\n]"


def _write_json(file: IO[bytes], name: str, parts: Iterable[str]) -> None:
    file.write(f'<script type="application/json" id="{name}">'.encode())
    for part in parts:
        file.write(part.encode("utf-8", "replace"))
    file.write(b"</script>\n")


@cache
def _sources() -> tuple[str, str]:
    """Return style and script. The script is one function, so that nothing in the page can call its parts."""
    style = "\n" + "".join(map(_text, STYLES))
    script = "\n(() => {\n'use strict';\n" + "".join(map(_text, SCRIPTS)) + "})();\n"
    return style, script


def _frame(title: str) -> tuple[bytes, bytes]:
    """Return the page before and after its data."""
    style, script = _sources()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_text("report.html"))
    text = template.render(title=title, policy=policy(style, script), style=style, script=script) + "\n"
    before, after = text.split(_HERE + "\n")
    return before.encode("utf-8", "replace"), after.encode("utf-8", "replace")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


@cache
def _text(name: str) -> str:
    return resources.files("pipeline.show.report").joinpath(name).read_text("utf-8")
