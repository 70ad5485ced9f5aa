"""Dialogues with speech tokens, word times and a timeline, for exports of sequences and of two channels."""

from collections.abc import Sequence
from dataclasses import replace

from manifests.schema import (
    Dialogue,
    Event,
    Role,
    SpeechTokens,
    Timeline,
    Track,
    Turn,
    TurnKind,
    Word,
    WordTimes,
)
from manifests.words import words_of
from parley.testing.corpora import RATE, make_audio, make_kept, make_turn, with_take

HOP = 320
"""Samples of a frame: 50 frames a second at 16 kHz."""


def make_tokens(
    tokenizer: str,
    *books: Sequence[int],
    hop_length: int = HOP,
    sample_rate: int = RATE,
    codebook_size: int = 4096,
) -> SpeechTokens:
    """Make tokens of a tokenizer of that name, taken from audio."""
    ids = tuple(tuple(book) for book in books)
    return SpeechTokens(tokenizer, "made-1", sample_rate, hop_length, codebook_size, ids, "wav2token", "CC0-1.0")


def with_tokens(dialogue: Dialogue, tokenizer: str, first: int = 0, hop_length: int = HOP) -> Dialogue:
    """The dialogue whose takes have tokens of one book: the ids of its first turn count up from `first`, those of the
    next from 100 more, and so on; every second frame repeats the one before."""
    turns = []
    for number, turn in enumerate(dialogue.turns):
        frames = -(-turn.audio.num_samples // hop_length) if turn.audio else 0
        ids = [first + 100 * number + frame // 2 for frame in range(frames)]
        made = make_tokens(tokenizer, ids, hop_length=hop_length)
        turns.append(with_take(turn, tokens=(*_tokens_of(turn), made)) if turn.take else turn)
    return replace(dialogue, turns=tuple(turns))


def with_word_times(dialogue: Dialogue) -> Dialogue:
    """The dialogue whose takes have word times: the words of a turn share its clip evenly."""
    return replace(dialogue, turns=tuple(_timed(turn, dialogue.language) for turn in dialogue.turns))


def make_duplex(
    number: int,
    *spoken: tuple[Role, str, float, float] | tuple[Role, str, float, float, TurnKind],
    tokenizer: str = "s3-v1",
    hop_length: int = HOP,
    seconds: float | None = None,
) -> Dialogue:
    """Make a kept dialogue of (role, text, start, duration in seconds[, kind]), arranged and mixed into two channels.

    The ids of the user's channel count frames from 0, those of the agent's from 2000. The timeline ends with the last
    turn, or has `seconds`.
    """
    turns, events, end = [], [], 0.0
    for place, (role, text, start_s, duration_s, *kind) in enumerate(spoken):
        start, length = round(start_s * RATE), round(duration_s * RATE)
        turn = make_turn(role, text, 10 * number + place, length)
        turns.append(replace(turn, start_sample=start, kind=kind[0] if kind else "turn"))
        events.append(Event(kind[0] if kind else "turn", role, start, start + length, place))
        end = max(end, start_s + duration_s)
    num_samples = round((seconds or end) * RATE)
    frames = -(-num_samples // hop_length)
    roles: tuple[Role, Role] = ("user", "agent")
    tracks = tuple(
        Track(
            role,
            False,
            make_audio(7 * number + 50 * which, num_samples),
            tokens=(make_tokens(tokenizer, range(2000 * which, 2000 * which + frames), hop_length=hop_length),),
        )
        for which, role in enumerate(roles)
    )
    timeline = Timeline("made", RATE, num_samples, tuple(events), (), tracks)
    return replace(make_kept(number), turns=tuple(turns), timeline=timeline)


def _tokens_of(turn: Turn) -> tuple[SpeechTokens, ...]:
    return turn.take.tokens if turn.take else ()


def _timed(turn: Turn, language: str) -> Turn:
    if turn.take is None or turn.audio is None:
        return turn
    words = words_of(turn.text or "", language)
    step = turn.audio.num_samples // max(1, len(words))
    times = tuple(Word(word.text, number * step, (number + 1) * step) for number, word in enumerate(words))
    return with_take(turn, word_times=WordTimes("made 1", "word", times))
