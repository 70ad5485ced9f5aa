"""Words of a turn in frames of its speech tokens, for sequences that change from text to speech at the border of a
word."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from manifests.audio_fields import WordTimes

NO_WORD_TIMES = "a turn has no complete word times"

_ENDS = tuple(".!?…。！？")
_CLOSERS = "\"'”’」』）)"


@dataclass(frozen=True, slots=True)
class TimedWords:
    """Holds the words of a text, each with the blanks before it, and the moment in seconds that each begins at.

    The words one behind the other are the text.
    """

    words: tuple[str, ...]
    starts: tuple[Fraction, ...]

    def frames(self, frame_s: Fraction, num_frames: int) -> tuple[int, ...]:
        """Return the frame that each word begins in, and the end: [words + 1], from 0 to `num_frames`.

        What is heard before the first word belongs to it, and a pause to the word before it.
        """
        borders = [0]
        for start in self.starts[1:]:
            nearest = int(start / frame_s + Fraction(1, 2))
            borders.append(max(borders[-1], min(nearest, num_frames)))
        return (*borders, num_frames)

    def text(self, first: int, end: int) -> str:
        """Return the text of words `first` to `end` - 1, without blanks around it."""
        return "".join(self.words[first:end]).strip()

    def sentences(self) -> tuple[tuple[int, int], ...]:
        """Return the sentences as ranges of words: one ends behind a word with an end mark."""
        ends = [place + 1 for place, word in enumerate(self.words) if word.rstrip().rstrip(_CLOSERS).endswith(_ENDS)]
        borders = sorted({0, *ends, len(self.words)})
        return tuple(pairwise(borders))


def timed_words(text: str, times: WordTimes | None, sample_rate: int) -> TimedWords | None:
    """Return the words that have times, at `sample_rate` Hz, with the parts of the text that they are.

    None: the times are not complete, or are those of another text.
    """
    if times is None or not times.is_complete or not times.words:
        return None
    ends: list[int] = []
    for word in times.words:
        place = text.find(word.text, ends[-1] if ends else 0)
        if place < 0 or not word.text:
            return None
        ends.append(place + len(word.text))
    ends[-1] = len(text)
    words = tuple(text[start:end] for start, end in zip([0, *ends], ends, strict=False))
    starts = [Fraction(word.start_sample, sample_rate) for word in times.words if word.start_sample is not None]
    return TimedWords(words, tuple(starts))


def token_durations(ends: Sequence[Fraction], words: TimedWords, borders: Sequence[int]) -> tuple[int, ...]:
    """Return how many frames each text token stands for; together all of them.

    `ends` are where the tokens end in the text, in characters; `borders` the frames that the words begin in, and the
    end, as `TimedWords.frames` gives them. Within a word, frames are shared by characters [ours].
    """
    starts = [0, *accumulate(map(len, words.words))]
    frames = [_frame_at(end, starts, borders) for end in ends[:-1]]
    return tuple(after - before for before, after in pairwise([0, *frames, borders[-1]])) if ends else ()


def _frame_at(character: Fraction, starts: Sequence[int], borders: Sequence[int]) -> int:
    """Return the frame at a place in the text; `starts` are where the words begin in it, and the end."""
    word = min(bisect_right(starts, character), len(starts) - 1) - 1
    share = (character - starts[word]) / max(1, starts[word + 1] - starts[word])
    return borders[word] + int((borders[word + 1] - borders[word]) * min(share, Fraction(1)))
