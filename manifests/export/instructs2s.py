"""InstructS2S-200K's array with speech tokens, as its authors released it: a row for each dialogue, a turn with its
text, its clip and its `unit`.

The release has CosyVoice 2's tokens; the paper of LLaMA-Omni has HuBERT's, without repeats. Merged units come with
`unit_counts`, by which they can be had back. The repositories of LLaMA-Omni and LLaMA-Omni 2 have no class that reads
this for training.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from manifests.corpus import Corpus
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, exchanges
from manifests.export.contract import Exporter
from manifests.forms.units import merged
from manifests.schema import Dialogue, Role, Turn


@dataclass(frozen=True)
class InstructS2SSettings(ClipSettings):
    tokenizer: str = field(default="s3-v2", metadata={"description": TOKENIZER})
    unit: Literal["raw", "merged"] = field(
        default="raw", metadata={"description": "raw: an id for each frame; merged: without repeats, and their counts"}
    )
    units_of: Literal["both", "agent"] = field(default="both", metadata={"description": "whose turns have units"})


@dataclass(frozen=True)
class InstructS2SWriter(RowsWriter):
    kind: TokenKind
    is_merged: bool
    roles: tuple[Role, ...]
    file: ClassVar[str] = "{split}.json"

    def problem(self, dialogue: Dialogue) -> str | None:
        return super().problem(dialogue) or self.kind.turn_problem(dialogue, self.roles)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        conversation: list[Row] = []
        for each in exchanges(dialogue):
            conversation.append(self._said("human", each.user, write_clip(each.user_turn)))
            conversation.append(self._said("gpt", each.agent, write_clip(each.agent_turn)))
        return [{"id": dialogue.dialogue_id, "conversation": conversation}]

    def _said(self, speaker: str, turn: Turn, path: str) -> Row:
        row: Row = {"from": speaker, "text": turn.text, "speech": path}
        tokens = self.kind.of_turn(turn) if turn.role in self.roles else None
        if tokens and self.is_merged:
            row["unit"], row["unit_counts"] = merged(tokens.books[0])
        elif tokens:
            row["unit"] = tokens.books[0]
        return row


def open_instructs2s(corpus: Corpus, settings: InstructS2SSettings) -> InstructS2SWriter:
    check_sample_rate(settings.sample_rate)
    demands = Demands(("user", "agent"), ("user", "agent"))
    roles: tuple[Role, ...] = ("user", "agent") if settings.units_of == "both" else ("agent",)
    kind = open_kind(corpus, "instructs2s", settings.tokenizer)
    return InstructS2SWriter(settings, demands, kind, settings.unit == "merged", roles)


EXPORTER = Exporter(
    "instructs2s",
    "InstructS2S-200K's array: texts, clips and speech tokens of both speakers, raw or merged",
    open_instructs2s,
    InstructS2SSettings,
)
