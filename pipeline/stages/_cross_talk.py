"""Tells cross-talk from a bad take: the clip says the text of another request that was in flight at the same time.

Servers that batch have given one request's speech to another (vllm-omni #4664: six of six pairs). Such a clip is clear
speech, so that no measure of quality sees it, and where its turn is short beside the others of its dialogue, the
pooled rate would excuse it. What was in flight is taken to be the turns of the block that were spoken in this pass:
that depends on the input alone, and not on which worker did what when. A text of another block is not found; such a
take is rejected for its error rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from rapidfuzz.distance import Levenshtein

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Hearing, Turn
from pipeline.scoring.normalize import metric, tokens
from pipeline.stages._takes import TurnPosition, find_turns

OWN_RATE = 0.5
"""From this error rate on, a transcript does not fit its own text. Bad takes of the right text stay below it, but for
gibberish, and that fits no other text either."""
OTHER_RATE = 0.25
"""Up to this error rate it fits another text. Two questions of a corpus are further apart: `dedup` sees to that."""
FEWEST = {"wer": 3, "cer": 4}
"""Words or characters of a text that can be told from others at all: everybody says "yes, please"."""

_EXPLAINED = frozenset(
    {
        Reason.ERROR_RATE,
        Reason.WORST_TURN,
        Reason.EDGE_ERROR,
        Reason.HALLUCINATION_RATE,
        Reason.HALLUCINATION_LOOP,
        Reason.HALLUCINATION_LANGUAGE,
    }
)
"""Reasons for which a hearing was turned down that cross-talk explains better; None: the hearing alone would pass."""


class InFlight:
    """Holds the texts of a block that are spoken in this pass, those of takes that nobody has heard yet."""

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        self._dialogues = dialogues

    def named(self, hearings: Mapping[TurnPosition, Hearing]) -> dict[TurnPosition, Hearing]:
        """Return the hearings, with the reason `cross_talk` for those of another's text."""
        return {place: self._named(place, hearing) for place, hearing in hearings.items()}

    def _named(self, place: TurnPosition, hearing: Hearing) -> Hearing:
        if hearing.hypothesis is None or hearing.score is None or (hearing.score.rate or 0.0) < OWN_RATE:
            return hearing
        if hearing.reason is not None and reason_of(hearing.reason) not in _EXPLAINED:
            return hearing
        found = any(
            other != place and _fits(hearing.hypothesis, text, language)
            for other, language, text in self._texts
            if text != self._text_at(place)
        )
        return replace(hearing, reason=Reason.CROSS_TALK.value) if found else hearing

    @cached_property
    def _texts(self) -> list[tuple[TurnPosition, str, list[str]]]:
        """(position, language, normalized tokens) of each text that is long enough to be told from others."""
        places = find_turns(self._dialogues, _was_just_spoken)
        found = [(place, self._dialogues[place.dialogue_index].language, self._text_at(place)) for place in places]
        return [(place, language, text) for place, language, text in found if len(text) >= FEWEST[metric(language)]]

    def _text_at(self, place: TurnPosition) -> list[str]:
        dialogue = self._dialogues[place.dialogue_index]
        return tokens(dialogue.turns[place.turn_index].whole_text or "", dialogue.language)


def _was_just_spoken(turn: Turn) -> bool:
    return turn.take is not None and turn.take.hearing is None


def _fits(hypothesis: str, text: list[str], language: str) -> bool:
    most = int(OTHER_RATE * len(text))
    return Levenshtein.distance(text, tokens(hypothesis, language), score_cutoff=most) <= most
