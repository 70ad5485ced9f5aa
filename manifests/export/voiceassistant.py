"""VoiceAssistant-400K's columns: Parquet, one row for each exchange.

`answer_snac` holds the answer's SNAC tokens as text: for each frame "#" and seven ids. Without tokens it is null,
which SLAM-LLM's loader trains as text; an empty string would train silence. The loader takes the history from the
question's text, reads 30 s of a clip, and takes the path of a clip for the row's key.

`question_audio` is as `datasets` reads it (see `hf`), or, with `audio` "array", what SLAM-LLM's loader takes with any
`datasets`: since 4.0 a decoded `Audio` is no longer the dictionary that it looks for.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from manifests.corpus import Corpus
from manifests.export._audio import samples_at, wav_bytes
from manifests.export._clips import check_sample_rate
from manifests.export._history import HISTORY_MARKS, question_with_history
from manifests.export._parquet import write_parquet
from manifests.export._speech_tokens import SNAC_24KHZ
from manifests.export._targets import TEXT_NOTE, SpeechTarget, TokenSettings, speech_target
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.forms.snac import snac_text
from manifests.schema import Audio, Dialogue
from manifests.storage import Place

AudioForm = Literal["bytes", "array"]

_GROUP_ROWS = 32
"""Rows in a row group: streaming readers fetch whole row groups."""
_AUDIO = "question_audio"
_COLUMNS = ("split_name", "index", "round", "question", _AUDIO, "answer", "answer_snac")


@dataclass(frozen=True)
class VoiceAssistantSettings(TokenSettings, ExportSettings):
    """`sample_rate` is in Hz; the default is that of VoiceAssistant-400K."""

    sample_rate: int = field(default=22_050, metadata={"description": "sample rate of the clips in Hz"})
    audio: AudioForm = field(
        default="bytes",
        metadata={"description": "bytes: WAV files, as datasets reads them; array: samples, as SLAM-LLM reads them"},
    )
    history: bool = field(
        default=True,
        metadata={"description": "put what was said before into the question's text, as SLAM-LLM reads it"},
    )


@dataclass(frozen=True)
class VoiceAssistantWriter(PieceWriter):
    """Writes data/train-00000.parquet for each piece, every file with the full schema."""

    settings: VoiceAssistantSettings
    demands: Demands
    speech: SpeechTarget

    def problem(self, dialogue: Dialogue) -> str | None:
        return self.demands.problem(dialogue) or self.speech.problem(dialogue)

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        write_parquet(out, piece, _schema(self.settings), map(self._rows, dialogues), _GROUP_ROWS)

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        return [TEXT_NOTE] if self.settings.target == "text" and any(True for _ in pieces) else []

    def _rows(self, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
        rounds = exchanges(dialogue)
        for each in rounds:
            audio = each.user.audio
            assert audio is not None  # else there was a problem with the dialogue
            codes = self.speech.codes(each.agent)
            yield {
                "split_name": dialogue.source.dataset,
                "index": dialogue.dialogue_id,
                "round": str(each.number + 1),
                "question": question_with_history(rounds, each.number) if self.settings.history else each.question,
                _AUDIO: self._audio(audio, f"{dialogue.dialogue_id}-{each.number + 1}.wav"),
                "answer": each.answer,
                "answer_snac": snac_text(codes) if codes else None,
            }

    def _audio(self, audio: Audio, path: str) -> dict[str, Any]:
        rate = self.settings.sample_rate
        samples = samples_at(audio, rate)
        if self.settings.audio == "bytes":
            return {"bytes": wav_bytes(samples, rate), "path": path}
        return {"path": path, "array": samples, "sampling_rate": rate}


def _schema(settings: VoiceAssistantSettings) -> pa.Schema:
    """Return the schema, with the features of `datasets` only where they are an `Audio`: what older versions of it
    call a list, newer ones do not read."""
    members = {"bytes": pa.binary(), "path": pa.string()}
    if settings.audio == "array":
        members = {"path": pa.string(), "array": pa.list_(pa.float32()), "sampling_rate": pa.int64()}
    kinds = {name: pa.string() for name in _COLUMNS} | {_AUDIO: pa.struct(list(members.items()))}
    schema = pa.schema([pa.field(name, kinds[name]) for name in _COLUMNS])
    if settings.audio == "array":
        return schema
    features: dict[str, Any] = {name: {"dtype": "string", "_type": "Value"} for name in _COLUMNS}
    features[_AUDIO] = {"sampling_rate": settings.sample_rate, "decode": False, "_type": "Audio"}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def open_voiceassistant(corpus: Corpus, settings: VoiceAssistantSettings) -> VoiceAssistantWriter:
    check_sample_rate(settings.sample_rate, corpus_rate=False)
    marks = HISTORY_MARKS if settings.history else ()
    demands = Demands(("user", "agent"), marks=marks, max_s=WHISPER_S)
    return VoiceAssistantWriter(settings, demands, speech_target(settings, SNAC_24KHZ))


EXPORTER = Exporter(
    "voiceassistant",
    "VoiceAssistant-400K's columns: Parquet, one row for each exchange",
    open_voiceassistant,
    VoiceAssistantSettings,
    read_by="SLAM-LLM a68e78f, examples/s2s, and datasets 5.2.0",
)
