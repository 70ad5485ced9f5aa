"""LLaMA-Omni 2: a JSON array, one row for each dialogue, with the clips of both speakers.

The public code reads such a file to answer it: it takes the roles from the places of the turns, wants an odd number of
them, so a dialogue without its last answer, and cuts the user's clips to 30 s. The data of its authors have the last
answer, and for each turn its speech tokens as `unit`. It opens the file in the machine's encoding, so the
file is ASCII.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from manifests.corpus import Corpus
from manifests.export._clips import check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._speech_tokens import S3_V2
from manifests.export._targets import SpeechTarget, TargetSettings, speech_target
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue, Turn

# The code has `<speech>` as a token of its own; `<|` is refused for all tokenizers.
_MARKS = ("<speech>",)

_NOTE = "The turns have no `unit`: target=speech writes speech tokens, where the rows hold some."


@dataclass(frozen=True)
class LlamaOmni2Settings(TargetSettings):
    last_answer: bool = field(
        default=True,
        metadata={"description": "write the last answer of a dialogue; its inference wants dialogues without"},
    )


@dataclass(frozen=True)
class LlamaOmni2Writer(RowsWriter):
    """Writes a row for each dialogue."""

    last_answer: bool
    speech: SpeechTarget
    file: ClassVar[str] = "{split}.json"
    is_ascii: ClassVar[bool] = True

    def problem(self, dialogue: Dialogue) -> str | None:
        return super().problem(dialogue) or self.speech.problem(dialogue)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        conversation: list[Row] = []
        rounds = exchanges(dialogue)
        for each in rounds:
            question = {"from": "human", "text": each.question, "speech": write_clip(each.user_turn)}
            conversation.append(self._with_unit(question, each.user))
            if self.last_answer or each is not rounds[-1]:
                answer = {"from": "gpt", "text": each.answer, "speech": write_clip(each.agent_turn)}
                conversation.append(self._with_unit(answer, each.agent))
        return [{"id": dialogue.dialogue_id, "conversation": conversation}]

    def _with_unit(self, row: Row, turn: Turn) -> Row:
        """Add the turn's tokens; a user's turn may have none."""
        codes = self.speech.codes(turn)
        return {**row, "unit": list(codes[0])} if codes else row

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        return [_NOTE] if splits and self.speech.target == "text" else []


def open_llama_omni2(corpus: Corpus, settings: LlamaOmni2Settings) -> LlamaOmni2Writer:
    check_sample_rate(settings.sample_rate)
    demands = Demands(("user", "agent"), ("user", "agent"), _MARKS, max_s=WHISPER_S)
    return LlamaOmni2Writer(settings, demands, settings.last_answer, speech_target(settings, S3_V2))


EXPORTER = Exporter(
    "llama-omni2",
    "LLaMA-Omni 2: a JSON array, one row for each dialogue, with the clips of both speakers",
    open_llama_omni2,
    LlamaOmni2Settings,
    read_by="LLaMA-Omni2 c8afa90, inference",
)
