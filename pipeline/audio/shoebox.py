"""Compute the impulse response of a room with six walls, by the image sources of pyroomacoustics (extra `rooms`).

How long sound lasts is said as RT60, the seconds until it has fallen by 60 dB; Sabine's formula turns it into what the
walls absorb, the same for all walls and frequencies.
"""

from dataclasses import dataclass

import numpy as np

from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Samples

Point = tuple[float, float, float]

_NEEDED_BY = "mix.room.made"
_SOUND_M_PER_S = 343.0
_SABINE = 24 * np.log(10) / _SOUND_M_PER_S
_MOST_ABSORBED = 0.99
"""Share of the energy that a wall takes at most: with none left there would be no room."""
_MOST_REFLECTIONS = 50
"""Reflections behind one another that are followed: beyond, a room of ordinary size rings below what noise covers, and
the time grows with the third power. Ours."""


@dataclass(frozen=True, slots=True)
class Shoebox:
    """A room of length, width and height in m, with a mouth and a microphone at places inside; RT60 in s."""

    size_m: Point
    rt60_s: float
    mouth_m: Point
    microphone_m: Point


def rooms_version() -> str:
    """Return what decides the samples of a response; raises EngineUnavailable without the package."""
    return f"pyroomacoustics {library_version('pyroomacoustics', _NEEDED_BY, extra('rooms'))}"


def absorbed(size_m: Point, rt60_s: float) -> float:
    """Return the share of the energy that the walls must take; above 1 for a time that no such room can have."""
    length, width, height = size_m
    walls = 2 * (length * width + length * height + width * height)
    return float(_SABINE * length * width * height / (walls * rt60_s))


def lasting(size_m: Point, rt60_s: float) -> float:
    """Return the time, or the shortest one that a room of this size can have, if that is longer."""
    return rt60_s * max(1.0, absorbed(size_m, rt60_s) / _MOST_ABSORBED)


def response_of(room: Shoebox, sample_rate: int) -> Samples:
    """Return the impulse response from the mouth to the microphone, float32 [K]; raises EngineUnavailable."""
    acoustics = library("pyroomacoustics", _NEEDED_BY, extra("rooms"))
    acoustics.constants.set("num_threads", 1)  # sums in an order that no number of cores changes
    longest = int(np.ceil(_SOUND_M_PER_S * room.rt60_s / min(room.size_m)))
    shoebox = acoustics.ShoeBox(
        list(room.size_m),
        fs=sample_rate,
        materials=acoustics.Material(min(_MOST_ABSORBED, absorbed(room.size_m, room.rt60_s))),
        max_order=min(_MOST_REFLECTIONS, longest),
        air_absorption=False,
    )
    shoebox.add_source(list(room.mouth_m))
    shoebox.add_microphone(list(room.microphone_m))
    shoebox.compute_rir()
    return np.asarray(shoebox.rir[0][0], np.float32)
