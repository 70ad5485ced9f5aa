"""The audit as one HTML file."""

from pipeline.audit.audit import Audit
from pipeline.audit.plots import plots
from pipeline.audit.text import misheard, notes, sections, verdict
from pipeline.show.page import Heading, PageTable, Paragraph, Part, Preformatted, page


def as_html(audit: Audit) -> str:
    """Return the page: verdict, tables, plots, notes."""
    parts: list[Part] = [Paragraph(verdict(audit), "passed" if audit.passed else "failed")]
    for title, names, rows in sections(audit):
        parts += [Heading(title), PageTable(names, rows)]
    parts += map(Preformatted, misheard(audit))
    pictures = plots(audit)
    parts += [Paragraph("No plots: matplotlib is not installed.")] if pictures is None else pictures
    parts += map(Paragraph, notes(audit))
    return page(f"Audit of {audit.corpus}", parts)
