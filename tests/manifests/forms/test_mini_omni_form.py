"""SNAC's order, Mini-Omni's delay grid and prompts, and Mini-Omni2's states: golden values, and the way back."""

from fractions import Fraction

import pytest

from manifests.forms.interruption import states, tail_frame
from manifests.forms.mini_omni import (
    TASKS,
    Task,
    answer,
    answer_of,
    layershift,
    num_features,
    prompt,
    prompt_of,
    unshifted,
)
from manifests.forms.snac import books_of, delay_grid, frames_of, grid_frames, snac_books, snac_text

BOOKS = ((11, 12), (21, 22, 23, 24), (31, 32, 33, 34, 35, 36, 37, 38))
TEXT = "# 11 21 31 32 22 33 34 # 12 23 35 36 24 37 38 #"
GRID = """
p 11 12 eoa p  p  p  p  p  p
p p  21 23 eoa p  p  p  p  p
p p  p  31 35 eoa p  p  p  p
p p  p  p  32 36 eoa p  p  p
p p  p  p  p  22 24 eoa p  p
p p  p  p  p  p  33 37 eoa p
p p  p  p  p  p  p  34 38 eoa
"""


def test_the_text_of_two_frames_and_back() -> None:
    assert snac_text(BOOKS) == TEXT
    assert snac_books(TEXT) == snac_books(TEXT.removesuffix(" #")) == BOOKS
    assert books_of(frames_of(BOOKS)) == BOOKS
    for wrong in ("11 21 31 32 22 33 34", "# 11 21", "", "1 # 11 21 31 32 22 33 34"):
        with pytest.raises(ValueError):
            snac_books(wrong)
    with pytest.raises(ValueError, match="not SNAC's"):
        frames_of(((1, 2), (1, 2, 3), (1,) * 8))


def test_the_delay_grid_and_back() -> None:
    named = {4096: "eoa", 4097: "p"}
    grid = delay_grid(frames_of(BOOKS))
    assert [[named.get(each, str(each)) for each in row] for row in grid] == [
        row.split() for row in GRID.split("\n")[1:-1]
    ]
    assert books_of(grid_frames(grid)) == BOOKS
    with pytest.raises(ValueError):
        grid_frames([grid[1], *grid[1:]])


def test_layers_have_vocabularies_of_their_own() -> None:
    offsets = [layershift(0, layer) for layer in range(7)]
    assert offsets == [152_000, 156_160, 160_320, 164_480, 168_640, 172_800, 176_960]
    assert unshifted(layershift(4099, 6)) == (4099, 6) and layershift(4159, 6) == 181_119
    with pytest.raises(ValueError):
        unshifted(151_999)


@pytest.mark.parametrize(
    ("task", "layer", "text"),
    [
        ("T1T2", [4097] * 5, [151938, 5, 6, 151936, 151939]),
        ("T1A2", [4097] * 4 + [4099], [151938, 5, 6, 151936, 151939]),
        ("A1T2", [4098, 4097, 4097, 4097, 4096, 4097], [151938, *[151937] * 3, 151936, 151939]),
        ("A1A2", [4098, 4097, 4097, 4097, 4096, 4099], [151938, *[151937] * 3, 151936, 151939]),
        ("A1T1", [4098, 4097, 4097, 4097, 4096, 4097], [151938, *[151937] * 3, 151936, 151940]),
    ],
)
def test_prompts_and_back(task: Task, layer: list[int], text: list[int]) -> None:
    rows = prompt(task, (5, 6), 3)
    assert rows == [*([layershift(each, number) for each in layer] for number in range(7)), text]
    assert prompt_of(rows) == (task, (5, 6) if task.startswith("T1") else (), 3 if task.startswith("A1") else 0)
    assert {"T1T2", "T1A2", "A1T2", "A1A2", "A1T1"} == set(TASKS)


def test_answers_and_back() -> None:
    frames = frames_of(BOOKS)
    rows = answer((7, 8, 9), frames)
    assert rows[:7] == delay_grid(frames)
    assert rows[7] == [7, 8, 9, 151936, *[151937] * 6]
    assert answer_of(rows) == ((7, 8, 9), frames)
    longer = answer(range(12), frames)
    assert {len(row) for row in longer} == {13} and answer_of(longer) == (tuple(range(12)), frames)
    alone = answer((7,), None)
    assert alone == [*[[4097, 4097]] * 7, [7, 151936]] and answer_of(alone) == ((7,), None)


def test_features_of_a_clip() -> None:
    assert [num_features(seconds) for seconds in (0.0, 1.0, 1.019, 30.0)] == [1, 51, 51, 1501]


def test_states_and_back() -> None:
    frame = Fraction(2048, 24_000)
    found = states(10, frame, 4 * frame)
    assert found == ("n-irq",) * 4 + ("irq",) * 6
    assert tail_frame(found) == 4
    assert states(10, frame, 4 * frame + frame / 3).count("irq") == 6
    assert states(10, frame, 4 * frame + frame * 2 / 3).count("irq") == 5
    assert states(3, frame, 9 * frame) == ("n-irq",) * 3 and tail_frame(("n-irq",) * 3) == 3
    with pytest.raises(ValueError):
        tail_frame(("irq", "n-irq"))
