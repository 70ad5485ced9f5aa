"""Decides from a few clips which of the things that it was told a server obeyed.

What a server does by itself is the measure: two clips of the same request. Most servers give the same samples twice,
if they are asked for one clip after the other; then a changed field that changes no sample is ignored, and any change
at all obeys. If the clips differ, a change must be larger than what two requests alike, or two seeds, differ by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from pipeline.audio.sound_files import decoded
from pipeline.engines.contract import Clip
from pipeline.obedience.asking import FASTER, ClipName, Question, Thing
from pipeline.obedience.likeness import Distance, detail_distance, duration_s, is_same, voice_distance

LOUDER = 1.2
"""A change counts if it is this many times what chance alone changes. If a server ignores the voice, two clips of one
voice are nearer to each other than all others by chance in one case of 15."""
CLEARLY = 2.0
"""Voices whose spectra are so many times further apart than those of one voice need no encoder. For twelve voices of
flite and festival, mean spectra of two takes of one voice differ by 0.05 to 0.22 dB, of a woman and a man by 1.8 to
2.6 dB, and of a voice and the same with another pitch by 0.4 dB."""
LONGEST = 1 - (1 - 1 / FASTER) / 2
"""A clip at 1.5 times the speed lasts 0.67 of the time; what lasts more than 0.83 has not obeyed."""
NEARER = 0.67
"""A clip is another voice's if it is so many times nearer to the other's recording, for both voices."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Says whether the server obeyed one thing, and what shows it."""

    thing: Thing
    obeyed: bool
    evidence: str


def judge_clips(
    question: Question, clips: Mapping[ClipName, Clip], encoder: Callable[[], Distance | None] = lambda: None
) -> list[Verdict]:
    """Return a verdict for each thing. `encoder` opens a speaker encoder, if there is one; it is called only where the
    spectra do not tell two voices apart clearly."""
    verdicts = []
    if "seed" in clips and "seed" in question.things:
        verdicts.append(_seed(clips))
    if "voice" in clips:
        verdicts.append(_voice(question, clips, encoder))
    for thing in ("language", "style"):
        if thing in clips:
            verdicts.append(_changed(thing, clips))
    if "speed" in clips:
        verdicts.append(_speed(clips))
    return verdicts


def _seed(clips: Mapping[ClipName, Clip]) -> Verdict:
    if is_same(clips["first"], clips["seed"]):
        return Verdict("seed", False, "two seeds give the same samples")
    if is_same(clips["first"], clips["again"]):
        return Verdict("seed", True, "the same seed gives the same samples, another one others")
    same = detail_distance(clips["first"], clips["again"])
    other = detail_distance(clips["first"], clips["seed"])
    evidence = f"clips of one seed differ by {same:.1f} dB, of two seeds by {other:.1f} dB"
    return Verdict("seed", other > 2 * same, evidence)


def _voice(question: Question, clips: Mapping[ClipName, Clip], encoder: Callable[[], Distance | None]) -> Verdict:
    """Two clips of each voice: those of one voice must be nearer to each other than any to one of the other voice."""
    if is_same(clips["first"], clips["voice"]):
        return Verdict("voice", False, "two voices give the same samples")
    distance: Distance = voice_distance
    unit = " dB"
    within, across = _within_and_across(clips, distance)
    if across <= CLEARLY * within and (finer := encoder()) is not None:
        distance, unit = finer, ""
        within, across = _within_and_across(clips, distance)
    evidence = f"clips of one voice differ by {within:.2f}{unit}, of two voices by {across:.2f}{unit}"
    if across <= LOUDER * within:
        return Verdict("voice", False, evidence)
    if _exchanged(question, clips, distance):
        return Verdict("voice", False, "each of two voices is nearer to the recording of the other one")
    return Verdict("voice", True, evidence)


def _within_and_across(clips: Mapping[ClipName, Clip], distance: Distance) -> tuple[float, float]:
    """Return the largest distance of two clips of one voice, and the least of two clips of two voices."""
    one, two = (clips["first"], clips["seed"]), (clips["voice"], clips["voice_seed"])
    within = max(distance(*one), distance(*two), distance(clips["first"], clips["again"]))
    return within, min(distance(a, b) for a, b in product(one, two))


def _exchanged(question: Question, clips: Mapping[ClipName, Clip], distance: Distance) -> bool:
    recordings = [voice.prompt_audio for voice in question.voices[:2]]
    if any(recording is None for recording in recordings):
        return False
    own, other = (decoded(recording) for recording in recordings if recording is not None)
    first, second = clips["first"], clips["voice"]
    return distance(first, other) < NEARER * distance(first, own) and distance(second, own) < NEARER * distance(
        second, other
    )


def _changed(thing: Thing, clips: Mapping[ClipName, Clip]) -> Verdict:
    first, again, changed = clips["first"], clips["again"], clips[thing]
    if is_same(first, changed):
        return Verdict(thing, False, f"another {thing} gives the same samples")
    if is_same(first, again):
        change = detail_distance(first, changed)
        return Verdict(thing, True, f"another {thing} changes the clip by {change:.1f} dB, nothing else changes it")
    chance = max(detail_distance(first, again), detail_distance(first, clips.get("seed", again)))
    change = min(detail_distance(first, changed), detail_distance(again, changed))
    evidence = f"another {thing} changes the clip by {change:.1f} dB, chance by {chance:.1f} dB"
    return Verdict(thing, change > LOUDER * chance, evidence)


def _speed(clips: Mapping[ClipName, Clip]) -> Verdict:
    usual = (duration_s(clips["first"]) + duration_s(clips["again"])) / 2
    share = duration_s(clips["speed"]) / usual if usual else 1.0
    return Verdict("speed", share < LONGEST, f"at speed {FASTER} the clip lasts {share:.2f} of the time")
