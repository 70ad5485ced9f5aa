"""The audit as one HTML file that needs nothing beside it. All that comes from the corpus is escaped."""

from collections.abc import Sequence
from html import escape

from pipeline.audit.audit import Audit
from pipeline.audit.plots import plots
from pipeline.audit.text import Section, misheard, notes, sections, verdict

_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: .5em 0 2em; font-size: 90% }
th, td { border-bottom: 1px solid #ddd; padding: .25em .8em .25em 0; text-align: left; vertical-align: top }
img { max-width: 100% } h2 { font-size: 1.1em } .passed { color: #0a6 } .failed { color: #b20 }
"""


def as_html(audit: Audit) -> str:
    state = "passed" if audit.passed else "failed"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        # Nothing in the file may run or be fetched, whatever the corpus holds.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">',
        f"<title>Audit of {escape(audit.corpus)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Audit of {escape(audit.corpus)}</h1>",
        f'<pre class="{state}">{escape(verdict(audit))}</pre>',
        *map(_table, sections(audit)),
        *(f"<pre>{escape(block)}</pre>" for block in misheard(audit)),
        *_images(audit),
        *(f"<p>{escape(note)}</p>" for note in notes(audit)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(section: Section) -> str:
    title, names, rows = section
    head = f"<tr>{_cells(names, 'th')}</tr>" if any(names) else ""
    body = "\n".join(f"<tr>{_cells(row, 'td')}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2>\n<table>{head}\n{body}</table>"


def _cells(cells: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)


def _images(audit: Audit) -> list[str]:
    drawn = plots(audit)
    if drawn is None:
        return ["<p>No plots: matplotlib is not installed.</p>"]
    return [f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">' for title, data in drawn]
