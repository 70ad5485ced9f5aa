"""AnyGPT's rows: JSONL, a row for each dialogue.

`form` "chat" is AnyInstruct's speech part as it was released: texts and clips (metadata.jsonl; there the clips are MP3
files of one tar, here WAV files). "messages" is the instruction data that its training code takes: speech tokens of
SpeechTokenizer's first book, with the texts between its marks.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, exchanges
from manifests.export.contract import Exporter
from manifests.forms.anygpt import MARKS, AnyGptExchange, messages
from manifests.schema import Dialogue, SpeechTokens, Turn

_BOOKS = 8
_INSTRUCTION = "text behind what the user says, by which the model learns to write before it speaks"


@dataclass(frozen=True)
class AnyGptSettings(ClipSettings):
    """The instruction is ours."""

    form: Literal["chat", "messages"] = field(
        default="chat", metadata={"description": "chat: texts and clips; messages: texts and speech tokens"}
    )
    tokenizer: str = field(default="speechtokenizer", metadata={"description": TOKENIZER})
    instruction: str = field(
        default="Please note what the user says, and answer in writing and aloud.",
        metadata={"description": _INSTRUCTION},
    )


@dataclass(frozen=True)
class AnyGptWriter(RowsWriter):
    """Writes a row for each dialogue; `kind` is None where it has clips."""

    kind: TokenKind | None
    instruction: str
    file: ClassVar[str] = "{split}/metadata.jsonl"

    def problem(self, dialogue: Dialogue) -> str | None:
        if problem := super().problem(dialogue):
            return problem
        return self.kind.turn_problem(dialogue) if self.kind else None

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        chat: list[Row] = []
        for each in exchanges(dialogue):
            if self.kind is None:
                question, answer = write_clip(each.user_turn), write_clip(each.agent_turn)
                chat.append({"role": "USER", "message": each.question, "speech": question})
                chat.append({"role": "AnyGPT", "message": each.answer, "speech": answer})
            else:
                codes = (self._codes(each.user), self._codes(each.agent))
                asked, said = messages(AnyGptExchange(each.question, each.answer, *codes), self.instruction)
                chat.append({"role": "user", "message": asked})
                chat.append({"role": "assistant", "message": said})
        return [{"id": dialogue.dialogue_id, "chat": chat}]

    def _codes(self, turn: Turn) -> tuple[int, ...]:
        tokens: SpeechTokens | None = self.kind.of_turn(turn) if self.kind else None
        return tokens.books[0] if tokens else ()


def open_anygpt(corpus: Corpus, settings: AnyGptSettings) -> AnyGptWriter:
    check_sample_rate(settings.sample_rate)
    if any(mark in settings.instruction for mark in MARKS) or not settings.instruction.strip():
        raise UserError("exporter anygpt: instruction is empty, or holds a mark of AnyGPT's")
    kind = open_kind(corpus, "anygpt", settings.tokenizer, _BOOKS) if settings.form == "messages" else None
    clips: tuple[Literal["user", "agent"], ...] = () if kind else ("user", "agent")
    return AnyGptWriter(settings, Demands(("user", "agent"), clips, MARKS), kind, settings.instruction)


EXPORTER = Exporter(
    "anygpt",
    "AnyGPT's rows: AnyInstruct's chats with clips, or messages with the tokens of SpeechTokenizer's first book",
    open_anygpt,
    AnyGptSettings,
)
