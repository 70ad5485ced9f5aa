"""Draws blends, drops those that are too near to a real speaker or to an earlier voice, and keeps the rest in order.

Each stratum has its own endless stream of candidates; candidate k is a function of (seed, stratum, k). A slot takes
the next candidate of its stratum that passes, compared with every voice kept before it. So the voices depend neither
on the number of voices asked for nor on the size of the blocks in which candidates are compared.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from manifests.errors import UserError
from manifests.meanings import Meaningful
from voicebank.balance import Slot, Stratum, pick_parents
from voicebank.leak import Blends, Histogram, Values
from voicebank.random_draws import draw_weights, uniforms
from voicebank.speaker_table import Matrix, Rows, SpeakerTable, Weights, blend_embeddings, blend_vectors

BLOCK = 1024
_FEWEST = 16
_SHORTEST = 0.05  # below this length, rounding of the parents' float32 digits shows in the fifth decimal


class Drop(Meaningful):
    """Why a drawn blend does not become a voice."""

    NEAR_REAL = "near_real", "as similar to a real speaker as the leak limit, or more"
    TWIN = "twin", "as similar to an earlier voice as the twin limit, or more"
    CANCELLED = "cancelled", "the parents point in opposite directions, and nothing is left of their average"


@dataclass(frozen=True)
class Rule:
    """How blends are drawn and which are dropped. After `patience` drops in a row, a stratum is exhausted."""

    seed: int
    parents: int
    weights: tuple[float, float]
    leak_limit: float
    twin_limit: float
    patience: int = 20_000


@dataclass
class DrawCounts:
    """Count what became of the draws so far."""

    drawn: int = 0
    kept: int = 0
    dropped: Counter[Drop] = field(default_factory=Counter)
    nearest_real: Histogram = field(default_factory=Histogram.empty)


@dataclass(frozen=True)
class Picked:
    """N voices in order: parents as rows of the speaker table and weights [N, K], vectors [N, D], and similarities.

    The similarities are `to_parents` [N, K], to the voice's own parents; `to_real` [N], to the nearest of all real
    speakers (`nearest_row`); and `to_earlier` [N], to the nearest voice kept earlier (-inf for the very first).
    """

    slots: tuple[Slot, ...]
    parents: Rows
    weights: Weights
    xvectors: Matrix
    embeddings: Matrix | None
    to_parents: Values
    to_real: Values
    nearest_row: Rows
    to_earlier: Values


@dataclass(frozen=True)
class _Candidates:
    parents: Rows
    weights: Weights
    xvectors: Matrix
    lengths: Weights
    embeddings: Matrix | None
    sound: npt.NDArray[np.bool_]
    queues: dict[int, range]


def select(
    speakers: SpeakerTable, strata: Sequence[Stratum], slots: Sequence[Slot], rule: Rule, tally: DrawCounts
) -> Iterator[Picked]:
    """Fill the slots, block by block. Where a stratum is exhausted, UserError says how many voices were found."""
    search = _Search(speakers, strata, rule, tally, len(slots))
    while search.filled < len(slots):
        picked = search.fill(slots[search.filled : search.filled + BLOCK])
        if picked.slots:
            yield picked
        if (dry := search.dry) is not None:
            raise UserError(_dry(dry, slots[: search.filled], rule, tally))


class _Search:
    """The state of the streams: each stratum's next candidate (`_position`) and its drops in a row (`_streak`)."""

    def __init__(
        self, speakers: SpeakerTable, strata: Sequence[Stratum], rule: Rule, tally: DrawCounts, capacity: int
    ) -> None:
        self._speakers, self._strata, self._rule, self._tally = speakers, strata, rule, tally
        self._kept = Blends(capacity, rule.parents)
        self._position: Counter[int] = Counter()
        self._streak: Counter[int] = Counter()

    @property
    def filled(self) -> int:
        return len(self._kept)

    @property
    def dry(self) -> Stratum | None:
        return next((self._strata[i] for i, drops in self._streak.items() if drops >= self._rule.patience), None)

    def fill(self, ahead: Sequence[Slot]) -> Picked:
        """Fill the slots in order until a stratum has no candidate left; that may be none of them, or all."""
        candidates = self._draw(Counter(slot.stratum for slot in ahead))
        similarities: Values = self._speakers.xvectors @ candidates.xvectors.T
        chosen, to_earlier = self._resolve(ahead, candidates, similarities)
        picked = _picked(ahead[: len(chosen)], candidates, chosen, similarities, to_earlier)
        self._kept.add(picked.parents, picked.weights, candidates.lengths[chosen])
        return picked

    def _draw(self, needs: Counter[int]) -> _Candidates:
        """Draw the next candidates of each stratum, more of them where many were dropped in a row."""
        rule, queues = self._rule, dict[int, range]()
        parents: list[Rows] = []
        weights: list[Weights] = []
        for index, need in sorted(needs.items()):
            stratum, count = self._strata[index], min(BLOCK, max(need, _FEWEST, 2 * self._streak[index]))
            stream = f"blend/{stratum.language}/{stratum.gender}"
            draws = uniforms(rule.seed, stream, self._position[index], count, 2 * rule.parents - 1)
            begin = sum(len(rows) for rows in parents)
            queues[index] = range(begin, begin + count)
            parents.append(pick_parents(stratum, draws[:, : rule.parents]))
            weights.append(draw_weights(draws[:, rule.parents :], *rule.weights))
        return _blend(self._speakers, np.concatenate(parents), np.concatenate(weights), queues)

    def _resolve(
        self, ahead: Sequence[Slot], candidates: _Candidates, similarities: Values
    ) -> tuple[list[int], list[float]]:
        """Choose the candidates that fill the next slots.

        Returns them with the similarity of each to its nearest earlier voice.
        """
        to_real = similarities.max(axis=0)
        to_kept = self._kept.nearest(similarities)
        among = candidates.xvectors @ candidates.xvectors.T
        queues = {index: iter(queue) for index, queue in candidates.queues.items()}
        chosen: list[int] = []
        to_earlier: list[float] = []
        for slot in ahead:
            candidate = self._next(slot.stratum, queues[slot.stratum], candidates.sound, to_real, to_kept)
            if candidate is None:
                break
            chosen.append(candidate)
            to_earlier.append(float(to_kept[candidate]))
            np.maximum(to_kept, among[candidate], out=to_kept)
        return chosen, to_earlier

    def _next(
        self, stratum: int, queue: Iterator[int], sound: npt.NDArray[np.bool_], to_real: Values, to_kept: Values
    ) -> int | None:
        """Return the stratum's next candidate that passes; None where the queue or the patience is at its end."""
        tally = self._tally
        for candidate in queue:
            self._position[stratum] += 1
            tally.drawn += 1
            tally.nearest_real.add(to_real[candidate])
            drop = _drop(bool(sound[candidate]), float(to_real[candidate]), float(to_kept[candidate]), self._rule)
            if drop is None:
                self._streak[stratum] = 0
                tally.kept += 1
                return candidate
            tally.dropped[drop] += 1
            self._streak[stratum] += 1
            if self._streak[stratum] >= self._rule.patience:
                return None
        return None


def _blend(speakers: SpeakerTable, parents: Rows, weights: Weights, queues: dict[int, range]) -> _Candidates:
    xvectors, lengths = blend_vectors(speakers.xvectors, parents, weights)
    sound = lengths >= _SHORTEST
    embeddings = None
    if blended := blend_embeddings(speakers, parents, weights):
        embeddings, of_embeddings = blended
        sound &= of_embeddings >= _SHORTEST
    return _Candidates(parents, weights, xvectors, lengths, embeddings, sound, queues)


def _drop(sound: bool, to_real: float, to_kept: float, rule: Rule) -> Drop | None:
    if not sound:
        return Drop.CANCELLED
    if to_real >= rule.leak_limit:
        return Drop.NEAR_REAL
    return Drop.TWIN if to_kept >= rule.twin_limit else None


def _picked(
    slots: Sequence[Slot], candidates: _Candidates, chosen: list[int], similarities: Values, to_earlier: list[float]
) -> Picked:
    parents = candidates.parents[chosen]
    return Picked(
        slots=tuple(slots),
        parents=parents,
        weights=candidates.weights[chosen],
        xvectors=candidates.xvectors[chosen],
        embeddings=None if candidates.embeddings is None else candidates.embeddings[chosen],
        to_parents=similarities[parents, np.array(chosen, np.int64)[:, None]],
        to_real=similarities[:, chosen].max(axis=0),
        nearest_row=similarities[:, chosen].argmax(axis=0),
        to_earlier=np.array(to_earlier, np.float32),
    )


def _dry(stratum: Stratum, filled: Sequence[Slot], rule: Rule, tally: DrawCounts) -> str:
    users = sum(not slot.agent for slot in filled)
    causes = ", ".join(f"{tally.dropped[drop]:,} {drop.value}" for drop in Drop if tally.dropped[drop])
    return (
        f"the bank gives {users:,} distinct voices at these limits (leak {rule.leak_limit:g}, twin "
        f"{rule.twin_limit:g}); after those, {rule.patience:,} draws of {stratum.name} in a row were dropped. Of "
        f"{tally.drawn:,} drawn: {causes}; similarity to the nearest real speaker: "
        f"median {tally.nearest_real.quantile(0.5):.3f}. Use more speakers, more parents or higher limits"
    )
