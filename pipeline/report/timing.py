"""Describes when the speakers of the kept rows speak, where the corpus has timelines, and what they do in one row."""

from dataclasses import asdict
from typing import Any

from manifests.schema import Dialogue
from pipeline.timing.people import HUMAN_FIGURES
from pipeline.timing.statistics import TimingStatistics
from pipeline.timing.talks import talk_of


class Timing:
    """Collects the times of the kept rows that have a timeline."""

    def __init__(self) -> None:
        self._statistics = TimingStatistics()

    def add(self, dialogue: Dialogue) -> None:
        if dialogue.status == "kept" and (talk := talk_of(dialogue)):
            self._statistics.add(talk)

    def figures(self) -> dict[str, Any] | None:
        """Return the statistics, and what is known of people; None if no kept row has a timeline."""
        if not self._statistics.talks:
            return None
        return self._statistics.figures() | {"people": [asdict(figure) for figure in HUMAN_FIGURES]}


def timeline_data(dialogue: Dialogue) -> dict[str, Any] | None:
    """Return the timeline of a row as the page draws it: its length in seconds, its profile, and its events, each
    kind, channel, start and end in seconds, turn and cause; None if it has none."""
    timeline = dialogue.timeline
    if timeline is None or timeline.sample_rate <= 0:
        return None
    rate = timeline.sample_rate
    return {
        "s": round(timeline.num_samples / rate, 3),
        "p": timeline.profile,
        "e": [
            [
                event.kind,
                event.channel,
                round(event.start_sample / rate, 3),
                round(event.end_sample / rate, 3),
                event.turn,
                event.cause,
            ]
            for event in timeline.events
        ],
    }
