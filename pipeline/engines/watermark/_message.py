"""Watermark messages as bits and as text, marks added to clips, and audio of several channels.

A corpus is identified by the first bits of its recipe's digest, most significant first: 16 bits of `a3f1...` are the
message 0xa3f1, the text "a3f1". A message is neither a secret nor a proof of origin. It tells corpora apart: two of
them share 16 bits by chance once in 65 536 pairs.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure, Samples, Watermarker


def message_of(recipe_digest: str | None, bits: int) -> int:
    """Return the message of rows made by a recipe; 0 where the row names no recipe or the method carries no bits.

    Raises ValueError for a digest that is not hexadecimal or is shorter than `bits`.
    """
    if recipe_digest is None or bits == 0:
        return 0
    spare = 4 * len(recipe_digest) - bits
    if spare < 0:
        raise ValueError(f"a digest of {len(recipe_digest)} hexadecimal digits does not hold {bits} bits")
    return int(recipe_digest, 16) >> spare


def message_bits(message: int, bits: int) -> tuple[int, ...]:
    """Split a message into its bits, 0 or 1, most significant first. Raises ValueError where it does not fit."""
    if not 0 <= message < 1 << bits:
        raise ValueError(f"the message {message} does not fit into {bits} bits")
    return tuple(message >> place & 1 for place in range(bits - 1, -1, -1))


def message_text(bits: Sequence[int]) -> str:
    """Write bits, most significant first, as hexadecimal digits; leading zeros stay."""
    return f"{int(''.join(map(str, bits)), 2):0{-(-len(bits) // 4)}x}"


def bit_errors(found: str | None, message: int, bits: int) -> int:
    """Count the bits of a message that differ from those found, a `message_text`; all bits where none was found."""
    return bits if found is None else (int(found, 16) ^ message).bit_count()


def add_mark(clip: Clip, mark: Samples, mark_rate: int) -> Clip:
    """Add a mark that was made at another rate to a clip; the result has the clip's length, cut off at -1 and 1.

    Only the mark is resampled, so the clip keeps its bandwidth. Resampling there and back may be one sample off: a
    missing last sample of the mark is 0, which leaves the clip's own sample unmarked.
    """
    length = len(clip.samples)
    fitting = resample(mark, mark_rate, clip.sample_rate)[:length]
    fitting = np.pad(fitting, (0, length - len(fitting)))
    return Clip(np.clip(clip.samples + fitting, -1, 1).astype(np.float32), clip.sample_rate)


def embed_channels(engine: Watermarker, samples: Samples, sample_rate: int, message: int) -> Samples | Failure:
    """Mark each channel of audio, float32 [C, T]; a `Failure` where a channel cannot carry the mark.

    Every channel is marked on its own, so that it can be identified when it is taken out. Mixing, noise and gain must
    come before: channels that are summed afterwards weaken each other's marks.
    """
    clips = [Clip(np.ascontiguousarray(channel), sample_rate) for channel in samples]
    marked: list[Samples] = []
    for result in engine.embed(clips, [message] * len(clips)):
        if isinstance(result, Failure):
            return result
        marked.append(result.samples)
    return np.stack(marked)
