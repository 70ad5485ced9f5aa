"""Marks whole channels piece by piece, and looks for the mark in them: memory does not grow with the dialogue.

A watermarker sees pieces of 30 s, the last one up to 31 s. Pieces of digital silence stay as they are: nothing in them
can hide a mark. The score of a channel is the mean over its other pieces, weighted by their lengths; each bit of its
message is what most of the marked seconds say.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.engines.contract import Clip, Detection, Failure, Samples, Watermarker
from pipeline.engines.watermark._message import message_bits, message_text

PIECE_S = 30.0
SHORTEST_S = 1.0
"""A shorter rest joins the piece before it: detectors are unsure of half a second."""


class _Piece(NamedTuple):
    channel: int
    start: int
    end: int


def mark_channels(engine: Watermarker, channels: Sequence[Clip], message: int) -> list[Clip | Failure]:
    """Mark each channel over its whole length; a `Failure` where one of its pieces cannot be marked."""
    pieces = _pieces(channels)
    marked: list[Samples] = [channel.samples.copy() for channel in channels]
    failed: dict[int, Failure] = {}
    made = engine.embed([_clip(channels, piece) for piece in pieces], [message] * len(pieces)) if pieces else []
    for piece, one in zip(pieces, made, strict=True):
        if isinstance(one, Failure):
            failed.setdefault(piece.channel, one)
        else:
            marked[piece.channel][piece.start : piece.end] = one.samples
    return [failed.get(i) or Clip(marked[i], channel.sample_rate) for i, channel in enumerate(channels)]


def detect_channels(engine: Watermarker, channels: Sequence[Clip]) -> list[Detection | Failure | None]:
    """Look for the mark in each channel; None for one that is digital silence throughout."""
    pieces = _pieces(channels)
    found: list[list[tuple[int, Detection]]] = [[] for _ in channels]
    failed: dict[int, Failure] = {}
    made = engine.detect([_clip(channels, piece) for piece in pieces]) if pieces else []
    for piece, one in zip(pieces, made, strict=True):
        if isinstance(one, Failure):
            failed.setdefault(piece.channel, one)
        else:
            found[piece.channel].append((piece.end - piece.start, one))
    return [failed.get(i) or _together(some, engine.bits) for i, some in enumerate(found)]


def _pieces(channels: Sequence[Clip]) -> list[_Piece]:
    """Return the pieces of all channels that are not digital silence."""
    return [
        piece
        for i, channel in enumerate(channels)
        for piece in _cut(i, len(channel.samples), channel.sample_rate)
        if channel.samples[piece.start : piece.end].any()
    ]


def _cut(channel: int, length: int, sample_rate: int) -> list[_Piece]:
    step = round(PIECE_S * sample_rate)
    count = max(1, -(-length // step))
    if count > 1 and length - (count - 1) * step < SHORTEST_S * sample_rate:
        count -= 1
    return [_Piece(channel, i * step, length if i == count - 1 else (i + 1) * step) for i in range(count)]


def _clip(channels: Sequence[Clip], piece: _Piece) -> Clip:
    channel = channels[piece.channel]
    return Clip(np.ascontiguousarray(channel.samples[piece.start : piece.end]), channel.sample_rate)


def _together(found: Sequence[tuple[int, Detection]], bits: int) -> Detection | None:
    if not found:
        return None
    total = sum(length for length, _ in found)
    score = sum(length * one.score for length, one in found) / total
    told = [(length, int(one.message, 16)) for length, one in found if one.message is not None]
    if not bits or not told:
        return Detection(score)
    votes = sum(length * (2 * np.array(message_bits(message, bits)) - 1) for length, message in told)
    return Detection(score, message_text([int(vote > 0) for vote in np.atleast_1d(votes)]))
