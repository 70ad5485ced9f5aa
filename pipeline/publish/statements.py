"""Puts facts into sentences, which the card and the Croissant file share. Templates are beside this module."""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from manifests.terminal import printable
from pipeline.publish.facts import Facts
from pipeline.publish.options import PublishOptions

_KINDS = ("limitations", "biases", "personal", "uses", "impact")


@dataclass(frozen=True)
class Statements:
    """Holds sentences of each kind. They are Markdown, with marks for code only."""

    limitations: list[str] = field(default_factory=list)
    biases: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    impact: list[str] = field(default_factory=list)


def make_statements(facts: Facts, refused: Mapping[str, int]) -> Statements:
    """Return the sentences; `refused` counts kept dialogues that are not published, by reason."""
    rows = dict(facts.yields)
    spoken = {voice for voices in facts.voices.values() for voice in voices}
    used = [voice for voice in facts.bank.voices if voice.voice_id in spoken] if facts.bank else []
    known = {"facts": facts, "refused": refused, "rows": rows, "kept_of": _kept_of(facts), "used": used}
    texts = {kind: render(f"{kind}.txt", known) for kind in _KINDS}
    return Statements(**{kind: [line for line in text.splitlines() if line.strip()] for kind, text in texts.items()})


def _kept_of(facts: Facts) -> dict[str, tuple[int, int]]:
    """Return by language how many rows of the whole corpus were kept, and how many there were."""
    counts = facts.manifest.counts.languages
    names = sorted({name for rows in counts.values() for name in rows})
    return {
        name: (counts.get("kept", {}).get(name, 0), sum(rows.get(name, 0) for rows in counts.values()))
        for name in names
    }


def title_of(facts: Facts, options: PublishOptions) -> str:
    """Return the publisher's title, or the name on the hub, or that of the recipe."""
    if options.title:
        return options.title
    return options.name.split("/")[1] if options.name else f"{facts.manifest.recipe.name}, a Parley corpus"


def citation_of(facts: Facts, options: PublishOptions) -> str:
    """Return a BibTeX entry. Its author is the organization on the hub; without one, it has none."""
    fields = {
        "title": f"{{{re.sub(r'[{}]', '', title_of(facts, options))}}}",
        **({"author": f"{{{options.name.split('/')[0]}}}"} if options.name else {}),
        "year": str(options.published.year),
        **({"url": options.url} if options.url else {}),
        "note": f"Synthetic corpus made with Parley {facts.manifest.parley_version}, manifest {facts.digest}",
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{parley-{facts.digest[:8]},\n{body}}}"


def render(name: str, values: Mapping[str, Any]) -> str:
    """Fill a template of this package."""
    text = resources.files(__package__).joinpath("templates", name).read_text("utf-8")
    return _environment().from_string(text).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=_number, share=_share, code=_code, variable=_variable)
    return environment


def _number(value: float) -> str:
    return f"{value:,}"


def _share(value: float, whole: float) -> str:
    return f"{value / whole:.1%}" if whole else "-"


def _code(text: object) -> str:
    """Set a name from the corpus as code: whatever it holds, it stays one word of a table and no markup."""
    return f"`{re.sub(r'[`|]', '_', printable(str(text))) or ' '}`"


def _variable(name: str) -> str:
    made = re.sub(r"\W", "_", name)
    return made if made.isidentifier() and not keyword.iskeyword(made) else f"part_{made}"
