"""Mini-Omni's training rows: JSONL, for each exchange a row of each task, with the eight rows of ids that its model
takes and gives.

The prompt's places for audio hold padding: the features of `audio`, a clip of 16 kHz, come there (Whisper's encoder, a
feature for 20 ms). Its authors have published no training code; prompts are what their inference makes. A question
longer than Whisper's 30 s would be cut, so it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._text_tokens import CHARACTERS, TokenCounter, token_counter
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export._turns import WHISPER_S, Demands, SpokenExchange, exchanges
from manifests.export.contract import Exporter
from manifests.forms.mini_omni import TASKS, TEXT_IDS, Task, answer, num_features, prompt
from manifests.forms.snac import Frame, frames_of, snac_text
from manifests.schema import Dialogue, SpeechTokens

_NO_TEXT_TOKENIZER = (
    "exporter mini-omni needs the setting text_tokenizer, since its rows are ids: name the directory of the model's "
    "tokenizer (for transformers)"
)
_TASKS = "tasks, between commas: T1 and A1 ask by text and by audio, T2 and A2 answer so; A1T1 recognizes"


@dataclass(frozen=True)
class MiniOmniSettings(ClipSettings):
    tokenizer: str = field(default="snac-24khz", metadata={"description": TOKENIZER})
    text_tokenizer: str = field(
        default="", metadata={"description": "directory of the text tokenizer, for transformers: Qwen2's"}
    )
    tasks: str = field(default=",".join(TASKS), metadata={"description": _TASKS})

    def __post_init__(self) -> None:
        if unknown := [task for task in self.task_names if task not in get_args(Task)]:
            raise ValueError(f"there is no task {unknown[0]}; there are {', '.join(TASKS)}")

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(task.strip() for task in self.tasks.split(","))

    @property
    def chosen(self) -> tuple[Task, ...]:
        """The tasks, in the order in which the authors name them."""
        return tuple(task for task in TASKS if task in self.task_names)


@dataclass(frozen=True)
class MiniOmniWriter(RowsWriter):
    """Writes a row for each exchange and task."""

    kind: TokenKind | None
    text: TokenCounter
    tasks: tuple[Task, ...]

    def problem(self, dialogue: Dialogue) -> str | None:
        if problem := super().problem(dialogue):
            return problem
        return snac_problem(dialogue, self.kind) if self.kind else None

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        return [row for each in exchanges(dialogue) for row in self._rows_of(dialogue, each, write_clip)]

    def _rows_of(self, dialogue: Dialogue, each: SpokenExchange, write_clip: WriteClip) -> list[Row]:
        asked, said = self.text.ids(each.question), self.text.ids(each.answer)
        frames = self._frames(each)
        clip = write_clip(each.user_turn) if any(task.startswith("A1") for task in self.tasks) else None
        count = num_features(each.user.audio.duration_s) if each.user.audio else 0
        rows = []
        for task in self.tasks:
            row: Row = {"id": dialogue.dialogue_id, "round": each.number + 1, "task": task}
            row |= {"question": each.question, "answer": each.question if task == "A1T1" else each.answer}
            if task.startswith("A1"):
                row["audio"] = clip
            row["prompt"] = prompt(task, asked, count)
            speaks = frames if task.endswith("A2") else None
            row["target"] = answer(asked if task == "A1T1" else said, speaks)
            if task.endswith("A2") and frames is not None:
                row["answer_snac"] = snac_text(self._books(each))
            rows.append(row)
        return rows

    def _books(self, each: SpokenExchange) -> tuple[tuple[int, ...], ...]:
        tokens = self.kind.of_turn(each.agent) if self.kind else None
        return tokens.books if tokens else ()

    def _frames(self, each: SpokenExchange) -> Sequence[Frame] | None:
        return frames_of(self._books(each)) if self.kind else None


def snac_problem(dialogue: Dialogue, kind: TokenKind) -> str | None:
    """Return why the answers' tokens are not SNAC's, as a reason to count."""
    if problem := kind.turn_problem(dialogue, ("agent",)):
        return problem
    answers = [tokens for each in exchanges(dialogue) if (tokens := kind.of_turn(each.agent))]
    return None if all(map(is_snac, answers)) else "its speech tokens are not SNAC's three books"


def is_snac(tokens: SpeechTokens) -> bool:
    """Tell whether the books have f, 2f and 4f ids."""
    first, second, third = map(len, tokens.books)
    return (second, third) == (2 * first, 4 * first)


def open_mini_omni(corpus: Corpus, settings: MiniOmniSettings) -> MiniOmniWriter:
    """Load the text tokenizer, and look which tokens the corpus has where a task answers with speech."""
    check_sample_rate(settings.sample_rate)
    if settings.text_tokenizer in ("", CHARACTERS):
        raise UserError(_NO_TEXT_TOKENIZER)
    text = token_counter(settings.text_tokenizer, 1.0)
    if text.highest_id() >= TEXT_IDS:
        raise UserError(
            f"exporter mini-omni: the text tokenizer has ids of {TEXT_IDS} and more, which mark things: take Qwen2's"
        )
    speaks = any(task.endswith("A2") for task in settings.chosen)
    kind = open_kind(corpus, "mini-omni", settings.tokenizer, books=3) if speaks else None
    demands = Demands(texts=("user", "agent"), clips=("user",), max_s=WHISPER_S)
    return MiniOmniWriter(settings, demands, kind, text, settings.chosen)


EXPORTER = Exporter(
    "mini-omni",
    "Mini-Omni's rows of ids: prompts and targets of its five tasks, with SNAC's layers delayed",
    open_mini_omni,
    MiniOmniSettings,
)
