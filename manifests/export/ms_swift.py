"""ms-swift: `messages` with an `<audio>` for each clip, and `audios` in the order of these marks.

ms-swift 4.6 counts neither clips nor marks, and deletes rows whose roles it does not know with a line in its log. It
reads no speech of the agent: an `<audio>` in an answer would be an input. How much of a clip is heard depends on the
model: `max_clip_s`. Relative paths are looked for where the environment variable ROOT_IMAGE_DIR says.
"""

from dataclasses import dataclass

from manifests.corpus import Corpus
from manifests.export._heard import HeardSettings, heard_demands
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._turns import exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue

MARK = "<audio>"
_MARKS = (MARK, "<image>", "<video>", "<bbox>", "<ref-object>", "<cot-process>", "<start-image>")


@dataclass(frozen=True)
class MsSwiftWriter(RowsWriter):
    """Writes a row for each dialogue."""

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        messages, audios = [], []
        for each in exchanges(dialogue):
            audios.append(write_clip(each.user_turn))
            messages.append({"role": "user", "content": MARK})
            messages.append({"role": "assistant", "content": each.answer})
        return [{"messages": messages, "audios": audios}]


def open_ms_swift(corpus: Corpus, settings: HeardSettings) -> MsSwiftWriter:
    return MsSwiftWriter(settings, heard_demands(settings, _MARKS))


EXPORTER = Exporter(
    "ms-swift",
    "ms-swift: messages with audios, the user's clips in, the agent's texts out",
    open_ms_swift,
    HeardSettings,
    read_by="ms-swift 4.6.0",
)
