"""Casting: chooses the voices that speak, from those that the recipe's engines can speak with.

Users of a corpus are spread by a walk over the bank (`Casting.user_at`): the n-th dialogue of a language takes the
n-th step, so that N dialogues use min(N, bank) voices. Everything else is drawn by a seed (`Casting.draw`). Neither
depends on the order of the bank's voices; only recipes that cast one agent or a pair take the bank's first ones.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Literal

from voicebank.bank import Bank
from voicebank.voice import ANY_LANGUAGE, GENDERS, Gender, Voice

Agents = Literal["all", "one", "pair"]
"""Which agent voices of a language are cast: all of them; the bank's first; or the bank's first of each gender, and
none where one gender lacks a voice."""

Pool = Mapping[Gender, Sequence[str]]
"""The sorted voice ids of each gender that has any."""

_LAPS_KEPT = 8
"""Two genders, with blocks in flight on both sides of a lap's end, twice over."""


class Casting:
    """A bank prepared for many draws. The time of one draw grows neither with the bank nor with the corpus.

    Voices of the language "mul" belong to every language.
    """

    def __init__(self, bank: Bank, engines: Collection[str], agents: Agents = "all") -> None:
        self._by_id = {voice.voice_id: voice for voice in bank.voices}
        self._agents = agents
        self._castable: dict[tuple[str, bool], list[Voice]] = defaultdict(list)
        for voice in bank.select(engines=engines):
            self._castable[voice.language, voice.agent].append(voice)
        self._place = {voice.voice_id: place for place, voice in enumerate(bank.voices)}
        self._pools: dict[tuple[str, bool], Pool] = {}
        self._walks: dict[tuple[str, int], _Walk] = {}

    def __getitem__(self, voice_id: str) -> Voice:
        return self._by_id[voice_id]

    def user_at(self, language: str, ordinal: int, seed: int) -> str | None:
        """Return the user voice of the language's dialogue number `ordinal`, counted from 0.

        Depends on the three arguments and the bank's voices alone. None where the bank has no user voice.
        """
        key = language, seed
        if key not in self._walks:
            self._walks[key] = _Walk(self._pool(language, False), f"{seed}\x1f{language}")
        return self._walks[key].step(ordinal)

    def draw(
        self, language: str, agent: bool, seed: int, avoid: Set[str] = frozenset(), gender: Gender | None = None
    ) -> str | None:
        """Draw a voice_id by the seed; None where the bank has no voice to draw.

        The gender is drawn first, unless `gender` is given and the bank has it, and then the voice, so that genders
        are balanced however many voices each has. Voices in `avoid` are drawn only where the gender has no others.
        """
        pool = self._pool(language, agent)
        genders = [gender] if gender and gender in pool else list(pool)
        voices = pool.get(genders[seed % len(genders)], ()) if genders else ()
        if not voices:
            return None
        first = seed // len(genders) % len(voices)
        tried = (voices[(first + step) % len(voices)] for step in range(min(len(avoid) + 1, len(voices))))
        return next((voice_id for voice_id in tried if voice_id not in avoid), voices[first])

    def genders_of(self, voice_ids: Collection[str]) -> set[Gender]:
        """Genders of the given voices; voices that the bank does not have are skipped."""
        return {self._by_id[voice_id].gender for voice_id in voice_ids if voice_id in self._by_id}

    def _pool(self, language: str, agent: bool) -> Pool:
        key = language, agent
        if key not in self._pools:
            voices = [v for tongue in {language, ANY_LANGUAGE} for v in self._castable.get((tongue, agent), ())]
            if agent and self._agents != "all":
                voices = self._singled_out(voices)
            by_gender = {g: sorted(v.voice_id for v in voices if v.gender == g) for g in GENDERS}
            self._pools[key] = {gender: ids for gender, ids in by_gender.items() if ids}
        return self._pools[key]

    def _singled_out(self, voices: list[Voice]) -> list[Voice]:
        """Return the bank's first voice or, for a pair, its first of each gender; none where a gender is missing."""
        ordered = sorted(voices, key=lambda voice: self._place[voice.voice_id])
        if self._agents == "one":
            return ordered[:1]
        pair = [next((voice for voice in ordered if voice.gender == gender), None) for gender in GENDERS]
        return [voice for voice in pair if voice is not None] if all(pair) else []


class _Walk:
    """An endless walk over a pool's voices.

    Every voice is passed once at first: the genders alternate while both last, then the rest of the larger one
    follows. From then on the genders alternate strictly, and each goes through its own voices lap after lap. Every lap
    has its own order, by a hash of key, lap and voice_id: the order of the bank does not matter, and voices that are
    added to it do not change the order of the others.
    """

    def __init__(self, pool: Pool, key: str) -> None:
        self._pool, self._key = pool, key
        self._genders = sorted(pool, key=lambda gender: _hash(key, gender))
        self._paired = 2 * min((len(pool.get(gender, ())) for gender in GENDERS), default=0)
        self._size = sum(map(len, pool.values()))
        self._laps: dict[tuple[Gender, int], list[str]] = {}

    def step(self, number: int) -> str | None:
        if not self._genders:
            return None
        if number < self._paired:
            return self._voice(self._genders[number % 2], number // 2)
        if number < self._size:
            larger = max(self._genders, key=lambda gender: len(self._pool[gender]))
            return self._voice(larger, number - self._paired // 2)
        turn, which = divmod(number - self._size, len(self._genders))
        gender = self._genders[which]
        return self._voice(gender, len(self._pool[gender]) + turn)  # its first lap is behind it

    def _voice(self, gender: Gender, index: int) -> str:
        """Return the voice that a gender reaches at step `index` of its walk, where each lap passes all its voices."""
        lap, place = divmod(index, len(self._pool[gender]))
        return self._order(gender, lap)[place]

    def _order(self, gender: Gender, lap: int) -> list[str]:
        order = self._laps.get((gender, lap))
        if order is None:
            order = sorted(self._pool[gender], key=lambda voice_id: _hash(self._key, gender, str(lap), voice_id))
            if len(self._laps) >= _LAPS_KEPT:
                self._laps.clear()
            self._laps[gender, lap] = order
        return order


def _hash(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8"), digest_size=16).digest()
