"""Implements the commands that make views of a corpus: runs them, puts the outcome into words."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from manifests.errors import CorpusError, UserError
from manifests.storage import Place, open_place
from manifests.views import View, load_view, view_names
from pipeline.contamination.matches import MatchSettings
from pipeline.contamination.pii_report import scan_for_pii
from pipeline.contamination.report import compare_with_lists
from pipeline.contamination.text import contamination_text, pii_text
from pipeline.licenses.report import report_licenses
from pipeline.licenses.text import license_text
from pipeline.show.text import text_table
from pipeline.views.describe import part_rows
from pipeline.views.make import make_splits, make_subsets
from pipeline.views.shares import parse_parts

_HEADS = ("part", "rows", "speech", "voices", "by language and gender of the user")


def subsets(directory: str, sizes: str, seed: int, balance: str, bank: str | None, within: str | None) -> str:
    return view_text(make_subsets(open_place(directory), sizes, seed, cast(Any, balance), bank, within))


def splits(
    directory: str,
    parts: Mapping[str, str],
    more: Sequence[str],
    seed: int,
    ignore: Sequence[str],
    bank: str | None,
    similarity: float,
) -> str:
    shares = {**parts, **parse_parts(more)}
    return view_text(make_splits(open_place(directory), shares, seed, ignore, bank, similarity))


def views(directory: str, as_json: bool) -> str:
    """Return the views of a corpus with what their parts hold."""
    place = open_place(directory)
    found = [load_view(place, name) for name in view_names(place)]
    if as_json:
        return _json({view.name: view.about for view in found})
    return "\n\n".join(view_text(view) for view in found) or "no views: see `parley corpus subsets --help`"


def view_text(view: View) -> str:
    """Return a view for people: its parts in a table, how the rows were told apart, notes."""
    try:
        return _view_text(view)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CorpusError(f"views/{view.name}.json does not say what its parts hold: make the view again") from error


def _view_text(view: View) -> str:
    about = view.about
    lines = [f"view {view.name}" + (", each part within the next" if view.nested else "")]
    lines += text_table(_HEADS, part_rows(view), right={1, 2})
    if "disjoint_by" in about:
        kept_apart = ", ".join(about["disjoint_by"]) or "nothing"
        ignored = f"; ignored: {', '.join(about['ignored'])}" if about["ignored"] else ""
        lines.append(f"kept apart by {kept_apart}{ignored}; {about['groups']:,} groups")
    if about.get("made_by") in ("subsets", "splits"):
        lines.append(f"genders of the voices: {about['gender_from'] or 'unknown'}")
    return "\n".join([*lines, *(f"note: {note}" for note in about.get("notes", []))])


def licenses(
    directory: str, use: str | None, terms: str | None, bank: str | None, out: str | None, as_json: bool
) -> str:
    """Return the licenses of the rows for people, or as JSON; write the view and the report if asked for."""
    own = None if terms is None else Path(terms)
    report_to = None if out is None else outside(out, directory)
    rows = None if report_to is None else report_to / "licenses.parquet"
    report = report_licenses(open_place(directory), own, bank, rows)
    if report_to is not None:
        (report_to / "licenses.json").write_text(_json(report.figures) + "\n")
    text = _json(report.figures) if as_json else license_text(report.figures)
    return _with_view(text, None if use is None else report.choose(cast(Any, use)), as_json)


def decontaminate(
    directory: str,
    against: Sequence[str],
    fields: Sequence[str],
    settings: Mapping[str, Any],
    drop: str | None,
    out: str | None,
    as_json: bool,
) -> str:
    """Return what stands in the lists, for people or as JSON; write the report and the view if asked for."""
    report_to = None if out is None else outside(out, directory)
    report = compare_with_lists(open_place(directory), against, fields, MatchSettings(**settings))
    if report_to is not None:
        (report_to / "contamination.json").write_text(_json(report.figures) + "\n")
    text = _json(report.figures) if as_json else contamination_text(report.figures)
    return _with_view(text, None if drop is None else report.drop(drop), as_json)


def pii(directory: str, drop: str | None, out: str | None, as_json: bool) -> str:
    """Return the personal data found, for people or as JSON; write the report and the view if asked for."""
    report_to = None if out is None else outside(out, directory)
    report = scan_for_pii(open_place(directory))
    if report_to is not None:
        (report_to / "pii.json").write_text(_json(report.figures) + "\n")
    text = _json(report.figures) if as_json else pii_text(report.figures)
    return _with_view(text, None if drop is None else report.drop(drop), as_json)


def _with_view(text: str, view: View | None, as_json: bool) -> str:
    return text if view is None or as_json else f"{text}\n\n{view_text(view)}"


def outside(out: str, directory: str) -> Place:
    """Return the place of a report; raises UserError if it lies in the corpus."""
    place, corpus = open_place(out), open_place(directory)
    if f"{place.path.rstrip('/')}/".startswith(f"{corpus.path.rstrip('/')}/"):
        raise UserError("--out is inside the corpus, which holds only what belongs to it: choose a directory outside")
    return place


def _json(figures: Any) -> str:
    return json.dumps(figures, ensure_ascii=False, indent=2)
