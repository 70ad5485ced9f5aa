"""AnyGPT's messages: what a user says as tokens, and an answer that first repeats it as text, then answers as text,
then says the answer, as its authors' instruction data do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARKS = ("<-Ins->", "<-Res->", "<sosp>", "<eosp>", "<eoh>", "<eos>", "<eot>")
"""What no text may hold."""
_TOKEN = re.compile(r"<🗣️(\d+)>")


@dataclass(frozen=True, slots=True)
class AnyGptExchange:
    question: str
    answer: str
    question_codes: tuple[int, ...]
    answer_codes: tuple[int, ...]


def speech_text(codes: Sequence[int]) -> str:
    """Write the codes of SpeechTokenizer's first book."""
    return f"<sosp>{''.join(f'<🗣️{code}>' for code in codes)}<eosp>"


def speech_codes(text: str) -> tuple[int, ...]:
    """Return the codes of such a text; raises ValueError for another one."""
    codes = tuple(int(code) for code in _TOKEN.findall(text))
    if speech_text(codes) != text:
        raise ValueError(f"not AnyGPT's speech tokens: {text[:40]!r}")
    return codes


def messages(exchange: AnyGptExchange, instruction: str) -> tuple[str, str]:
    """Return the user's message and the assistant's."""
    asked = f"{speech_text(exchange.question_codes)} {instruction}"
    return asked, f"<-Ins-> {exchange.question}\n <-Res-> {exchange.answer} {speech_text(exchange.answer_codes)}"


def exchange_of(asked: str, said: str, instruction: str) -> AnyGptExchange:
    """Return the exchange of two messages; the inverse of `messages`. Raises ValueError for others."""
    question, _, rest = said.removeprefix("<-Ins-> ").partition("\n <-Res-> ")
    answer, _, spoken = rest.rpartition(" <sosp>")
    codes = speech_codes(asked.removesuffix(f" {instruction}"))
    exchange = AnyGptExchange(question, answer, codes, speech_codes(f"<sosp>{spoken}"))
    if messages(exchange, instruction) != (asked, said):
        raise ValueError(f"not AnyGPT's messages: {said[:40]!r}")
    return exchange
