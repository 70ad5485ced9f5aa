"""Tests a bank of virtual voices again from its files alone: nothing that the blender recorded is taken on trust."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from manifests.errors import CorpusError
from manifests.meanings import Meaningful
from manifests.storage import Place
from voicebank.balance import find_strata
from voicebank.blend import slots_of
from voicebank.blend_card import METHOD, reference
from voicebank.blend_options import BlendOptions
from voicebank.card import read_card
from voicebank.leak import TOLERANCE, Values, nearest, nearest_earlier, quantiles
from voicebank.speaker_table import Matrix, Rows, SpeakerTable, blend_embeddings, blend_vectors, load_speaker_table
from voicebank.tables import iter_voices
from voicebank.voice import ANY_LANGUAGE, Gender, Voice


class BankProblem(Meaningful):
    """What can be wrong with a bank of voices."""

    OTHER_SPEAKERS = "other_speakers", "the voices were blended from other speakers than these"
    OTHER_METHOD = "other_method", "the voices were made by another method than this version's"
    REPEATED_ID = "repeated_id", "a voice_id appears twice"
    UNKNOWN_PARENT = "unknown_parent", "a parent is not among the speakers, or appears twice"
    MIXED_PARENTS = "mixed_parents", "parents of different gender, language or rate bucket, or not those of the voice"
    WEIGHTS = "weights", "weights outside the card's range, or not adding up to 1"
    NOT_AN_AVERAGE = "not_an_average", "a vector is not the weighted average of the parents' vectors"
    NEAR_REAL = "near_real", "as similar to a real speaker as the leak limit, or more"
    TWIN = "twin", "as similar to another voice as the twin limit, or more"
    BALANCE = "balance", "numbers by language and gender are not those that the card's options give"


@dataclass
class CheckReport:
    """The first problems of each kind in words, the number of each kind, and the figures of leak.json."""

    voices: int = 0
    problems: list[str] = field(default_factory=list)
    counts: Counter[BankProblem] = field(default_factory=Counter)
    leak: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.counts

    def add(self, problem: BankProblem, subject: str, detail: str = "") -> None:
        self.counts[problem] += 1
        if self.counts[problem] <= _SHOWN:
            self.problems.append(f"{problem.value}: {subject}{': ' + detail if detail else ''}")


@dataclass(frozen=True)
class CardClaims:
    """What the bank's card states about it, as far as the checks need it."""

    digest: str
    method: str
    weights: tuple[float, float]
    leak_limit: float
    twin_limit: float
    options: BlendOptions
    left_out: Counter[tuple[str, Gender]] = field(default_factory=Counter)
    """Voices by language and gender that got no clip when the others did (`voicebank.prompts`)."""


_SHOWN = 5


def check_bank(bank: Place, real: Place, sample: int | None = None) -> CheckReport:
    """Test every voice against all speakers of `real`, and all voices against each other.

    With `sample`, twins are looked for among that many voices only, spread evenly over the file; all other tests cover
    every voice.
    CorpusError where files are damaged or have no x-vectors, or where the card is not one of virtual voices.
    """
    claims, speakers, report = claims_of(read_card(bank)), load_speaker_table(real), CheckReport()
    if claims.digest != speakers.digest:
        report.add(BankProblem.OTHER_SPEAKERS, real.name)
    if claims.method != METHOD:
        report.add(BankProblem.OTHER_METHOD, claims.method)
    rows = {speaker_id: row for row, speaker_id in enumerate(speakers.ids)}
    ids, xvectors, users = [], [], Counter[tuple[str, Gender]]()
    to_real: list[Values] = []
    to_parents: list[Values] = []
    for voices, matrix in iter_voices(bank, xvectors=True):
        if matrix is None:
            raise CorpusError(f"{bank.name}: the voices have no x-vectors")
        if matrix.shape[1] != speakers.xvectors.shape[1]:
            raise CorpusError(
                f"{bank.name}: x-vectors of {matrix.shape[1]} numbers, {speakers.xvectors.shape[1]} in {real.name}"
            )
        ids += [voice.voice_id for voice in voices]
        xvectors.append(matrix)
        users.update((_parents_language(v, speakers, rows), v.gender) for v in voices)
        to_parents.append(_check_parents(voices, matrix, speakers, rows, claims, report))
        to_real.append(_check_real(voices, matrix, speakers, claims, report))
    report.voices = len(ids)
    for voice_id, times in Counter(ids).items():
        if times > 1:
            report.add(BankProblem.REPEATED_ID, voice_id, f"{times} times")
    to_earlier = _check_twins(ids, np.concatenate(xvectors), claims, report, sample)
    _check_balance(users + claims.left_out, speakers, claims, report)
    report.leak = {
        "limits": {"leak": claims.leak_limit, "twin": claims.twin_limit},
        "nearest_real": quantiles(np.concatenate(to_real)),
        "own_parents": quantiles(np.concatenate(to_parents)),
        "nearest_voice" if sample else "nearest_earlier_voice": quantiles(to_earlier),
        "reference": reference(speakers),
    }
    return report


def claims_of(card: Mapping[str, Any]) -> CardClaims:
    """Read the claims of a card. CorpusError where it lacks an entry that a card of virtual voices has."""
    try:
        low, high = map(float, card["weights"])
        options = BlendOptions(
            count=int(card["count"]),
            parents=int(card["parents_per_voice"]),
            weights=(low, high),
            agents=int(card["counts"]["agents"]),
            languages=card["language_shares"],
            balance=card["balance"],
        )
        limits = card["limits"]
        digest, method = str(card["parents"]["digest"]), str(card["method"])
        left_out = Counter({(line[0], line[1]): int(line[2]) for line in card.get("prompts", {}).get("left_out", [])})
        leak, twin = float(limits["leak"]), float(limits["twin"])
        return CardClaims(digest, method, (low, high), leak, twin, options, left_out)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CorpusError(f"the card of {card.get('name')!r} is not one of virtual voices: {error!r}") from error


def _check_parents(
    voices: Sequence[Voice],
    xvectors: Matrix,
    speakers: SpeakerTable,
    rows: Mapping[str, int],
    claims: CardClaims,
    report: CheckReport,
) -> Values:
    """Check parents, weights and vectors of some voices.

    Returns the similarities to their own parents of the voices whose parents are known.
    """
    known = []
    for index, voice in enumerate(voices):
        if _parents_known(voice, rows, report):
            known.append(index)
            _check_kin(voice, speakers, [rows[parent] for parent in voice.parents], report)
        low, high = claims.weights
        inside = all(low - TOLERANCE <= weight <= high + TOLERANCE for weight in voice.weights)
        if not inside or not math.isclose(sum(voice.weights), 1, abs_tol=TOLERANCE):
            report.add(BankProblem.WEIGHTS, voice.voice_id, ", ".join(f"{weight:g}" for weight in voice.weights))
    found = [np.zeros(0, np.float32)]
    for number in sorted({len(voices[index].parents) for index in known}):
        of_number = [index for index in known if len(voices[index].parents) == number]
        parents = np.array([[rows[parent] for parent in voices[index].parents] for index in of_number])
        found.append(
            _check_averages([voices[index] for index in of_number], xvectors[of_number], parents, speakers, report)
        )
    return np.concatenate(found)


def _parents_known(voice: Voice, rows: Mapping[str, int], report: CheckReport) -> bool:
    strangers = [parent for parent in voice.parents if parent not in rows]
    if strangers or len(set(voice.parents)) < max(2, len(voice.parents)):
        report.add(BankProblem.UNKNOWN_PARENT, voice.voice_id, ", ".join(strangers or voice.parents) or "none")
        return False
    return True


def _check_kin(voice: Voice, speakers: SpeakerTable, parents: Sequence[int], report: CheckReport) -> None:
    kin = {(speakers.languages[row], speakers.genders[row], int(speakers.buckets[row])) for row in parents}
    language, gender, bucket = (
        speakers.languages[parents[0]],
        speakers.genders[parents[0]],
        int(speakers.buckets[parents[0]]),
    )
    same = voice.language == language or (voice.agent and voice.language == ANY_LANGUAGE)
    if len(kin) > 1 or not same or (voice.gender, voice.ms_per_character) != (gender, bucket):
        report.add(
            BankProblem.MIXED_PARENTS, voice.voice_id, "; ".join(f"{la} {g} {b} ms" for la, g, b in sorted(kin))
        )


def _check_averages(
    voices: Sequence[Voice], xvectors: Matrix, parents: Rows, speakers: SpeakerTable, report: CheckReport
) -> Values:
    """Check that vectors [N, D] are what parents [N, K] and weights give.

    Returns the similarities to the parents, [N * K].
    """
    weights = np.array([voice.weights for voice in voices])
    wrong = [("x-vector", index) for index in _unlike(xvectors, blend_vectors(speakers.xvectors, parents, weights)[0])]
    if blended := blend_embeddings(speakers, parents, weights):
        made, _ = blended
        stored = [voice.embedding for voice in voices]
        fitting = [
            s if s is not None and s.shape == m.shape else np.full_like(m, 2)
            for s, m in zip(stored, made, strict=True)
        ]
        wrong += [("embedding", index) for index in _unlike(np.stack(fitting), made)]
    else:
        wrong += [("embedding", index) for index, voice in enumerate(voices) if voice.embedding is not None]
    for name, index in wrong:
        report.add(BankProblem.NOT_AN_AVERAGE, voices[index].voice_id, name)
    similarities: Values = np.einsum("nkd,nd->nk", speakers.xvectors[parents], xvectors).ravel()
    return similarities


def _unlike(stored: Matrix, made: Matrix) -> list[int]:
    return [int(row) for row in np.flatnonzero(np.abs(stored - made).max(axis=1) > TOLERANCE)]


def _check_real(
    voices: Sequence[Voice], xvectors: Matrix, speakers: SpeakerTable, claims: CardClaims, report: CheckReport
) -> Values:
    values, where = nearest(xvectors, speakers.xvectors)
    for index, voice in enumerate(voices):
        if values[index] >= claims.leak_limit + TOLERANCE:
            report.add(BankProblem.NEAR_REAL, voice.voice_id, f"{values[index]:.4f} to {speakers.ids[where[index]]}")
    return values


def _check_twins(
    ids: Sequence[str], xvectors: Matrix, claims: CardClaims, report: CheckReport, sample: int | None
) -> Values:
    if sample is None:
        values, where = nearest_earlier(xvectors)
        rows = np.arange(len(ids))
    else:
        rows = np.unique(np.linspace(0, len(ids) - 1, min(sample, len(ids))).astype(np.int64))
        values, where = _nearest_other(xvectors, rows)
    for index in np.flatnonzero(values >= claims.twin_limit + TOLERANCE):
        report.add(BankProblem.TWIN, ids[rows[index]], f"{values[index]:.4f} to {ids[where[index]]}")
    return values


def _nearest_other(xvectors: Matrix, rows: Any) -> tuple[Values, Any]:
    """Find the nearest other voice of some voices, whether it comes earlier or later in the file."""
    values = np.full(len(rows), -np.inf, np.float32)
    where = np.full(len(rows), -1, np.int64)
    for index, row in enumerate(rows):
        products = xvectors @ xvectors[row]
        products[row] = -np.inf
        where[index] = products.argmax()
        values[index] = products[where[index]]
    return values, where


def _parents_language(voice: Voice, speakers: SpeakerTable, rows: Mapping[str, int]) -> str:
    """Return the language that counts for the balance: that of the parents, since agents speak any language."""
    return speakers.languages[rows[voice.parents[0]]] if voice.parents and voice.parents[0] in rows else voice.language


def _check_balance(
    found: Counter[tuple[str, Gender]], speakers: SpeakerTable, claims: CardClaims, report: CheckReport
) -> None:
    strata = find_strata(speakers, claims.options.parents)
    slots = slots_of(speakers, claims.options)
    planned = Counter((strata[slot.stratum].language, strata[slot.stratum].gender) for slot in slots)
    for key in sorted(planned.keys() | found.keys()):
        if planned[key] != found[key]:
            report.add(BankProblem.BALANCE, " ".join(key), f"{found[key]} voices, {planned[key]} by the card")
