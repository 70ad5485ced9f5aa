"""Finds the takes of many dialogues, and puts new ones in their places."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

from manifests.audio import decode
from manifests.changes import replace
from manifests.schema import Audio, Dialogue, Take, Turn
from pipeline.engines.contract import Clip

_MOST_SAMPLES = 1 << 23
"""Of decoded clips in memory, float32: 32 MB in a worker."""


class _Decoded:
    """Remembers the clips that were decoded last: several stages in a row hear the same delivered bytes.

    A clip is known by its bytes object itself, not by what is in it, so that a look costs nothing. Each caller gets
    samples of its own.
    """

    def __init__(self) -> None:
        self._clips: OrderedDict[int, tuple[bytes, Clip]] = OrderedDict()
        self._samples = 0
        self._lock = Lock()  # a worker may have several blocks in flight, each in its own thread

    def clip(self, audio: Audio) -> Clip:
        """Decode the clip, or return a copy of what it was decoded to; see `manifests.audio.decode`."""
        with self._lock:
            known = self._clips.get(id(audio.bytes))
        if known is not None and (len(known[1].samples), known[1].sample_rate) == (
            audio.num_samples,
            audio.sample_rate,
        ):
            return Clip(known[1].samples.copy(), known[1].sample_rate)
        clip = Clip(*decode(audio))
        if audio.codec != "wav":  # which is no more than a copy anyway
            self._remember(audio.bytes, Clip(clip.samples.copy(), clip.sample_rate))
        return clip

    def _remember(self, data: bytes, clip: Clip) -> None:
        with self._lock:
            if self._clips.pop(id(data), None) is None:
                self._samples += len(clip.samples)
            self._clips[id(data)] = data, clip  # the bytes live as long as their id is used
            while self._samples > _MOST_SAMPLES:
                _, (_, oldest) = self._clips.popitem(last=False)
                self._samples -= len(oldest.samples)


_DECODED = _Decoded()


class TurnPosition(NamedTuple):
    """Locates one turn in a batch of dialogues."""

    dialogue_index: int
    turn_index: int


def find_turns(dialogues: Sequence[Dialogue], wanted: Callable[[Turn], bool]) -> list[TurnPosition]:
    return [
        TurnPosition(i, j)
        for i, dialogue in enumerate(dialogues)
        for j, turn in enumerate(dialogue.turns)
        if wanted(turn)
    ]


def find_takes(dialogues: Sequence[Dialogue], wanted: Callable[[Take], bool]) -> list[TurnPosition]:
    """Return the positions of the turns whose take is `wanted`."""
    return find_turns(dialogues, lambda turn: turn.take is not None and wanted(turn.take))


def is_good_so_far(take: Take) -> bool:
    """Tell whether the take has a clip and no known fault: only such takes are worth more work."""
    return take.audio is not None and take.reason is None


def is_raw(take: Take) -> bool:
    """Tell whether a good take's clip still lacks its watermark."""
    return is_good_so_far(take) and take.watermark is None


def is_placed(turn: Turn) -> bool:
    """Tell whether the turn's clip lies in the dialogue's timeline."""
    return turn.start_sample is not None and turn.audio is not None


def take_at(dialogues: Sequence[Dialogue], place: TurnPosition) -> Take:
    """Return the take at that position; raises ValueError if the turn has none, which `find_takes` never selects."""
    take = dialogues[place.dialogue_index].turns[place.turn_index].take
    if take is None:
        raise ValueError("a turn without a take was chosen")
    return take


def clip_of(take: Take) -> Clip:
    """Decode the take's clip; raises ValueError if it has none, which a good take never lacks."""
    if take.audio is None:
        raise ValueError("a take without audio was chosen")
    return _DECODED.clip(take.audio)


def put_takes(dialogues: Sequence[Dialogue], places: Sequence[TurnPosition], takes: Sequence[Take]) -> list[Dialogue]:
    """Put these takes at these positions of the dialogues."""
    turns = [list(dialogue.turns) for dialogue in dialogues]
    for (i, j), take in zip(places, takes, strict=True):
        turns[i][j] = replace(turns[i][j], take=take)
    return [replace(d, turns=tuple(t)) if d.turns != tuple(t) else d for d, t in zip(dialogues, turns, strict=True)]
