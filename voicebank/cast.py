"""Casting: which voice speaks, drawn by a seed from those that the recipe's engines can speak with."""

from collections import defaultdict
from collections.abc import Collection, Set

from voicebank.bank import Bank
from voicebank.voice import Voice


class Casting:
    """A bank made ready for many draws: a draw's time does not grow with the bank.

    `one_agent`: of the agent voices of a language, only the bank's first is ever drawn.
    """

    def __init__(self, bank: Bank, engines: Collection[str], one_agent: bool = False) -> None:
        self._by_id = {voice.voice_id: voice for voice in bank.voices}
        self._pools: dict[tuple[str, bool], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for voice in bank.select(engines=engines):
            if voice.agent and one_agent and (voice.language, True) in self._pools:
                continue
            self._pools[voice.language, voice.agent][voice.gender].append(voice.voice_id)

    def __getitem__(self, voice_id: str) -> Voice:
        return self._by_id[voice_id]

    def draw(self, language: str, agent: bool, seed: int, avoid: Set[str] = frozenset()) -> str | None:
        """A voice_id; None where the bank has no such voice.

        First the gender is drawn, then the voice: genders are balanced however many voices each has. Voices in `avoid`
        are drawn only where no other of that gender is left.
        """
        genders = self._pools.get((language, agent))
        if not genders:
            return None
        gender = sorted(genders)[seed % len(genders)]
        pool = genders[gender]
        if avoid:
            pool = [voice_id for voice_id in pool if voice_id not in avoid] or pool
        return pool[seed // len(genders) % len(pool)]
