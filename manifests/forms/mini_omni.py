"""Mini-Omni's sequences: eight rows of ids for what is asked and for what is answered, one for each of its tasks.

The first seven rows are SNAC's layers, the last is text. In a prompt the ids of layer i are shifted into a vocabulary
of their own (`layershift`); an answer has those of its output heads, which are not shifted. `T1` and `A1` are the
question as text and as audio, `T2` and `A2` the answer; the model writes the text along with the audio. `A1T1`
recognizes. The numbers, and what ends a prompt, are those of the authors' inference code.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from manifests.forms.snac import EOA, LAYERS, PAD_A, Frame, delay_grid, grid_frames

Task = Literal["T1T2", "T1A2", "A1T2", "A1A2", "A1T1"]
TASKS: tuple[Task, ...] = get_args(Task)
Rows = list[list[int]]

TEXT_IDS = 151_936
"""Ids of the text tokenizer are below."""
EOT, PAD_T, INPUT_T, ANSWER_T, ASR = range(TEXT_IDS, TEXT_IDS + 5)
INPUT_A, ANSWER_A = 4098, 4099
_TEXT_SIZE, _LAYER_SIZE = 152_000, 4160
_FEATURE_MS = 20


def layershift(id_: int, layer: int) -> int:
    """Return the id of layer `layer`, from 0, in the whole vocabulary."""
    return id_ + _TEXT_SIZE + layer * _LAYER_SIZE


def unshifted(id_: int) -> tuple[int, int]:
    """Return the id within its layer, and the layer; the inverse of `layershift`."""
    layer, found = divmod(id_ - _TEXT_SIZE, _LAYER_SIZE)
    if not 0 <= layer < LAYERS:
        raise ValueError(f"{id_} is the id of no layer")
    return found, layer


def num_features(duration_s: float) -> int:
    """Return how many features of Whisper's encoder stand for a clip of at most 30 s."""
    return int(duration_s * 1000 / _FEATURE_MS) + 1


def prompt(task: Task, text_ids: Sequence[int], num_audio: int) -> Rows:
    """Return the prompt: [8][steps]. `text_ids` are those of the question, for T1; `num_audio` its features, for
    A1, which take the places of the padding."""
    end_a = ANSWER_A if task.endswith("A2") else PAD_A
    end_t = ASR if task == "A1T1" else ANSWER_T
    if task.startswith("T1"):
        text = [INPUT_T, *text_ids, EOT, end_t]
        layer_ids = [PAD_A] * (len(text) - 1) + [end_a]
    else:
        text = [INPUT_T, *[PAD_T] * num_audio, EOT, end_t]
        layer_ids = [INPUT_A, *[PAD_A] * num_audio, EOA, end_a]
    return [*([layershift(each, layer) for each in layer_ids] for layer in range(LAYERS)), text]


def prompt_of(rows: Rows) -> tuple[Task, tuple[int, ...], int]:
    """Return the task, the ids of the question's text and the number of its features; the inverse of `prompt`."""
    layers, text = [[unshifted(each)[0] for each in row] for row in rows[:LAYERS]], rows[LAYERS]
    is_audio = layers[0][0] == INPUT_A
    answer = "T1" if text[-1] == ASR else "A2" if layers[0][-1] == ANSWER_A else "T2"
    task = next(each for each in TASKS if each == f"{'A1' if is_audio else 'T1'}{answer}")
    ids, count = ((), len(text) - 3) if is_audio else (tuple(text[1:-2]), 0)
    if prompt(task, ids, count) != rows:
        raise ValueError("not a prompt of Mini-Omni")
    return task, ids, count


def answer(text_ids: Sequence[int], frames: Sequence[Frame] | None) -> Rows:
    """Return the answer: [8][steps], the text from the first step, the layers behind it; `frames` None: text alone."""
    text = [*text_ids, EOT]
    layers = delay_grid(frames) if frames is not None else [[] for _ in range(LAYERS)]
    steps = max(len(text), len(layers[0]))
    return [*(row + [PAD_A] * (steps - len(row)) for row in layers), text + [PAD_T] * (steps - len(text))]


def answer_of(rows: Rows) -> tuple[tuple[int, ...], list[Frame] | None]:
    """Return the ids of the text and the frames; the inverse of `answer`."""
    text = rows[LAYERS]
    has_audio = EOA in rows[0]
    return tuple(text[: text.index(EOT)]), grid_frames(rows[:LAYERS]) if has_audio else None
