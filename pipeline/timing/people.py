"""Holds what is published about people, to lay beside the statistics of a corpus.

Only figures that were read in the source named, or in a public account of it, are here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HumanFigure:
    """Says what people do: `value` in words, with its `source`; `differs`: why it is not comparable, or None."""

    measure: str
    value: str
    source: str
    differs: str | None = None


HUMAN_FIGURES = (
    HumanFigure("offset", "median 0.08 s, about normal", "CANDOR, 1,656 video calls, 850 h (PMC10065445)"),
    HumanFigure("gap", "of the order of 0.2 s", "Levinson and Torreira 2015"),
    HumanFigure("gap", "median about 0.36 s, skewed", "Weingartova and others 2014, Czech"),
    HumanFigure("overlap", "median about 0.36 s, skewed", "Weingartova and others 2014, Czech"),
    HumanFigure("overlap share", "about 13.5 %", "CALLHOME, two speakers: a user's count (EEND_dataprep, issue 6)"),
    HumanFigure(
        "overlap share",
        "about 10 %",
        "meetings, Sheffield overlap project",
        "of speaking time, not of the whole, and of more than two",
    ),
    HumanFigure("silence share", "about 10 %", "CALLHOME, two speakers: a user's count (EEND_dataprep, issue 6)"),
    HumanFigure(
        "backchannels",
        "about 1,000 an hour of speech",
        "CANDOR, 1,656 video calls, 850 h",
        "it counts words, not turns",
    ),
)
"""What is known, by the measure it belongs to."""
