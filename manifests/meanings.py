"""Defines closed lists of values, each with its meaning in words."""

from enum import StrEnum
from typing import Self


class Meaningful(StrEnum):
    """Base class of the closed lists: a member is written `NAME = "value", "what it means"`.

    A list with further details puts them between the two and reads them in an `__init__` with the same arguments.
    """

    meaning: str

    def __new__(cls, value: str, *details: str) -> Self:
        """Make the member, whose meaning is the last of the details."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = details[-1]
        return member

    @classmethod
    def of(cls, value: str | None) -> Self | None:
        """Return the member with that value, or None if there is none."""
        return cls._value2member_map_.get(value)  # type: ignore[return-value]
