"""Gives the page its clips: as files in a directory beside it, inside it, or not at all.

Files bear numbers, never the ids of rows: no name in a corpus leads anywhere.
"""

import base64
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Literal, Self, get_args

from manifests.errors import UserError
from manifests.schema import Audio
from manifests.storage import Place

ClipsWhere = Literal["beside", "inside", "none"]
CLIPS_WHERE: tuple[ClipsWhere, ...] = get_args(ClipsWhere)

PLAYED = {"wav": "audio/wav", "flac": "audio/flac"}
"""Codecs that browsers play, with their media types."""

INSIDE_MB = 256
"""Largest clips inside a page, in megabytes of base64: browsers give up on a page of half a gigabyte."""

# Each clip waits for the disk, so several are written at once; the queue, and so memory, is bounded.
_THREADS = 8
_AHEAD = 32

_NAME = re.compile(r"[0-9]{6,}-[0-9]+\.(?:wav|flac)")


class PageClips:
    """Stores the clips of the page. `folder` is the directory for those beside it; they are there when the block ends
    in which this is the context manager."""

    def __init__(self, where: ClipsWhere, folder: Place) -> None:
        """Empty the folder of what an earlier report put there; raises UserError if it holds anything else."""
        self._where, self._folder = where, folder
        self._inside: list[tuple[str, str]] = []
        self._bytes = 0
        self._pool = ThreadPoolExecutor(_THREADS)
        self._waiting: deque[Future[None]] = deque()
        if where == "beside":
            self._make_room()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._pool:
            while self._waiting and error is None:
                self._waiting.popleft().result()

    def put(self, row: int, turn: int, audio: Audio) -> str | None:
        """Store a clip; return how the page finds it: a path relative to the page, or the id of the clip inside.

        None for a clip that has no bytes or that no browser plays, and where the page has no clips. Raises UserError
        if the clips become too large for a page.
        """
        if self._where == "none" or not audio.bytes or audio.codec not in PLAYED:
            return None
        name = f"{row:06d}-{turn}"
        if self._where == "beside":
            path = f"{name}.{audio.codec}"
            self._waiting.append(self._pool.submit((self._folder / path).write_bytes, audio.bytes))
            if len(self._waiting) >= _AHEAD:
                self._waiting.popleft().result()
            return f"{self._folder.name}/{path}"
        self._keep(f"clip-{name}", audio)
        return f"#clip-{name}"

    def inside(self) -> Iterator[tuple[str, str]]:
        """Yield id and data address of each clip inside the page."""
        yield from self._inside

    def _keep(self, name: str, audio: Audio) -> None:
        data = f"data:{PLAYED[audio.codec]};base64,{base64.b64encode(audio.bytes).decode('ascii')}"
        self._bytes += len(data)
        if self._bytes > INSIDE_MB * 1_000_000:
            raise UserError(
                f"the clips take more than {INSIDE_MB} MB inside one page, which browsers do not open: "
                "give fewer --rows, or --clips beside"
            )
        self._inside.append((name, data))

    def _make_room(self) -> None:
        files = self._folder.list()
        if foreign := [file.name for file in files if not (_NAME.fullmatch(file.name) and file.is_file())]:
            raise UserError(f"{self._folder.name} holds {foreign[0]}, which no report put there: choose another --out")
        for file in files:
            file.delete()
