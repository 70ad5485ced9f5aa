"""Defines a timing profile: how long speakers wait, overlap, pause, and how fast they stop when interrupted.

A profile is a YAML file: one that Parley ships (`pipeline/timing/profiles`), one that `parley timing fit` learned from
recordings, or one that somebody wrote. All times are in seconds, from speech to speech: silence at the edges of clips
does not count.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline import recipe_file
from pipeline.settings import Section

_PACKAGE = "pipeline.timing.profiles"
_WHAT = "timing profile"

LONGEST_S = 60.0
"""Seconds beyond which no profile goes in either direction: longer would be a slip of the pen."""

Seconds = Annotated[float, Field(ge=-LONGEST_S, le=LONGEST_S)]


class NormalTime(Section):
    mean_s: Seconds = Field(description="mean, in seconds")
    std_s: float = Field(ge=0, le=LONGEST_S, description="standard deviation, in seconds")


class LogNormalTime(Section):
    median_s: float = Field(gt=0, le=LONGEST_S, description="median, in seconds")
    log_std: float = Field(ge=0, le=3, description="standard deviation of the natural logarithm")


class HistogramTime(Section):
    low_s: Seconds = Field(description="lower end of the first bin, in seconds")
    width_s: float = Field(gt=0, le=LONGEST_S, description="width of a bin, in seconds")
    counts: tuple[Annotated[float, Field(ge=0, le=1e15)], ...] = Field(
        min_length=1, max_length=2000, description="weight of each bin; within a bin all times are equally likely"
    )

    @model_validator(mode="after")
    def _has_weight_and_bounds(self) -> Self:
        if not sum(self.counts):
            raise ValueError("counts: all are zero")
        if self.low_s + self.width_s * len(self.counts) > LONGEST_S:
            raise ValueError(f"the last bin ends beyond {LONGEST_S:g} s")
        return self


class RandomTime(Section):
    """A time that is drawn for each occasion, in seconds: a number, or the parameters of a distribution."""

    fixed_s: Seconds | None = Field(None, description="always the same time, in seconds")
    normal: NormalTime | None = Field(None, description="a normal distribution")
    log_normal: LogNormalTime | None = Field(None, description="a log-normal distribution")
    histogram: HistogramTime | None = Field(None, description="a histogram, such as one learned from recordings")
    min_s: Seconds = Field(-LONGEST_S, description="a smaller draw counts as this, in seconds")
    max_s: Seconds = Field(LONGEST_S, description="a larger draw counts as this, in seconds")

    @model_validator(mode="after")
    def _is_one_distribution(self) -> Self:
        shapes = ("fixed_s", "normal", "log_normal", "histogram")
        if sum(getattr(self, shape) is not None for shape in shapes) != 1:
            raise ValueError(f"give exactly one of {', '.join(shapes)}")
        if self.min_s > self.max_s:
            raise ValueError(f"min_s={self.min_s:g} is more than max_s={self.max_s:g}")
        return self


class Profile(Section):
    """Holds the times of a kind of conversation. Those that cannot be negative are bounded by `min_s`, or at 0."""

    name: str = Field(min_length=1, max_length=100, description="name of the profile; every timeline bears it")
    description: str = Field(description="one line for people")
    gap_to_agent: RandomTime = Field(
        description="from the end of the user's speech to the agent's start; negative: they overlap"
    )
    gap_to_user: RandomTime = Field(
        description="from the end of the agent's speech to the user's start; negative: they overlap"
    )
    barge_in_lag: RandomTime = Field(description="from the end of the word of the cue to the start of an interruption")
    stop_latency: RandomTime = Field(
        description="from the start of an interruption to where the other one stops, at the end of a word"
    )
    backchannel_lag: RandomTime = Field(description="from the end of the word of the cue to the backchannel's start")
    pause: RandomTime = Field(description="length of a pause that a label asks for")
    silence: RandomTime = Field(description="how long one says nothing whose turn it is")


TIMES = tuple(name for name, field in Profile.model_fields.items() if field.annotation is RandomTime)
"""The names of the times of a profile."""


def shipped_profiles() -> list[str]:
    """Return the names of the profiles that Parley ships, sorted."""
    return recipe_file.shipped(_PACKAGE)


def load_profile(name: str, overrides: Sequence[str] = ()) -> Profile:
    """Load the profile of that name or file; raises RecipeError, with every problem in one message."""
    return recipe_file.parse(Profile, recipe_file.read(name, _PACKAGE, _WHAT, overrides), name)


def profile_text(name: str) -> str:
    """Return the text of the profile's file, comments included; raises RecipeError."""
    return recipe_file.text_of(name, _PACKAGE, _WHAT)


def profile_digest(profile: Profile) -> str:
    """Return the name of the profile and what stands for its contents: profiles with equal digests are equal."""
    content = json.dumps(profile.model_dump(mode="json", exclude={"description"}), sort_keys=True)
    return f"{profile.name} {hashlib.sha256(content.encode()).hexdigest()[:16]}"
