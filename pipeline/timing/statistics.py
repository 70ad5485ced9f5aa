"""Measures the timing of talks, by definitions that let figures be compared.

* floor-transfer offset: the start of the next speaker's turn minus the end of the previous speaker's; backchannels
  are left out, interruptions are not;
* gap: an offset above 0; pause: the silence between two stretches of one speaker with nobody between them;
* overlap: both speak, backchannels included; its share and that of silence are of the time from the first word of a
  talk to its last;
* backchannels are counted by the hour of speech, of both speakers;
* stop latency: from the start of an interruption to where the other one stops: as long as that one's tail is kept.
  Where interruptions are not labeled, an offset below -INTERRUPTS_S counts as one.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from manifests.schema import Channel
from pipeline.timing.talks import JOINED_S, Stretch, Talk

INTERRUPTS_S = 0.5
"""Overlap at a change of speakers from which it counts as an interruption where nobody says so. Ours."""
BIN_S, LOW_S, HIGH_S = 0.1, -2.0, 3.0
"""The histogram of the offsets."""
DIRECTIONS = ("all", "user to agent", "agent to user")


class TimingStatistics:
    """Collects the times of talks; memory grows by 8 bytes for each of them.

    `offsets` and `smooth` are those of all changes of speakers, and of those that are no interruptions.
    """

    def __init__(self) -> None:
        self.talks = self._undirected = self._unlabeled = 0
        self.offsets: dict[str, array[float]] = {direction: array("d") for direction in DIRECTIONS}
        self.smooth: dict[str, array[float]] = {direction: array("d") for direction in DIRECTIONS}
        self.pauses, self.overlaps, self.stops, self.lags = array("d"), array("d"), array("d"), array("d")
        self._seconds = self._silent = self._both = self._speech = 0.0
        self._backchannels: dict[Channel, int] = {"user": 0, "agent": 0}

    def add(self, talk: Talk) -> None:
        spoken = sorted((*talk.user, *talk.agent))
        if not spoken:
            return
        self.talks += 1
        self._undirected += not talk.is_directed
        self._unlabeled += not talk.is_labeled
        self._add_shares(talk, spoken)
        self._add_changes(talk)
        self.stops.extend(talk.stops_s)
        self.lags.extend(talk.lags_s)
        for channel in self._backchannels:
            self._backchannels[channel] += sum(stretch.kind == "backchannel" for stretch in talk.of(channel))

    def _add_shares(self, talk: Talk, spoken: Sequence[Stretch]) -> None:
        overlaps = list(_overlaps(talk.user, talk.agent))
        speech = sum(stretch.end_s - stretch.start_s for stretch in spoken)
        length = max(stretch.end_s for stretch in spoken) - spoken[0].start_s
        self.overlaps.extend(overlaps)
        self._speech += speech
        self._both += sum(overlaps)
        self._seconds += length
        self._silent += length - (speech - sum(overlaps))

    def _add_changes(self, talk: Talk) -> None:
        floor = sorted((s, channel) for channel in self._backchannels for s in talk.of(channel) if s.kind == "floor")
        for (before, earlier), (after, later) in pairwise(floor):
            offset = after.start_s - before.end_s
            if earlier == later:
                self.pauses.append(offset)
                continue
            interrupts = after.interrupts if talk.is_labeled else offset <= -INTERRUPTS_S
            for direction in ("all", f"{earlier} to {later}")[: 1 + talk.is_directed]:
                self.offsets[direction].append(offset)
                if not interrupts:
                    self.smooth[direction].append(offset)
            if interrupts and not talk.is_labeled:
                self.stops.append(-offset)

    def figures(self) -> dict[str, Any]:
        """Return all figures as plain values, times in seconds; None where there is nothing to measure."""
        hours = self._speech / 3600
        backchannels = sum(self._backchannels.values())
        return {
            "talks": self.talks,
            "undirected": self._undirected,
            "unlabeled": self._unlabeled,
            "seconds": round(self._seconds, 3),
            "speech_seconds": round(self._speech, 3),
            "offsets": {name: _offset_figures(values) for name, values in self.offsets.items() if len(values)},
            "pause": _spread(self.pauses),
            "overlap": {**_spread(self.overlaps), "share_of_time": _share(self._both, self._seconds)},
            "silence_share": _share(self._silent, self._seconds),
            "backchannels": {
                "number": backchannels,
                **self._backchannels,
                "per_hour_of_speech": _share(backchannels, hours),
                "lag": _spread(self.lags),
            },
            "interruptions": {"number": len(self.stops), "stop_latency": _spread(self.stops)},
            "definitions": {"joined_s": JOINED_S, "interrupts_s": INTERRUPTS_S},
        }


def _overlaps(users: Sequence[Stretch], agents: Sequence[Stretch]) -> Iterator[float]:
    """Yield the lengths of the stretches in which both speak."""
    i = j = 0
    while i < len(users) and j < len(agents):
        length = min(users[i].end_s, agents[j].end_s) - max(users[i].start_s, agents[j].start_s)
        if length > 0:
            yield length
        if users[i].end_s < agents[j].end_s:
            i += 1
        else:
            j += 1


def _offset_figures(values: Sequence[float]) -> dict[str, Any]:
    """Return the spread of the offsets, the share below 0, the gaps, and the histogram with what lies outside."""
    found = np.asarray(values)
    edges = LOW_S + BIN_S * np.arange(round((HIGH_S - LOW_S) / BIN_S) + 1)
    counts, _ = np.histogram(found, edges)
    return {
        **_spread(found),
        "share_below_0": _share(int((found < 0).sum()), len(found)),
        "gap": _spread(found[found > 0]),
        "histogram": {
            "low_s": LOW_S,
            "width_s": BIN_S,
            "counts": counts.tolist(),
            "below": int((found < edges[0]).sum()),
            "above": int((found > edges[-1]).sum()),
        },
    }


def _spread(values: Sequence[float] | np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return number, median, quartiles and 90 % quantile in seconds; only the number, 0, if there are none."""
    if not len(values):
        return {"number": 0}
    quantiles = np.quantile(np.asarray(values), (0.25, 0.5, 0.75, 0.9)).tolist()
    names = ("quartile_1_s", "median_s", "quartile_3_s", "p90_s")
    return {"number": len(values), **{name: round(q, 4) for name, q in zip(names, quantiles, strict=True)}}


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
