"""SpeechInstruct's rows, which SpeechGPT is trained on: JSONL of `prefix` and `plain_text`, or plain text.

`form` is the stage of its training. "pretrain": a line of units for each turn (train.txt). "cross-modal": each turn is
recognized or spoken by a task description; several are packed into a row. "chain-of-modality": each exchange in four
modes, by speech or by text; such rows hold no history, so a dialogue has one exchange. Units are merged, as its
tokenizer does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from manifests.corpus import Corpus
from manifests.export._rows import Row, write_splits
from manifests.export._seeded import SEED, generator_for
from manifests.export._single import SingleSettings, taken
from manifests.export._text_tokens import CHARACTERS, TokenCounter, check_characters, token_counter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import Demands, exchanges, floor_turns
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.forms.speechgpt import (
    MARKS,
    MODES,
    CrossModal,
    ModalityChain,
    Mode,
    Task,
    Variant,
    chain_text,
    cross_modal_text,
    descriptions,
    packed,
)
from manifests.forms.units import angle_text, merged
from manifests.schema import Dialogue, Turn
from manifests.storage import Place
from manifests.words import words_of

_PREFIX = (
    "SpeechGPT is an assistant that works across modalities. It understands people and answers them by speech or by "
    "text, as they wish. It takes in either and gives either."
)
_FILES = {
    "cross-modal": "{split}/cross_modal_instruction.jsonl",
    "chain-of-modality": "{split}/chain_of_modality_instruction.jsonl",
    "pretrain": "{split}.txt",
}
_BUDGETS = {"cross-modal": 512, "chain-of-modality": 1024, "pretrain": 0}
"""The longest sequences in the authors' scripts, which join and cut the lines of the first stage."""
_ADDED = re.compile(r"<(?:\d+|sosp|eosp|eoh|eos)>|\[(?:Human|SpeechGPT)\]")
"""What the authors' code adds to the vocabulary."""
_CHARACTERS = "with text_tokenizer=characters: characters taken for one token, a guess"
_MAX_TOKENS = (
    "tokens of a row at most: -1: what the authors' scripts have for this form; 0: any length, nothing packed"
)


@dataclass(frozen=True)
class SpeechInstructSettings(SingleSettings, ExportSettings):
    """The prefix is ours: the authors' own is not copied. The share of recognition is not known."""

    form: Literal["cross-modal", "chain-of-modality", "pretrain"] = field(
        default="cross-modal", metadata={"description": "the stage of training that the rows are for"}
    )
    variant: Variant = field(
        default="released", metadata={"description": "the templates of the released rows, or of the paper"}
    )
    tokenizer: str = field(default="hubert-l11-km1000", metadata={"description": TOKENIZER})
    prefix: str = field(default=_PREFIX, metadata={"description": "what stands before every row, and is not learned"})
    modes: str = field(default=",".join(MODES), metadata={"description": "modes of a chain, between commas"})
    max_words: int = field(
        default=35, metadata={"description": "words of an answer in a chain at most; 0: any number"}
    )
    asr_share: float = field(
        default=0.5, metadata={"description": "share of the turns that are recognized, not spoken"}
    )
    max_tokens: int = field(default=-1, metadata={"description": _MAX_TOKENS})
    text_tokenizer: str = field(
        default=CHARACTERS,
        metadata={"description": "directory of the text tokenizer, for transformers; or 'characters'"},
    )
    characters_per_token: float = field(default=3.0, metadata={"description": _CHARACTERS})
    seed: int = field(default=0, metadata={"description": SEED})

    def __post_init__(self) -> None:
        check_characters(self.characters_per_token)
        if unknown := [mode for mode in self.modes.split(",") if mode.strip() not in get_args(Mode)]:
            raise ValueError(f"there is no mode {unknown[0]}; there are {', '.join(MODES)}")
        if not 0 <= self.asr_share <= 1 or self.max_tokens < -1 or self.max_words < 0:
            raise ValueError("asr_share must be 0 to 1, max_tokens at least -1, and max_words at least 0")

    @property
    def budget(self) -> int:
        return _BUDGETS[self.form] if self.max_tokens == -1 else self.max_tokens

    @property
    def chosen_modes(self) -> tuple[Mode, ...]:
        names = {mode.strip() for mode in self.modes.split(",")}
        return tuple(mode for mode in MODES if mode in names)


@dataclass(frozen=True)
class SpeechInstructWriter(PieceWriter):
    settings: SpeechInstructSettings
    kind: TokenKind
    text: TokenCounter

    def problem(self, dialogue: Dialogue) -> str | None:
        part = self._part(dialogue)
        demands = Demands(("user", "agent"), (), MARKS, one_exchange=self.settings.form == "chain-of-modality")
        if problem := demands.problem(part) or self.kind.turn_problem(part):
            return problem
        most = self.settings.max_words
        answers = [each.answer for each in exchanges(part)] if self.settings.form == "chain-of-modality" else []
        if most and any(len(words_of(text, dialogue.language)) > most for text in answers):
            return f"an answer has more than {most} words"
        budget = self.settings.budget
        too_long = budget and any(self._count(text) > budget for text in self._texts(dialogue))
        return f"a row has more than {budget} tokens" if too_long else None

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[str]:
        """Return the rows of the piece: samples of different dialogues share a row."""
        texts = [text for dialogue in dialogues for text in self._texts(dialogue)]
        if self.settings.form == "cross-modal" and self.settings.budget:
            return packed(texts, self.settings.budget, self._count)
        return texts

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        if self.settings.form == "pretrain":
            self._write_lines(out, pieces)
        else:
            write_splits(out, _FILES[self.settings.form], ((piece, self._rows(texts)) for piece, texts in pieces))
        if self.settings.budget and self.text.tokenizer == CHARACTERS and any(True for _ in pieces):
            count = self.settings.characters_per_token
            return [
                f"text tokens were not counted with the model's tokenizer: {count:g} characters were taken for one"
            ]
        return ()

    def _write_lines(self, out: Place, pieces: Iterable[tuple[Piece, list[str]]]) -> None:
        splits = dict.fromkeys(piece.split for piece, _ in pieces)
        for split in splits:
            with (out / _FILES["pretrain"].format(split=split)).writing() as stream:
                for piece, lines in pieces:
                    if piece.split == split:
                        stream.write("".join(f"{line}\n" for line in lines).encode())

    def _rows(self, texts: Iterable[str]) -> Iterator[Row]:
        return ({"prefix": self.settings.prefix, "plain_text": text} for text in texts)

    def _texts(self, dialogue: Dialogue) -> Iterator[str]:
        part = self._part(dialogue)
        if self.settings.form == "chain-of-modality":
            for each in exchanges(part):
                asked, said = self._units(each.user), self._units(each.agent)
                for mode in self.settings.chosen_modes:
                    heard, spoken = asked if mode.startswith("S") else (), said if mode.endswith("S") else ()
                    yield chain_text(
                        ModalityChain(mode, each.question, each.answer, heard, spoken), self.settings.variant
                    )
            return
        draw = generator_for(self.settings.seed, "speech-instruct", dialogue)
        for _, turn in floor_turns(part):
            if self.settings.form == "pretrain":
                yield angle_text(self._units(turn))
            else:
                yield cross_modal_text(self._sample(turn, draw), self.settings.variant)

    def _sample(self, turn: Turn, draw: np.random.Generator) -> CrossModal:
        task: Task = "asr" if draw.random() < self.settings.asr_share else "tts"
        known = descriptions(task)
        return CrossModal(task, known[int(draw.integers(len(known)))], turn.text or "", self._units(turn))

    def _units(self, turn: Turn) -> tuple[int, ...]:
        tokens = self.kind.of_turn(turn)
        assert tokens is not None  # else there was a problem with the dialogue
        return merged(tokens.books[0])[0]

    def _part(self, dialogue: Dialogue) -> Dialogue:
        return taken(dialogue, self.settings.first_exchange and self.settings.form == "chain-of-modality")

    def _count(self, text: str) -> int:
        """Return the tokens of a row: each unit and mark is one, the rest is text."""
        return len(_ADDED.findall(text)) + self.text(_ADDED.sub("", text))


def open_speech_instruct(corpus: Corpus, settings: SpeechInstructSettings) -> SpeechInstructWriter:
    text = token_counter(settings.text_tokenizer, settings.characters_per_token)
    return SpeechInstructWriter(settings, open_kind(corpus, "speech-instruct", settings.tokenizer), text)


EXPORTER = Exporter(
    "speech-instruct",
    "SpeechInstruct's rows for SpeechGPT: units, recognition and synthesis by description, chains of modality",
    open_speech_instruct,
    SpeechInstructSettings,
)
