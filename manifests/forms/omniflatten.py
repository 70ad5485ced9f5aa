"""OmniFlatten's flattened streams (arXiv 2410.17799): chunks of the user's speech, the agent's text and the agent's
speech, one behind the other, and the rounds of its half-duplex stage.

The paper gives the order, the chunk sizes and what is filled; the names of its special tokens are not known, so those
here are ours. A token is a string.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

SILENT_TEXT, SILENT_SPEECH = "<|silent_text|>", "<|silent_speech|>"
ASR, TTS = "<|ASR|>", "<|TTS|>"
SOS, EOS, SOT, EOT = "<|SOS|>", "<|EOS|>", "<|SOT|>", "<|EOT|>"
SPECIAL = (ASR, TTS, SOS, EOS, SOT, EOT, SILENT_TEXT, SILENT_SPEECH)

Tokens = tuple[str, ...]
Masked = tuple[Tokens, tuple[bool, ...]]
"""Tokens, and for each whether it is learned."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """Holds how many tokens of each stream a chunk has; `text` is 0 in the form of two streams."""

    speech: int = 10
    text: int = 2

    def __post_init__(self) -> None:
        if self.speech < 1 or self.text < 0:
            raise ValueError(f"a chunk has at least one speech token, not {self.speech} and {self.text} of text")

    @property
    def length(self) -> int:
        return 2 * self.speech + self.text


@dataclass(frozen=True, slots=True)
class Streams:
    """Holds whole chunks of each stream: `user` and `agent` have as many tokens, `text` is empty where a chunk has
    none."""

    user: Tokens
    text: Tokens
    agent: Tokens


@dataclass(frozen=True, slots=True)
class Round:
    """Holds what a user said and what the agent answered, as tokens of speech and of text."""

    user_speech: Tokens
    user_text: Tokens
    agent_text: Tokens
    agent_speech: Tokens


def speech_token(code: int) -> str:
    return f"<|speech_{code}|>"


def speech_code(token: str) -> int:
    """Return the code of a speech token; raises ValueError for another token."""
    return int(token.removeprefix("<|speech_").removesuffix("|>"))


def padded(tokens: Sequence[str], chunk: int, num_chunks: int, fill: str) -> Tokens:
    """Return the tokens with `fill` up to `num_chunks` chunks."""
    return (*tokens, *[fill] * (chunk * num_chunks - len(tokens)))


def released(turns: Sequence[tuple[int, Sequence[str]]], num_chunks: int, chunk: int) -> Tokens | None:
    """Return the text stream: a turn's text is released `chunk` tokens at a time from the chunk that its speech
    starts in, and what is left is silent text.

    `turns` are that chunk and the text of each turn, in order. None: a text does not fit before the next one, or the
    end.
    """
    stream: list[str] = []
    for start, tokens in turns:
        if len(stream) > start * chunk:
            return None
        stream += [SILENT_TEXT] * (start * chunk - len(stream))
        stream += tokens
    if len(stream) > num_chunks * chunk:
        return None
    return padded(stream, chunk, num_chunks, SILENT_TEXT)


def texts_of(stream: Sequence[str]) -> list[Tokens]:
    """Return the texts that were released into a text stream, in order; the inverse of `released`, but for texts with
    no silent text between them."""
    return [tuple(run) for is_silent, run in groupby(stream, SILENT_TEXT.__eq__) if not is_silent]


def flattened(streams: Streams, chunks: Chunks) -> Masked:
    """Return the chunks one behind the other: in each the user's speech, the agent's text, the agent's speech. What
    is the user's is not learned."""
    num_chunks, rest = divmod(len(streams.user), chunks.speech)
    sizes = len(streams.agent), len(streams.text)
    if rest or sizes != (len(streams.user), num_chunks * chunks.text):
        raise ValueError(f"streams of {len(streams.user)}, {sizes[1]} and {sizes[0]} tokens are no chunks of {chunks}")
    tokens: list[str] = []
    for number in range(num_chunks):
        for stream, size in _order(streams, chunks):
            tokens += stream[number * size : (number + 1) * size]
    mask = ([False] * chunks.speech + [True] * (chunks.text + chunks.speech)) * num_chunks
    return tuple(tokens), tuple(mask)


def streams_of(tokens: Sequence[str], chunks: Chunks) -> Streams:
    """Return the streams of which these are the chunks; the inverse of `flattened`."""
    if len(tokens) % chunks.length:
        raise ValueError(f"{len(tokens)} tokens are no chunks of {chunks.length}")
    user: list[str] = []
    text: list[str] = []
    agent: list[str] = []
    for start in range(0, len(tokens), chunks.length):
        place = start
        for stream, size in ((user, chunks.speech), (text, chunks.text), (agent, chunks.speech)):
            stream += tokens[place : place + size]
            place += size
    return Streams(tuple(user), tuple(text), tuple(agent))


def _order(streams: Streams, chunks: Chunks) -> Iterator[tuple[Tokens, int]]:
    yield streams.user, chunks.speech
    yield streams.text, chunks.text
    yield streams.agent, chunks.speech


def rounds_flattened(rounds: Sequence[Round]) -> Masked:
    """Return the four streams of the half-duplex stage, round by round: the user's speech and text, the agent's text
    and speech, each between its marks. What is the user's is not learned."""
    tokens: list[str] = []
    mask: list[bool] = []
    for each in rounds:
        given = (SOS, *each.user_speech, EOS, SOT, *each.user_text, EOT)
        learned = (SOT, *each.agent_text, EOT, SOS, *each.agent_speech, EOS)
        tokens += (*given, *learned)
        mask += [False] * len(given) + [True] * len(learned)
    return tuple(tokens), tuple(mask)


def rounds_of(tokens: Sequence[str]) -> list[Round]:
    """Return the rounds of such tokens; the inverse of `rounds_flattened`. Raises ValueError for other tokens."""
    spans = _spans(tokens)
    kinds = [kind for kind, _ in spans]
    if len(spans) % 4 or kinds != [SOS, SOT, SOT, SOS] * (len(spans) // 4):
        raise ValueError("not rounds of the user's speech and text, and the agent's text and speech")
    parts = [part for _, part in spans]
    return [Round(*parts[place : place + 4]) for place in range(0, len(parts), 4)]


def asr_sample(speech: Sequence[str], text: Sequence[str]) -> Masked:
    """Return a sample of the alignment stage that recognizes; the text is learned."""
    return _sample((ASR, SOS, *speech, EOS), (SOT, *text, EOT))


def tts_sample(text: Sequence[str], speech: Sequence[str]) -> Masked:
    """Return a sample of the alignment stage that speaks; the speech is learned."""
    return _sample((TTS, SOT, *text, EOT), (SOS, *speech, EOS))


def sample_parts(tokens: Sequence[str]) -> tuple[Tokens, Tokens]:
    """Return the speech and the text of a sample of the alignment stage, whichever it is."""
    parts = dict(_spans(tokens[1:]))
    return parts[SOS], parts[SOT]


def _sample(given: Tokens, learned: Tokens) -> Masked:
    return (*given, *learned), (False,) * len(given) + (True,) * len(learned)


def _spans(tokens: Sequence[str]) -> list[tuple[str, Tokens]]:
    """Return what is between the marks, with the mark before it."""
    spans: list[tuple[str, Tokens]] = []
    place, ends = 0, {SOS: EOS, SOT: EOT}
    while place < len(tokens):
        mark = tokens[place]
        if mark not in ends:
            raise ValueError(f"{mark} begins no span")
        end = tokens.index(ends[mark], place)
        spans.append((mark, tuple(tokens[place + 1 : end])))
        place = end + 1
    return spans
