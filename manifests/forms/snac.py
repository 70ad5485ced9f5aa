"""SNAC's three books as one sequence, as Mini-Omni lays them out.

A frame is seven ids: one of the first book, and for each half of the frame one of the second and two of the third. The
text form puts "#" before each frame. In the delay grid each of the seven places is a layer, and layer i, from 1,
begins i steps late, so that a step has no id that needs another one of the same step.
"""

from collections.abc import Sequence

Frame = tuple[int, int, int, int, int, int, int]
Books = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

LAYERS = 7
EOA, PAD_A = 4096, 4097
"""Ends a layer, and fills it. Ids of the books are below."""


def frames_of(books: Sequence[Sequence[int]]) -> list[Frame]:
    """Return the frames of three books of f, 2f and 4f ids; raises ValueError for other books."""
    if len(books) != 3 or (len(books[1]), len(books[2])) != (2 * len(books[0]), 4 * len(books[0])):
        raise ValueError(f"books of {[len(book) for book in books]} ids are not SNAC's of f, 2f and 4f")
    first, second, third = books
    return [
        (
            coarse,
            second[2 * at],
            third[4 * at],
            third[4 * at + 1],
            second[2 * at + 1],
            third[4 * at + 2],
            third[4 * at + 3],
        )
        for at, coarse in enumerate(first)
    ]


def books_of(frames: Sequence[Frame]) -> Books:
    """Return the three books of these frames; the inverse of `frames_of`."""
    return (
        tuple(frame[0] for frame in frames),
        tuple(each for frame in frames for each in (frame[1], frame[4])),
        tuple(each for frame in frames for each in (frame[2], frame[3], frame[5], frame[6])),
    )


def snac_text(books: Sequence[Sequence[int]]) -> str:
    """Return the text of the books: "# 11 21 31 32 22 33 34 # ... #"."""
    return " ".join([*(f"# {' '.join(map(str, frame))}" for frame in frames_of(books)), "#"])


def snac_books(text: str) -> Books:
    """Return the books of such a text, whose closing "#" may be missing; raises ValueError for another one."""
    before, *parts = text.split("#")
    frames = [tuple(map(int, part.split())) for part in parts if part.strip()]
    if before.strip() or not parts or any(len(frame) != LAYERS for frame in frames):
        raise ValueError(f"not SNAC frames of seven ids: {text[:40]!r}")
    return books_of([(a, b, c, d, e, f, g) for a, b, c, d, e, f, g in frames])


def delay_grid(frames: Sequence[Frame]) -> list[list[int]]:
    """Return the seven layers, each of as many steps as there are frames and eight more: [LAYERS][steps]."""
    steps = len(frames) + LAYERS + 1
    grid = []
    for layer in range(LAYERS):
        ids = [*[PAD_A] * (layer + 1), *(frame[layer] for frame in frames), EOA]
        grid.append(ids + [PAD_A] * (steps - len(ids)))
    return grid


def grid_frames(grid: Sequence[Sequence[int]]) -> list[Frame]:
    """Return the frames of a delay grid; the inverse of `delay_grid`. Raises ValueError for another grid."""
    layers = [list(row[layer + 1 :]) for layer, row in enumerate(grid)]
    frames = list(zip(*(row[: row.index(EOA)] for row in layers), strict=True))
    if [list(row[: len(frames) + LAYERS + 1]) for row in grid] != delay_grid(frames):
        raise ValueError("the layers are not delayed by one step each")
    return frames
