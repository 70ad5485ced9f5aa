"""Implements `parley corpus audit`: runs the audit, writes the report, prints the result."""

from collections.abc import Callable, Sequence
from contextlib import closing

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.audit.audit import audit_corpus
from pipeline.audit.html import as_html
from pipeline.audit.text import as_json, as_text
from pipeline.job.runner.tasks import Runner

JSON_NAME = "report.json"
HTML_NAME = "report.html"


def audit(
    directory: str,
    out: str | None,
    sample: int | None,
    seed: int,
    controls: str | None,
    overrides: Sequence[str],
    trust_recipe: bool,
    json: bool,
    tokenizers: Sequence[str],
    say: Callable[[str], None],
    runner: Runner,
) -> tuple[str, bool]:
    """Return tables (or JSON) for stdout, and whether the corpus passes; write the report if `out` is given."""
    corpus = open_place(directory)
    report = None if out is None else open_place(out)
    if report is not None and report.is_inside(corpus):
        raise UserError(
            "--out is inside the corpus, which must hold only what its manifest lists: choose a directory outside"
        )
    with closing(runner):
        found = audit_corpus(corpus, overrides, sample, seed, controls, say, trust_recipe, tokenizers, runner)
    if report is not None:
        (report / JSON_NAME).write_text(as_json(found))
        (report / HTML_NAME).write_text(as_html(found))
    return (as_json(found).rstrip("\n") if json else as_text(found)), found.passed
