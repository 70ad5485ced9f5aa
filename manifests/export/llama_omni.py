"""LLaMA-Omni: a JSON array, one row for each dialogue of one exchange.

The public repository reads such a file to answer it, and has the preprocessing of training rows, but no data set class
for training. It moves `<speech>` to the front of the prompt wherever it stands, asserts two turns, cuts clips to 30 s
and opens the file in the machine's encoding, so the file is ASCII.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._single import SingleSettings, taken
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue

MARK = "<speech>"


@dataclass(frozen=True)
class LlamaOmniSettings(SingleSettings, ClipSettings):
    """The default of `prompt` is that of the repository's example."""

    prompt: str = field(
        default="Please directly answer the questions in the user's speech.",
        metadata={"description": "text that stands behind the user's speech"},
    )


@dataclass(frozen=True)
class LlamaOmniWriter(RowsWriter):
    """Writes a row for each dialogue."""

    prompt: str
    first_exchange: bool
    file: ClassVar[str] = "{split}.json"
    is_ascii: ClassVar[bool] = True

    def problem(self, dialogue: Dialogue) -> str | None:
        return super().problem(taken(dialogue, self.first_exchange))

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        (each,) = exchanges(taken(dialogue, self.first_exchange))
        question = f"{MARK}\n{self.prompt}".strip()
        return [
            {
                "id": dialogue.dialogue_id,
                "speech": write_clip(each.user_turn),
                "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": each.answer}],
            }
        ]


def open_llama_omni(corpus: Corpus, settings: LlamaOmniSettings) -> LlamaOmniWriter:
    check_sample_rate(settings.sample_rate)
    if MARK in settings.prompt:
        raise UserError(f"prompt contains {MARK}, which is written before it anyway: leave it out")
    demands = Demands(marks=(MARK,), max_s=WHISPER_S, one_exchange=True)
    return LlamaOmniWriter(settings, demands, settings.prompt, settings.first_exchange)


EXPORTER = Exporter(
    "llama-omni",
    "LLaMA-Omni: a JSON array, one row for each dialogue of one exchange",
    open_llama_omni,
    LlamaOmniSettings,
    read_by="LLaMA-Omni c63fd72",
)
