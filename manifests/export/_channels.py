"""The two channels of a mixed dialogue in frames of speech tokens: what is there, and who speaks in which frame."""

from dataclasses import dataclass
from fractions import Fraction

from manifests.export._timeline import Spot, layout_problem, spots
from manifests.export._token_streams import TokenKind
from manifests.schema import Dialogue, Role

ROLES: tuple[Role, Role] = ("user", "agent")


@dataclass(frozen=True)
class Channel:
    """Holds a channel's ids, one for each frame, and for each whether its speaker speaks there: [num_frames]."""

    ids: tuple[int, ...]
    is_speech: tuple[bool, ...]


def channels_problem(dialogue: Dialogue, kind: TokenKind) -> str | None:
    """Return the reason to refuse a dialogue whose two channels are not known in frames."""
    if dialogue.timeline is None:
        return "it has no timeline"
    return layout_problem(dialogue) or kind.channel_problem(dialogue, ROLES)


def channel(dialogue: Dialogue, role: Role, kind: TokenKind) -> Channel:
    """Return the channel of a dialogue without a problem. A frame is speech if its middle lies in that of a turn."""
    tokens = kind.of_channel(dialogue, role)
    assert tokens is not None  # else there was a problem
    is_speech = [False] * tokens.num_frames
    for spot in spots(dialogue, 0):
        if spot.role == role:
            first, end = spoken_frames(dialogue, spot, kind.frame_s, tokens.num_frames)
            is_speech[first:end] = [True] * (end - first)
    return Channel(tokens.books[0], tuple(is_speech))


def spoken_frames(dialogue: Dialogue, spot: Spot, frame_s: Fraction, num_frames: int) -> tuple[int, int]:
    """Return the first frame of a turn's speech and the first one behind it: those whose middle lies in it.

    The speech is what the turn's event says, without the silence at the edges of the clip; without one, the clip.
    """
    start, stop = _speech(dialogue, spot)
    first, end = (min(num_frames, _first_middle_from(moment, frame_s)) for moment in (start, stop))
    return first, end


def _speech(dialogue: Dialogue, spot: Spot) -> tuple[Fraction, Fraction]:
    timeline, kind = dialogue.timeline, dialogue.turns[spot.turn].kind
    for event in timeline.events if timeline else ():
        if (event.turn, event.kind, event.channel) == (spot.turn, kind, spot.role) and timeline:
            rate = timeline.sample_rate
            return Fraction(event.start_sample, rate), Fraction(event.end_sample, rate)
    return spot.start, spot.end


def _first_middle_from(moment: Fraction, frame_s: Fraction) -> int:
    """Return the first frame whose middle is not before the moment."""
    return max(0, -((Fraction(1, 2) - moment / frame_s) // 1))
