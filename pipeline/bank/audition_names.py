"""Names the voices of a bank that an audition writes: `en-f07`, `zh-agent-m`.

The voices of a bank that is extended keep theirs. A name that it has or had is given to no other voice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from voicebank.audition import Judged
from voicebank.prompts import own_name
from voicebank.voice import Voice

Named = tuple[Voice, Judged | None]
"""A voice of the new bank, and its figures; None for one that was not heard."""


def stratum(voice: Voice) -> tuple[str, str]:
    return voice.language, voice.gender


def name_voices(
    judged: Sequence[Judged],
    known: int,
    unheard: Sequence[Voice],
    count: int,
    agents: bool,
    prefixes: Sequence[str],
) -> list[Named]:
    """Return the voices of the new bank, in its order.

    The first `known` of the voices that were judged come first, as they are. With `agents`, an agent of each language
    and gender that has none follows: the clearest voice and, of those, the best. Then come the other voices that stay,
    and those of `unheard`, up to `count` of each language and gender. `prefixes` are cut off from parents' ids.
    """
    old = [one.clip.voice for one in judged[:known]]
    named: list[Named] = [(_cut(one.clip.voice, prefixes), one) for one in judged[:known] if one.drop is None]
    stay = [one for one in judged[known:] if one.drop is None]
    chosen = _agents(stay, {stratum(voice) for voice, _ in named if voice.agent}) if agents else {}
    for (language, gender), one in sorted(chosen.items()):
        named.append((_renamed(one.clip.voice, f"{language}-agent-{gender[0]}", prefixes, agent=True), one))
    places = Counter(stratum(voice) for voice, _ in named if not voice.agent)
    last = Counter({key: _last_number(old, key) for key in map(stratum, old)})
    spoken = {id(one) for one in chosen.values()}
    heard: list[Named] = [(one.clip.voice, one) for one in stay if id(one) not in spoken]
    for voice, figures in (*heard, *((voice, None) for voice in unheard)):
        key = stratum(voice)
        if places[key] < count:
            places[key] += 1
            last[key] += 1
            named.append((_renamed(voice, f"{_stem(key)}{last[key]:02d}", prefixes), figures))
    return named


def _agents(judged: Sequence[Judged], settled: set[tuple[str, str]]) -> dict[tuple[str, str], Judged]:
    """Return the clearest and then best voice of each language and gender that is not `settled`."""
    chosen: dict[tuple[str, str], Judged] = {}
    for one in judged:
        key = stratum(one.clip.voice)
        if key not in settled and (key not in chosen or _worth(one) > _worth(chosen[key])):
            chosen[key] = one
    return chosen


def _worth(one: Judged) -> tuple[float, float]:
    return -(one.clip.error_rate or 0.0), one.clip.quality or 0.0


def _stem(key: tuple[str, str]) -> str:
    language, gender = key
    return f"{language}-{gender[0]}"


def _last_number(voices: Sequence[Voice], key: tuple[str, str]) -> int:
    """Return the highest number of a language and gender's names, 0 where none has one."""
    tails = [voice.voice_id.removeprefix(_stem(key)) for voice in voices if stratum(voice) == key]
    return max((int(tail) for tail in tails if tail.isascii() and tail.isdigit()), default=0)


def _cut(voice: Voice, prefixes: Sequence[str]) -> Voice:
    return replace(voice, parents=tuple(own_name(parent, prefixes) for parent in voice.parents))


def _renamed(voice: Voice, name: str, prefixes: Sequence[str], agent: bool = False) -> Voice:
    return replace(_cut(voice, prefixes), voice_id=name, speaker=name, agent=agent)
