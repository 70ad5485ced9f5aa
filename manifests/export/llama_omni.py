"""LLaMA-Omni: a JSON array, one row for each dialogue of one exchange.

The public repository reads such a file to answer it, and has the preprocessing of training rows, but no data set class
for training; with `target=speech` a row has `unit`, the paper's units of the answer with repetitions merged, which
nothing public reads. It moves `<speech>` to the front of the prompt wherever it stands, asserts two turns, cuts clips
to 30 s and opens the file in the machine's encoding, so the file is ASCII.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._single import SingleSettings, taken
from manifests.export._speech_tokens import HUBERT_KM1000
from manifests.export._targets import SpeechTarget, TargetSettings, speech_target
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter
from manifests.forms.units import merged
from manifests.schema import Dialogue

MARK = "<speech>"


@dataclass(frozen=True)
class LlamaOmniSettings(SingleSettings, TargetSettings):
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
    speech: SpeechTarget
    file: ClassVar[str] = "{split}.json"
    is_ascii: ClassVar[bool] = True

    def problem(self, dialogue: Dialogue) -> str | None:
        part = taken(dialogue, self.first_exchange)
        return super().problem(part) or self.speech.problem(part)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        (each,) = exchanges(taken(dialogue, self.first_exchange))
        question = f"{MARK}\n{self.prompt}".strip()
        row: Row = {
            "id": dialogue.dialogue_id,
            "speech": write_clip(each.user_turn),
            "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": each.answer}],
        }
        if codes := self.speech.codes(each.agent):
            row["unit"] = list(merged(codes[0])[0])
        return [row]


def open_llama_omni(corpus: Corpus, settings: LlamaOmniSettings) -> LlamaOmniWriter:
    check_sample_rate(settings.sample_rate)
    if MARK in settings.prompt:
        raise UserError(f"prompt contains {MARK}, which is written before it anyway: leave it out")
    demands = Demands(marks=(MARK,), max_s=WHISPER_S, one_exchange=True)
    return LlamaOmniWriter(
        settings, demands, settings.prompt, settings.first_exchange, speech_target(settings, HUBERT_KM1000)
    )


EXPORTER = Exporter(
    "llama-omni",
    "LLaMA-Omni: a JSON array, one row for each dialogue of one exchange",
    open_llama_omni,
    LlamaOmniSettings,
    read_by="LLaMA-Omni c63fd72",
)
