"""The timing of talks (`pipeline.timing.statistics`) as text for people, beside what is known of people."""

from collections.abc import Mapping
from typing import Any

from pipeline.show.text import text_table
from pipeline.timing.people import HUMAN_FIGURES

_NONE = "-"


def format_timing(figures: Mapping[str, Any]) -> str:
    """Return the figures as lines, without a final line break."""
    rows = [row for name, found in figures["offsets"].items() for row in _offset_rows(name, found)]
    overlap, chance = figures["overlap"], figures["backchannels"]
    rows += [
        _row("pause of a speaker", figures["pause"]),
        _row("overlap", overlap),
        ["overlap, share of time", "", _percent(overlap["share_of_time"])],
        ["silence, share of time", "", _percent(figures["silence_share"])],
        ["backchannels per hour of speech", f"{chance['number']:,}", _number(chance["per_hour_of_speech"])],
        _row("backchannel after its word", chance["lag"]),
        _row("stop latency, and the tail that is kept", figures["interruptions"]["stop_latency"]),
    ]
    head = ("times in seconds", "number", "median", "25 %", "75 %", "90 %")
    table = text_table(head, [[*row, *[""] * (len(head) - len(row))] for row in rows], right=range(1, 6))
    return "\n".join([_head(figures), "", *table, "", *_people(), "", *_notes(figures)])


def _people() -> list[str]:
    rows = [
        (figure.measure, figure.value, figure.source, f"not comparable: {figure.differs}" if figure.differs else "")
        for figure in HUMAN_FIGURES
    ]
    return text_table(("people", "", "source", ""), rows)


def _offset_rows(direction: str, found: Mapping[str, Any]) -> list[list[str]]:
    return [
        _row(f"offset, {direction}", found),
        [f"  overlapping, {direction}", "", _percent(found["share_below_0"])],
        _row(f"gap, {direction}", found["gap"]),
    ]


def _row(name: str, spread: Mapping[str, Any]) -> list[str]:
    if not spread["number"]:
        return [name, "0", _NONE]
    values = (spread[key] for key in ("median_s", "quartile_1_s", "quartile_3_s", "p90_s"))
    return [name, f"{spread['number']:,}", *(f"{value:.2f}" for value in values)]


def _number(rate: float | None) -> str:
    return _NONE if rate is None else f"{rate:,.0f}"


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{share:.1%}"


def _head(figures: Mapping[str, Any]) -> str:
    return (
        f"{figures['talks']:,} talks, {figures['seconds'] / 3600:,.2f} h, "
        f"{figures['speech_seconds'] / 3600:,.2f} h of speech"
    )


def _notes(figures: Mapping[str, Any]) -> list[str]:
    definitions = figures["definitions"]
    notes = [
        f"Speech of one speaker with a pause below {definitions['joined_s']:g} s is one stretch. Offset: start of the "
        "next speaker's turn minus end of the one before; backchannels are left out.",
        "Shares are of the time from the first word of a talk to its last.",
    ]
    if figures["unlabeled"]:
        notes.append(
            "In recordings, a stretch that begins and ends while the other one speaks on does not take the floor; "
            "below 1 s and 3 words it is a backchannel. An overlap of "
            f"{definitions['interrupts_s']:g} s at a change of speakers counts as an interruption."
        )
    if figures["undirected"]:
        notes.append(f"In {figures['undirected']:,} talks nothing says who is the agent: --agent NAME does.")
    return notes
