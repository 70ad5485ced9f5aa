"""OmniFlatten's flattened streams: Parquet, a row for each dialogue, tokens with a mask of what is learned.

The forms of three and two streams are full duplex: chunks of the two channels as they are delivered. So a dialogue
must be arranged and mixed, and both channels tokenized: where nobody speaks, the user's channel holds real tokens.
Where the agent is silent there are silent tokens. The forms of four streams, of recognition and of synthesis are made
of the turns alone.

A token is a string: `added_tokens.json` has those that a text tokenizer lacks (`tokenizer.add_tokens`), after which
`convert_tokens_to_ids` gives the ids. No public code reads this: the papers' authors have published no loader.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._channels import ROLES, channel, channels_problem, spoken_frames
from manifests.export._parquet import write_parquet
from manifests.export._text_tokens import CHARACTERS, TokenCounter, check_characters, token_counter
from manifests.export._timeline import spots
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, exchanges, floor_turns
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.forms import omniflatten as form
from manifests.forms.omniflatten import Chunks, Masked, Tokens
from manifests.schema import Dialogue, Turn
from manifests.storage import Place

Form = Literal["4-stream", "3-stream", "2-stream", "asr", "tts"]

_GROUP_ROWS = 256
_LONGEST = 8192
"""Tokens of a training sequence in the paper's dialogue stages; 1024 in its alignment stage."""
_NO_TEXT_TOKENIZER = (
    "exporter omniflatten needs the setting text_tokenizer, since it chunks text tokens: name the directory of the "
    "model's tokenizer (for transformers), or 'characters', with characters_per_token"
)
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("turn", pa.int32()),
        ("form", pa.string()),
        ("tokens", pa.list_(pa.string())),
        ("is_learned", pa.list_(pa.bool_())),
    ]
)


@dataclass(frozen=True)
class OmniFlattenSettings(ExportSettings):
    """The chunk sizes are the paper's: 10 speech tokens at 50 a second are 200 ms."""

    form: Form = field(default="3-stream", metadata={"description": "which of the paper's forms the rows have"})
    tokenizer: str = field(default="s3-v1", metadata={"description": TOKENIZER})
    text_tokenizer: str = field(
        default="", metadata={"description": "directory of the text tokenizer, for transformers; or 'characters'"}
    )
    characters_per_token: float = field(
        default=1.0, metadata={"description": "with text_tokenizer=characters: characters taken for one token"}
    )
    speech_chunk: int = field(default=10, metadata={"description": "speech tokens of a chunk"})
    text_chunk: int = field(default=2, metadata={"description": "text tokens of a chunk"})
    max_tokens: int = field(default=_LONGEST, metadata={"description": "refuse rows of more tokens; 0: any length"})

    def __post_init__(self) -> None:
        check_characters(self.characters_per_token)
        Chunks(self.speech_chunk, self.text_chunk)
        if self.text_chunk < 1 or self.max_tokens < 0:
            raise ValueError(f"text_chunk {self.text_chunk} and max_tokens {self.max_tokens} are too small")

    @property
    def chunks(self) -> Chunks:
        return Chunks(self.speech_chunk, self.text_chunk if self.form == "3-stream" else 0)


@dataclass(frozen=True)
class OmniFlattenWriter(PieceWriter):
    """Writes data/train-00000.parquet for each piece."""

    settings: OmniFlattenSettings
    kind: TokenKind
    text: TokenCounter | None

    def problem(self, dialogue: Dialogue) -> str | None:
        if self.settings.form in ("3-stream", "2-stream"):
            problem = self._duplex_problem(dialogue)
        else:
            demands = Demands(texts=("user", "agent"), clips=(), marks=form.SPECIAL)
            problem = demands.problem(dialogue) or self.kind.turn_problem(dialogue)
        if problem:
            return problem
        samples = self._samples(dialogue)
        if samples is None:
            return "a text has more tokens than there are chunks before the next one"
        longest = max((len(tokens) for _, (tokens, _) in samples), default=0)
        limit = self.settings.max_tokens
        return f"a row has more than {limit} tokens" if limit and longest > limit else None

    def _duplex_problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        if problem := channels_problem(dialogue, self.kind):
            return problem
        texts = [dialogue.turns[spot.turn].text or "" for spot in spots(dialogue, 0) if spot.role == "agent"]
        if not texts:
            return "it has no turn of the agent"
        if self.settings.form == "3-stream":
            if not all(text.strip() for text in texts):
                return "a turn has no text"
            if any("<|" in text for text in texts):
                return "a text contains <|"
        return None

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> int:
        write_parquet(out, piece, _SCHEMA, map(self._rows, dialogues), _GROUP_ROWS)
        return self.kind.like.codebook_size

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        sizes = {size for _, size in pieces}
        for size in sizes:
            added = [*form.SPECIAL, *map(form.speech_token, range(size))]
            (out / "added_tokens.json").write_text(json.dumps(added, indent=0) + "\n")
        if sizes and self.text and self.text.tokenizer == CHARACTERS:
            count = self.settings.characters_per_token
            return [f"text tokens are not those of a model: {count:g} characters were taken for one"]
        return ()

    def _rows(self, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
        for turn, (tokens, mask) in self._samples(dialogue) or ():
            facts = {"id": dialogue.dialogue_id, "turn": turn, "form": self.settings.form}
            yield {**facts, "tokens": tokens, "is_learned": mask}

    def _samples(self, dialogue: Dialogue) -> list[tuple[int | None, Masked]] | None:
        """Return the number of the turn, where a row is one, and its tokens; None: a text does not fit."""
        which = self.settings.form
        if which in ("3-stream", "2-stream"):
            streams = self._streams(dialogue)
            return None if streams is None else [(None, form.flattened(streams, self.settings.chunks))]
        if which == "4-stream":
            rounds = [
                form.Round(
                    self._speech(each.user), self._text(each.user), self._text(each.agent), self._speech(each.agent)
                )
                for each in exchanges(dialogue)
            ]
            return [(None, form.rounds_flattened(rounds))]
        parts = [(place, self._speech(turn), self._text(turn)) for place, turn in floor_turns(dialogue)]
        if which == "asr":
            return [(place, form.asr_sample(speech, text)) for place, speech, text in parts]
        return [(place, form.tts_sample(text, speech)) for place, speech, text in parts]

    def _streams(self, dialogue: Dialogue) -> form.Streams | None:
        """Return whole chunks of both channels: the end of the last one is silent."""
        user, agent = (channel(dialogue, role, self.kind) for role in ROLES)
        size, text_size = self.settings.speech_chunk, self.settings.chunks.text
        count = -(-len(user.ids) // size)
        heard = [form.speech_token(code) for code in user.ids]
        said = [
            form.speech_token(code) if speaks else form.SILENT_SPEECH
            for code, speaks in zip(agent.ids, agent.is_speech, strict=True)
        ]
        text: Tokens | None = ()
        if text_size:
            starts = [
                (
                    spoken_frames(dialogue, spot, self.kind.frame_s, len(user.ids))[0] // size,
                    self._text(dialogue.turns[spot.turn]),
                )
                for spot in spots(dialogue, 0)
                if spot.role == "agent"
            ]
            text = form.released(starts, count, text_size)
        if text is None:
            return None
        fill = form.SILENT_SPEECH
        return form.Streams(form.padded(heard, size, count, fill), text, form.padded(said, size, count, fill))

    def _speech(self, turn: Turn) -> Tokens:
        tokens = self.kind.of_turn(turn)
        assert tokens is not None  # else there was a problem with the dialogue
        return tuple(map(form.speech_token, tokens.books[0]))

    def _text(self, turn: Turn) -> Tokens:
        assert self.text is not None and turn.text is not None
        return tuple(self.text.pieces(turn.text))


def open_omniflatten(corpus: Corpus, settings: OmniFlattenSettings) -> OmniFlattenWriter:
    """Load the text tokenizer, which the form of two streams does not need, and look which tokens the corpus has."""
    text = None
    if settings.form != "2-stream":
        if not settings.text_tokenizer:
            raise UserError(_NO_TEXT_TOKENIZER)
        text = token_counter(settings.text_tokenizer, settings.characters_per_token)
    return OmniFlattenWriter(settings, open_kind(corpus, "omniflatten", settings.tokenizer), text)


EXPORTER = Exporter(
    "omniflatten",
    "OmniFlatten's flattened streams: chunks of user speech, agent text and agent speech, with the mask of the loss",
    open_omniflatten,
    OmniFlattenSettings,
)
