"""Changes one take for the timeline: puts pauses into it, and cuts it where its speaker is interrupted.

The silence that `render` put around the speech stays: the clip is heard, and delivered, by itself as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Dialogue, DryTake, Take, Turn, Word, WordTimes
from manifests.words import words_of
from pipeline.audio.samples import encode, loud_span
from pipeline.engines.contract import Samples

FADE_S = 0.005
"""Seconds in which the sound fades at a cut, so that it does not click; shorter than any speech sound."""


@dataclass(frozen=True, slots=True, eq=False)
class SpokenTake:
    """Holds a take that can be placed. Times are samples from the start of the clip.

    `samples` are float32 [T]; [start, end) is its speech, without the silence around it. `words` is None where there
    are no word times, or none that may be used; single words may still lack theirs. `pauses` are those put in.
    """

    samples: Samples
    sample_rate: int
    start: int
    end: int
    words: tuple[Word, ...] | None
    pauses: tuple[tuple[int, int], ...] = ()
    is_edited: bool = False

    @property
    def num_samples(self) -> int:
        return len(self.samples)

    def word_end(self, number: int) -> int | None:
        """Return where the word ends, or None where that is not known."""
        return self.words[number].end_sample if self.words is not None else None


def dry_of(take: Take) -> DryTake | None:
    """Return the take as `render` left it; None if there is none, or only one that was marked since."""
    if take.dry is not None or take.audio is None or take.watermark is not None:
        return take.dry
    return DryTake(take.audio, take.word_times)


def open_take(turn: Turn, dry: DryTake, dialogue: Dialogue) -> SpokenTake:
    """Decode a take. A clip without any sound counts as speech throughout."""
    samples, sample_rate = decode(dry.audio)
    start, end = loud_span(samples)
    start, end = (start, end) if end else (0, len(samples))
    return SpokenTake(samples, sample_rate, start, end, _usable_words(turn, dry.word_times, dialogue))


def _usable_words(turn: Turn, times: WordTimes | None, dialogue: Dialogue) -> tuple[Word, ...] | None:
    """Return the words if they may be used, and are those that cues and labels count."""
    if times is None or times.problem is not None:
        return None
    number = len(words_of(turn.whole_text or "", dialogue.language))
    return times.words if len(times.words) == number else None


def with_pause(take: SpokenTake, word: int, num_samples: int) -> SpokenTake:
    """Put silence behind the word, whose end is known; the times of all that follows move."""
    place = take.word_end(word)
    if place is None or num_samples <= 0:
        return take
    before, after = _faded(take.samples[:place], take.sample_rate), take.samples[place:]
    silence = np.zeros(num_samples, np.float32)
    after = _faded(after[::-1], take.sample_rate)[::-1]
    words = tuple(_moved(each, num_samples) if number > word else each for number, each in enumerate(take.words or ()))
    return replace(
        take,
        samples=np.concatenate([before, silence, after]),
        end=take.end + num_samples,
        words=words,
        pauses=(*take.pauses, (place, place + num_samples)),
        is_edited=True,
    )


def cut_behind(take: SpokenTake, word: int) -> SpokenTake:
    """End the take behind the word, whose end is known, and leave as much silence behind it as there was."""
    place = take.word_end(word)
    if place is None:
        return take
    edge = np.zeros(take.num_samples - take.end, np.float32)
    return replace(
        take,
        samples=np.concatenate([_faded(take.samples[:place], take.sample_rate), edge]),
        end=place,
        words=(take.words or ())[: word + 1],
        pauses=tuple(pause for pause in take.pauses if pause[1] <= place),
        is_edited=True,
    )


def put_take(turn: Turn, dry: DryTake, spoken: SpokenTake) -> Turn:
    """Put the changed clip into the turn's take, which has one; nobody has marked or heard it yet."""
    if turn.take is None:
        return turn
    times = dry.word_times
    if times is not None and spoken.words is not None:
        times = replace(times, words=spoken.words)
    take = replace(
        turn.take,
        audio=encode(spoken.samples, spoken.sample_rate, "wav") if spoken.is_edited else dry.audio,
        word_times=times,
        dry=dry,
        watermark=None,
        hearing=None,
        hearings=(),
    )
    return replace(turn, take=take)


def take_without_place(take: Take, dry: DryTake) -> Take:
    """Return the take as render left it, with the reason why it is not heard."""
    return replace(
        take,
        audio=dry.audio,
        word_times=dry.word_times,
        dry=dry,
        watermark=None,
        hearing=None,
        hearings=(),
        reason=Reason.NOT_PLACED.value,
    )


def split_text(turn: Turn, language: str, last_word: int) -> Turn:
    """Divide what the turn was to say into the text up to that word, and what is not said."""
    whole = turn.whole_text or ""
    end = words_of(whole, language)[last_word].end
    return replace(turn, text=whole[:end], unsaid=whole[end:] or None)


def _moved(word: Word, by: int) -> Word:
    if word.start_sample is None or word.end_sample is None:
        return word
    return replace(word, start_sample=word.start_sample + by, end_sample=word.end_sample + by)


def _faded(samples: Samples, sample_rate: int) -> Samples:
    """Return a copy whose end fades out."""
    length = min(round(FADE_S * sample_rate), len(samples))
    faded = samples.copy()
    if length:
        faded[-length:] *= np.linspace(1, 0, length, dtype=np.float32)
    return faded


def known_words(take: SpokenTake) -> Sequence[int]:
    """Return the numbers of the words whose end is known."""
    return [number for number, word in enumerate(take.words or ()) if word.end_sample is not None]
