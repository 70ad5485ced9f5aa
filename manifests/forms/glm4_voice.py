"""GLM-4-Voice's sequences: audio tokens between marks, and answers in which 13 text tokens and 26 audio tokens take
turns until one kind is used up, after which the rest of the other follows."""

import re
from collections.abc import Sequence

TEXT_RUN, AUDIO_RUN = 13, 26
BEGIN, END = "<|begin_of_audio|>", "<|end_of_audio|>"
_AUDIO = re.compile(r"<\|audio_(\d+)\|>")


def audio_token(code: int) -> str:
    return f"<|audio_{code}|>"


def audio_span(codes: Sequence[int]) -> tuple[str, ...]:
    """Return what a user said, between the marks."""
    return (BEGIN, *map(audio_token, codes), END)


def interleaved(text: Sequence[str], codes: Sequence[int], runs: tuple[int, int] = (TEXT_RUN, AUDIO_RUN)) -> list[str]:
    """Return an answer: `runs` are the numbers of text and of audio tokens that take turns."""
    tokens: list[str] = []
    text_run, audio_run = runs
    rounds = max(-(-len(text) // text_run), -(-len(codes) // audio_run))
    for number in range(rounds):
        tokens += text[number * text_run : (number + 1) * text_run]
        tokens += map(audio_token, codes[number * audio_run : (number + 1) * audio_run])
    return tokens


def separated(tokens: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the text tokens and the audio codes of an answer, or of a span; the inverse of both."""
    found = [_AUDIO.fullmatch(token) for token in tokens]
    text = tuple(
        token for token, match in zip(tokens, found, strict=True) if match is None and token not in (BEGIN, END)
    )
    return text, tuple(int(match[1]) for match in found if match)
