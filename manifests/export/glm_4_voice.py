"""GLM-4-Voice's sequences: JSONL, a row for each dialogue, the tokens of each turn.

What a user says is audio between marks; in an answer 13 text tokens and 26 audio tokens take turns. A token is a
string, as the model's tokenizer names it, so that no border of tokens is lost. Its authors have published no training
code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._rows import Row
from manifests.export._text_rows import TextRowsWriter
from manifests.export._text_tokens import CHARACTERS, TokenCounter, check_characters, token_counter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, floor_turns
from manifests.export.contract import Exporter, ExportSettings
from manifests.forms.glm4_voice import AUDIO_RUN, TEXT_RUN, audio_span, interleaved
from manifests.schema import Dialogue, Turn

_NO_TEXT_TOKENIZER = (
    "exporter glm-4-voice needs the setting text_tokenizer, since it counts text tokens: name the directory of the "
    "model's tokenizer (for transformers), or 'characters', with characters_per_token"
)


@dataclass(frozen=True)
class GlmVoiceSettings(ExportSettings):
    tokenizer: str = field(default="glm-4-voice", metadata={"description": TOKENIZER})
    text_tokenizer: str = field(
        default="", metadata={"description": "directory of the text tokenizer, for transformers; or 'characters'"}
    )
    characters_per_token: float = field(
        default=1.0, metadata={"description": "with text_tokenizer=characters: characters taken for one token"}
    )
    text_run: int = field(default=TEXT_RUN, metadata={"description": "text tokens before the audio tokens"})
    audio_run: int = field(default=AUDIO_RUN, metadata={"description": "audio tokens after the text tokens"})

    def __post_init__(self) -> None:
        check_characters(self.characters_per_token)
        if min(self.text_run, self.audio_run) < 1:
            raise ValueError(f"text_run {self.text_run} and audio_run {self.audio_run} must be at least 1")


@dataclass(frozen=True)
class GlmVoiceWriter(TextRowsWriter):
    settings: GlmVoiceSettings
    kind: TokenKind
    text: TokenCounter

    def problem(self, dialogue: Dialogue) -> str | None:
        return Demands(clips=()).problem(dialogue) or self.kind.turn_problem(dialogue)

    def rows(self, dialogue: Dialogue) -> Iterable[Row]:
        turns = [{"role": turn.role, "tokens": self._tokens(turn)} for _, turn in floor_turns(dialogue)]
        yield {"id": dialogue.dialogue_id, "language": dialogue.language, "turns": turns}

    def _tokens(self, turn: Turn) -> Sequence[str]:
        tokens = self.kind.of_turn(turn)
        assert tokens is not None  # else there was a problem with the dialogue
        if turn.role == "user":
            return audio_span(tokens.books[0])
        runs = (self.settings.text_run, self.settings.audio_run)
        return interleaved(self.text.pieces(turn.text or ""), tokens.books[0], runs)

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        if splits and self.text.tokenizer == CHARACTERS:
            count = self.settings.characters_per_token
            return [f"text tokens are not those of a model: {count:g} characters were taken for one"]
        return ()


def open_glm_voice(corpus: Corpus, settings: GlmVoiceSettings) -> GlmVoiceWriter:
    if not settings.text_tokenizer:
        raise UserError(_NO_TEXT_TOKENIZER)
    text = token_counter(settings.text_tokenizer, settings.characters_per_token)
    return GlmVoiceWriter(settings, open_kind(corpus, "glm-4-voice", settings.tokenizer), text)


EXPORTER = Exporter(
    "glm-4-voice",
    "GLM-4-Voice's sequences: audio tokens in, and answers of 13 text tokens and 26 audio tokens in turn",
    open_glm_voice,
    GlmVoiceSettings,
)
