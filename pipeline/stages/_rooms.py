"""Rooms of `mix`, with their settings: impulse responses of a directory, or shoeboxes computed by pyroomacoustics."""

import numpy as np
from pydantic import Field, model_validator

from pipeline.audio.room import in_room
from pipeline.audio.shoebox import Point, Shoebox, lasting, response_of
from pipeline.audio.sound_files import SoundFiles
from pipeline.engines.contract import Samples
from pipeline.settings import Section
from pipeline.stages._effects import Draws, FromFiles, Mixed, Range, sounding, uniform

_FROM_WALL_M = 0.3
"""Nobody speaks, and no microphone stands, nearer to a wall."""
_SMALLEST_M, _LARGEST_M = 1.5, 50.0
_SMALLEST_S, _LARGEST_S = 0.05, 3.0


class MadeRoom(Section):
    """Rooms of six walls that are drawn; all defaults are ours, for rooms in which people live and work."""

    length_m: Range = Field((3, 8), description="length of the room, in m")
    width_m: Range = Field((3, 6), description="width, in m")
    height_m: Range = Field((2.4, 3.5), description="height, in m")
    rt60_s: Range = Field((0.2, 0.5), description="seconds until sound has fallen by 60 dB")
    distance_m: Range = Field((0.3, 2), description="from the mouth to the microphone, in m, as far as the walls let")

    @model_validator(mode="after")
    def _can_be_built(self) -> "MadeRoom":
        for low, high in (self.length_m, self.width_m, self.height_m):
            if not _SMALLEST_M <= low <= high <= _LARGEST_M:
                raise ValueError(f"a room has {_SMALLEST_M:g} to {_LARGEST_M:g} m in each direction")
        if not _SMALLEST_S <= self.rt60_s[0] <= self.rt60_s[1] <= _LARGEST_S:
            raise ValueError(f"rt60_s lies between {_SMALLEST_S:g} and {_LARGEST_S:g}")
        if self.distance_m[0] <= 0:
            raise ValueError("distance_m must be more than 0")
        return self


class Room(FromFiles):
    """One room for a dialogue: an impulse response of a directory, or one that is computed."""

    made: MadeRoom | None = Field(None, description="rooms that Parley computes (extra `rooms`); none: those of files")
    with_echo: bool = Field(
        False, description="exactly the dialogues with echo have the room, whatever its share (Moshi: both together)"
    )

    @model_validator(mode="after")
    def _has_source(self) -> "Room":
        if (self.files is None) == (self.made is None):
            raise ValueError("room needs one of the two: impulse responses, files=DIR, or computed rooms, made={}")
        return self


def with_room(mixed: Mixed, generator: Draws, settings: Room, files: SoundFiles | None) -> Mixed:
    """Put what is said on this side into a room that is drawn."""
    if settings.made is not None:
        room = drawn_room(settings.made, generator)
        for name, value in _values(room):
            mixed = mixed.drawn(name, value)
        return _heard_in(mixed, "made", response_of(room, mixed.sample_rate))
    assert files is not None
    name, response = sounding(files, mixed.sample_rate, generator, whole=True)
    return _heard_in(mixed, name, response)


def drawn_room(settings: MadeRoom, generator: Draws) -> Shoebox:
    """Draw a room, a microphone anywhere in it, and a mouth in any direction from it, both away from the walls."""
    size = (
        uniform(generator, settings.length_m),
        uniform(generator, settings.width_m),
        uniform(generator, settings.height_m),
    )
    rt60_s = lasting(size, uniform(generator, settings.rt60_s))
    low, high = np.full(3, _FROM_WALL_M), np.array(size) - _FROM_WALL_M
    microphone = low + generator.random(3) * (high - low)
    direction = generator.standard_normal(3)
    mouth = microphone + direction * (uniform(generator, settings.distance_m) / np.linalg.norm(direction))
    # Who would stand behind a wall is mirrored at it, which takes nobody farther from the microphone.
    mouth = high - np.abs(high - (low + np.abs(mouth - low)))
    return Shoebox(size, rt60_s, _point(np.clip(mouth, low, high)), _point(microphone))


def _point(place: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    x, y, z = (float(each) for each in place)
    return x, y, z


def _values(room: Shoebox) -> list[tuple[str, float]]:
    sides = zip(("length", "width", "height"), room.size_m, strict=True)
    points = [("mouth", room.mouth_m), ("microphone", room.microphone_m)]
    return [
        *((f"room_{side}_m", value) for side, value in sides),
        ("room_rt60_s", room.rt60_s),
        *((f"room_{what}_{axis}_m", value) for what, at in points for axis, value in zip("xyz", at, strict=True)),
    ]


def _heard_in(mixed: Mixed, name: str, response: Samples) -> Mixed:
    own, behind = (in_room(part, response) if part.any() else part for part in (mixed.own, mixed.behind))
    return mixed.instead(own, behind).heard("room", name)
