"""The table of terms: `terms.yaml` beside this file, and the user's own of the same form; expressions of licenses."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from manifests.errors import UserError
from manifests.libraries import extra, library
from pipeline import recipe_file
from pipeline.settings import Section
from pipeline.yaml_text import load_yaml

Use = Literal["commercial", "research"]
Verdict = Literal["forbidden", "unknown", "conditions", "allowed"]

_ORDER: tuple[Verdict, ...] = ("forbidden", "unknown", "conditions", "allowed")


class LicenseTerms(Section):
    """What one license allows."""

    commercial: Literal["allowed", "conditions", "forbidden"]
    research: Literal["allowed", "conditions", "forbidden"]
    attribution: bool = False
    share_alike: bool = False
    note: str | None = None


class Licensed(Section):
    """Whose license is what: an SPDX expression."""

    license: str


class StageTerms(Section):
    """Whether what a stage's engines leave in a row counts, and why not."""

    counts: bool
    leaves: str = "something of its own"
    why: str = ""


class Terms(Section):
    """The whole table."""

    licenses: dict[str, LicenseTerms] = Field({})
    models: dict[str, Licensed] = Field({})
    engines: dict[str, Licensed] = Field({})
    datasets: dict[str, Licensed] = Field({})
    voices: dict[str, Licensed] = Field({})
    stages: dict[str, StageTerms] = Field({})

    def over(self, other: "Terms") -> "Terms":
        """Return this table with what only the other one says."""
        return Terms(**{name: {**getattr(other, name), **getattr(self, name)} for name in Terms.model_fields})

    def verdict(self, expression: str | None, use: Use) -> tuple[Verdict, str]:
        """Tell whether a license expression allows a use, and why not.

        Of `A AND B` the worse counts, of `A OR B` the better; an exception (`WITH`) only ever allows more.
        """
        tree = None if expression is None else parse_expression(expression)
        if tree is None:
            return "unknown", "no license is known" if expression is None else f"{expression!r} is no SPDX expression"
        return self._judged(tree, use)

    def _judged(self, tree: Any, use: Use) -> tuple[Verdict, str]:
        if operator := getattr(tree, "operator", "").strip():
            found = [self._judged(part, use) for part in tree.args]
            chosen = min if operator == "AND" else max
            return chosen(found, key=lambda pair: _ORDER.index(pair[0]))
        key = str(getattr(tree, "license_symbol", tree).key)
        terms = self.licenses.get(key)
        if terms is None:
            return "unknown", f"the terms of {key} are not known"
        verdict: Verdict = terms.commercial if use == "commercial" else terms.research
        why = {"allowed": "", "forbidden": f"{key} forbids {use} use", "conditions": f"{key}: {terms.note}"}
        return verdict, why[verdict]


@cache
def parse_expression(text: str) -> Any:
    """Return the tree of an SPDX license expression; None where the text is none.

    Raises EngineUnavailable without the library `license-expression`.
    """
    parser = library("license_expression", "corpus licenses", extra("product"))
    try:
        return _spdx().parse(text)
    except (parser.ExpressionError, parser.ExpressionParseError):
        return None


def joined_expression(parts: list[str | None]) -> str:
    """Return one expression for things that are used together; what has no license is NOASSERTION, as SPDX says."""
    trees = [parse_expression(part) if part is not None else None for part in parts]
    texts = sorted({"NOASSERTION" if tree is None else f"({tree})" for tree in trees})
    return str(_spdx().parse(" AND ".join(texts)).simplify()) if texts else "NOASSERTION"


@cache
def _spdx() -> Any:
    return library("license_expression", "corpus licenses", extra("product")).get_spdx_licensing()


def load_terms(own: Path | None = None) -> Terms:
    """Return Parley's table, under the user's own. Raises UserError for a file that is not of its form."""
    shipped = resources.files(__package__).joinpath("terms.yaml").read_text(encoding="utf-8")
    terms = parse_terms(shipped, "terms.yaml")
    if own is None:
        return terms
    try:
        text = own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the terms {own.name} cannot be read: {error}") from None
    return parse_terms(text, own.name).over(terms)


def parse_terms(text: str, name: str) -> Terms:
    """Parse a table of terms. Raises UserError, with every problem in one message."""
    problems: list[str] = []
    try:
        data = load_yaml(text)
    except ValueError as error:
        raise UserError(f"{name}: not valid YAML: {error}") from None
    if not isinstance(data := {} if data is None else data, Mapping):
        raise UserError(f"{name}: a table of terms has the sections {', '.join(Terms.model_fields)}")
    terms = recipe_file.collect(Terms, data, "", problems)
    if terms is None:
        raise UserError(f"{name}: {'; '.join(problems)}")
    return terms
