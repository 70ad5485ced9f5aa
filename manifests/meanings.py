"""Closed lists of values that say in words what they mean."""

from enum import StrEnum
from typing import Self


class Meaningful(StrEnum):
    """Base of the closed lists: a member is written `NAME = "value", "what it means"`.

    A list that knows more of its members puts it between the two and reads it in an `__init__` with the same
    arguments.
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
        """Return the member of that value, or None where the list has none."""
        return cls._value2member_map_.get(value)  # type: ignore[return-value]
