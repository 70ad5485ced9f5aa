"""What watermarkers share: the message of a corpus as bits and as text, adding a mark to a clip, and channels.

A corpus is told apart by the first bits of its recipe's digest, most significant first: 16 bits of `a3f1...` are the
message 0xa3f1, the text "a3f1". A message is no secret and no proof of origin. It tells corpora apart: two of them
share 16 bits by chance once in 65 536 pairs.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure, Samples, Watermarker


def message_of(recipe_digest: str | None, bits: int) -> int:
    """The message of the rows that a recipe made; 0 where the row names no recipe, or no bits are to be had.

    Raises ValueError for a digest that is not hexadecimal, or is shorter than `bits`.
    """
    if recipe_digest is None or bits == 0:
        return 0
    spare = 4 * len(recipe_digest) - bits
    if spare < 0:
        raise ValueError(f"a digest of {len(recipe_digest)} hexadecimal digits does not hold {bits} bits")
    return int(recipe_digest, 16) >> spare


def message_bits(message: int, bits: int) -> tuple[int, ...]:
    """The message's bits, 0 or 1, most significant first. Raises ValueError where it does not fit."""
    if not 0 <= message < 1 << bits:
        raise ValueError(f"the message {message} does not fit into {bits} bits")
    return tuple(message >> place & 1 for place in range(bits - 1, -1, -1))


def message_text(bits: Sequence[int]) -> str:
    """The bits, most significant first, as hexadecimal digits; leading zeros stay."""
    return f"{int(''.join(map(str, bits)), 2):0{-(-len(bits) // 4)}x}"


def bit_errors(found: str | None, message: int, bits: int) -> int:
    """How many of the message's bits differ from those found, a `message_text`; all of them where none was found."""
    return bits if found is None else (int(found, 16) ^ message).bit_count()


def add_mark(clip: Clip, mark: Samples, mark_rate: int) -> Clip:
    """The clip with a mark that was made at another rate: of the same length, cut off at -1 and 1.

    Only the mark is resampled; the clip keeps its band. Resampling there and back may be one sample off: a missing
    last sample of the mark is 0, which leaves the clip's own sample there, unmarked.
    """
    length = len(clip.samples)
    fitting = resample(mark, mark_rate, clip.sample_rate)[:length]
    fitting = np.pad(fitting, (0, length - len(fitting)))
    return Clip(np.clip(clip.samples + fitting, -1, 1).astype(np.float32), clip.sample_rate)


def embed_channels(engine: Watermarker, samples: Samples, sample_rate: int, message: int) -> Samples | Failure:
    """Audio of several channels, float32 [C, T], with the mark in each of them; a `Failure` where one cannot carry it.

    Each channel is marked for itself, so that any of them proves itself when it is taken out. Mixing, noise and gain
    come before: channels that are summed afterwards weaken each other's marks.
    """
    clips = [Clip(np.ascontiguousarray(channel), sample_rate) for channel in samples]
    marked: list[Samples] = []
    for result in engine.embed(clips, [message] * len(clips)):
        if isinstance(result, Failure):
            return result
        marked.append(result.samples)
    return np.stack(marked)
