"""OpenS2S: `messages` whose contents are lists of items with four keys, all of them always there.

Its loader drops a row whose clip has less than half a second or cannot be opened, and every row where torchaudio lacks
`sox_effects`, with no more than a print. An answer without units is trained as text. It takes a path with two
colons for a range of a file. Its README gives all files of a directory at once, so each split has a directory:
train/messages.jsonl.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._speech_tokens import GLM4_VOICE
from manifests.export._targets import TEXT_NOTE, SpeechTarget, TargetSettings, speech_target
from manifests.export._turns import Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue, Turn

_SHORTEST_S = 0.5


@dataclass(frozen=True)
class OpenS2sWriter(RowsWriter):
    """Writes a row for each dialogue."""

    speech: SpeechTarget
    file: ClassVar[str] = "{split}/messages.jsonl"

    def problem(self, dialogue: Dialogue) -> str | None:
        return super().problem(dialogue) or self.speech.problem(dialogue)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        messages: list[Row] = []
        for each in exchanges(dialogue):
            messages.append({"role": "user", "content": [_item(audio=write_clip(each.user_turn))]})
            messages.append({"role": "assistant", "content": [_item(text=each.answer, units=self._units(each.agent))]})
        return [{"messages": messages}]

    def _units(self, turn: Turn) -> str:
        codes = self.speech.codes(turn)
        return "".join(f"<|audio_{code}|>" for code in codes[0]) if codes else ""

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        return [TEXT_NOTE] if splits and self.speech.target == "text" else []


def _item(text: str = "", audio: str = "", units: str = "") -> Row:
    return {"text": text, "audio": audio, "speech_units": units, "spk_emb": ""}


def open_opens2s(corpus: Corpus, settings: TargetSettings) -> OpenS2sWriter:
    check_sample_rate(settings.sample_rate)
    if ":" in settings.root:
        raise UserError(f"root is {settings.root}: OpenS2S takes a path with colons for a range of a file")
    return OpenS2sWriter(settings, Demands(min_s=_SHORTEST_S), speech_target(settings, GLM4_VOICE))


EXPORTER = Exporter(
    "opens2s",
    "OpenS2S: messages, the user's clips in, the agent's texts out",
    open_opens2s,
    TargetSettings,
    read_by="OpenS2S 359565c",
)
