"""What Ke-Omni's training takes: Parquet, a row for each exchange, with the agent's units frame by frame.

Units are not merged: the text is stretched to their frames by the duration of each text token, which its duration
predictor learns. With a text tokenizer, and word times in the corpus, rows have these durations too. Its authors have
published no training code; the columns are ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from manifests.corpus import Corpus
from manifests.export._audio import samples_at, wav_bytes
from manifests.export._clips import check_sample_rate
from manifests.export._parquet import write_parquet
from manifests.export._text_tokens import TokenCounter, check_characters, token_counter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export._words import turn_words
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.forms.words import NO_WORD_TIMES, token_durations
from manifests.schema import Audio, Dialogue, Turn
from manifests.storage import Place

_GROUP_ROWS = 32
_CLIP = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_SCHEMA = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("round", pa.int32()),
        ("language", pa.string()),
        ("user_audio", _CLIP),
        ("user_text", pa.string()),
        ("agent_text", pa.string()),
        ("agent_audio", _CLIP),
        ("agent_units", pa.list_(pa.int32())),
        ("text_tokens", pa.list_(pa.string())),
        ("text_token_durations", pa.list_(pa.int32())),
    ]
)
_NO_DURATIONS = (
    "Rows have no text_token_durations: they need the setting text_tokenizer, and word times in the corpus."
)


@dataclass(frozen=True)
class KeOmniSettings(ExportSettings):
    tokenizer: str = field(default="hubert", metadata={"description": TOKENIZER})
    text_tokenizer: str = field(
        default="", metadata={"description": "directory, for transformers; 'characters'; empty: no durations"}
    )
    characters_per_token: float = field(
        default=1.0, metadata={"description": "with text_tokenizer=characters: characters taken for one token"}
    )
    sample_rate: int = field(default=16_000, metadata={"description": "sample rate of the clips in Hz"})

    def __post_init__(self) -> None:
        check_characters(self.characters_per_token)


@dataclass(frozen=True)
class KeOmniWriter(PieceWriter):
    """Writes data/train-00000.parquet for each piece."""

    settings: KeOmniSettings
    demands: Demands
    kind: TokenKind
    text: TokenCounter | None

    def problem(self, dialogue: Dialogue) -> str | None:
        if problem := self.demands.problem(dialogue) or self.kind.turn_problem(dialogue, ("agent",)):
            return problem
        timed = self.text is None or all(turn_words(each.agent) for each in exchanges(dialogue))
        return None if timed else NO_WORD_TIMES

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        write_parquet(out, piece, _SCHEMA, map(self._rows, dialogues), _GROUP_ROWS)

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        return [_NO_DURATIONS] if self.text is None and any(True for _ in pieces) else []

    def _rows(self, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
        for each in exchanges(dialogue):
            tokens = self.kind.of_turn(each.agent)
            assert tokens is not None  # else there was a problem with the dialogue
            yield {
                "dialogue_id": dialogue.dialogue_id,
                "round": each.number + 1,
                "language": dialogue.language,
                "user_audio": self._clip(each.user.audio, f"{dialogue.dialogue_id}-{each.user_turn}.wav"),
                "user_text": each.question,
                "agent_text": each.answer,
                "agent_audio": self._clip(each.agent.audio, f"{dialogue.dialogue_id}-{each.agent_turn}.wav"),
                "agent_units": tokens.books[0],
                **self._durations(each.agent, tokens.num_frames),
            }

    def _durations(self, turn: Turn, num_frames: int) -> dict[str, Any]:
        if self.text is None:
            return {"text_tokens": None, "text_token_durations": None}
        words, text = turn_words(turn), turn.text or ""
        assert words is not None  # else there was a problem with the dialogue
        borders = words.frames(self.kind.frame_s, num_frames)
        durations = token_durations(self.text.ends(text), words, borders)
        return {"text_tokens": self.text.pieces(text), "text_token_durations": durations}

    def _clip(self, audio: Audio | None, path: str) -> dict[str, Any]:
        assert audio is not None  # else there was a problem with the dialogue
        rate = self.settings.sample_rate
        return {"bytes": wav_bytes(samples_at(audio, rate), rate), "path": path}


def open_ke_omni(corpus: Corpus, settings: KeOmniSettings) -> KeOmniWriter:
    check_sample_rate(settings.sample_rate, corpus_rate=False)
    demands = Demands(("user", "agent"), ("user", "agent"), max_s=WHISPER_S)
    kind = open_kind(corpus, "ke-omni", settings.tokenizer)
    named = settings.text_tokenizer
    return KeOmniWriter(
        settings, demands, kind, token_counter(named, settings.characters_per_token) if named else None
    )


EXPORTER = Exporter(
    "ke-omni",
    "what Ke-Omni's training takes: clips, frame-level units of the answers, and durations of their text tokens",
    open_ke_omni,
    KeOmniSettings,
)
