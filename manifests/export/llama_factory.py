"""LLaMA-Factory: `conversations` with an `<audio>` for each clip, and dataset_info.json, which says how to read them.

LLaMA-Factory 0.9.5 keeps a dialogue whose turns do not alternate as an empty one. Relative paths are joined with its
`media_dir`, which is the directory of dataset_info.json unless the user says otherwise.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifests.corpus import Corpus
from manifests.export._heard import HeardSettings, heard_demands
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._turns import exchanges
from manifests.export.contract import Exporter, Piece
from manifests.schema import Dialogue
from manifests.storage import Place

MARK = "<audio>"
_MARKS = (MARK, "<image>", "<video>")


@dataclass(frozen=True)
class LlamaFactorySettings(HeardSettings):
    dataset: str = field(default="parley", metadata={"description": "the data set is called DATASET_train"})


@dataclass(frozen=True)
class LlamaFactoryWriter(RowsWriter):
    """Writes a row for each dialogue."""

    dataset: str

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        conversations, audios = [], []
        for each in exchanges(dialogue):
            audios.append(write_clip(each.user_turn))
            conversations.append({"from": "human", "value": MARK})
            conversations.append({"from": "gpt", "value": each.answer})
        return [{"conversations": conversations, "audios": audios}]

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        notes = super().finish(out, pieces)
        columns = {"messages": "conversations", "audios": "audios"}
        names = dict.fromkeys(piece.split for piece, _ in pieces)
        info = {
            f"{self.dataset}_{split}": {
                "file_name": self.file.format(split=split),
                "formatting": "sharegpt",
                "columns": columns,
            }
            for split in names
        }
        (out / "dataset_info.json").write_text(json.dumps(info, indent=2, ensure_ascii=True) + "\n")
        return notes


def open_llama_factory(corpus: Corpus, settings: LlamaFactorySettings) -> LlamaFactoryWriter:
    return LlamaFactoryWriter(settings, heard_demands(settings, _MARKS), settings.dataset)


EXPORTER = Exporter(
    "llama-factory",
    "LLaMA-Factory: ShareGPT rows with audios, and dataset_info.json",
    open_llama_factory,
    LlamaFactorySettings,
    read_by="llamafactory 0.9.5",
)
