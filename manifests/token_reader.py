"""Joins the token sets of a corpus to its rows as they are read, and checks that the sets fit."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import table as tables
from manifests.arrow import Rows, take_rows
from manifests.errors import CorpusError, UserError
from manifests.row_groups import label
from manifests.schema import Dialogue, SpeechTokens, Timeline, Track, Turn
from manifests.sealed_json import is_sealed
from manifests.shards import DAMAGE, ShardInfo, first_line
from manifests.storage import Place
from manifests.token_sets import (
    TOKENS,
    ClipCodes,
    RowCodes,
    TokenSet,
    load_token_set,
    schema_problem,
    size_and_hash,
    token_file,
    token_set_names,
    token_shard_path,
)

# As many shards as a `Corpus` keeps open.
_OPEN_FILES = 16


class TokenFile:
    """An open file of a set, with random access by row group. CorpusErrors name the file."""

    def __init__(self, place: Place, token_set: TokenSet) -> None:
        self._place, self._set = place, token_set
        if not place.is_file():
            raise CorpusError(f"{label(place)}: the file is missing")
        try:
            source = place.filesystem.open_input_file(place.path)
            self._parquet = pq.ParquetFile(source, page_checksum_verification=True)
            metadata = self._parquet.metadata
            self.group_rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            problem = schema_problem(self._parquet.schema_arrow, token_set)
        except DAMAGE as error:
            raise CorpusError(f"{label(place)}: damaged, or not a Parquet file: {first_line(error)}") from error
        if problem:
            raise CorpusError(f"{label(place)}: {problem}")

    def table(self, group: int, names: Sequence[str] | None = None) -> pa.Table:
        try:
            table = self._parquet.read_row_group(group, columns=names, use_threads=False)
            table.validate(full=True)
        except DAMAGE as error:
            raise CorpusError(f"{label(self._place)}: damaged: {first_line(error)}") from error
        return table

    def rows(self, group: int, rows: Rows | None = None) -> list[RowCodes]:
        """Read the rows of a row group, or some of them, by their numbers in the group."""
        table = self.table(group)
        try:
            return tables.from_table(table if rows is None else take_rows(table, rows), RowCodes)
        except CorpusError as error:
            raise CorpusError(f"{label(self._place)}: {error}") from error

    def joined(self, dialogue: Dialogue, row: RowCodes) -> Dialogue:
        """Add a row's tokens to its dialogue. Raises CorpusError if they are not of that dialogue."""
        try:
            return _joined(dialogue, row, self._set)
        except CorpusError as error:
            raise CorpusError(f"{label(self._place)}: {dialogue.dialogue_id}: {error}") from error

    def close(self) -> None:
        self._parquet.close(force=True)


class TokenReader:
    """Adds the tokens of sets to dialogues of a corpus. Files are opened on demand, and anew in a forked process."""

    def __init__(self, place: Place, names: Sequence[str]) -> None:
        """Load what the sets say. Raises like `load_token_set`, and UserError for two sets of one tokenizer."""
        self._place = place
        self.sets = tuple(load_token_set(place, name) for name in names)
        tokenizers = [each.tokenizer for each in self.sets]
        if twice := {name for name in tokenizers if tokenizers.count(name) > 1}:
            raise UserError(
                f"several of these token sets are of the tokenizer {min(twice)}: open one of them at a time"
            )
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        return {"_place": self._place, "sets": self.sets}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def reopened(self) -> "TokenReader":
        """Return a reader of the same sets with files of its own, for another thread."""
        other = TokenReader.__new__(TokenReader)
        other.__setstate__(self.__getstate__())
        return other

    def joined(
        self, dialogues: Sequence[Dialogue], shard: ShardInfo, group_rows: Sequence[int], group: int, rows: Rows
    ) -> list[Dialogue]:
        """Add the tokens to these dialogues, the rows `rows` of row group `group` of `shard`.

        `group_rows` are the rows of each row group of the shard. Raises CorpusError for files that do not fit it.
        """
        found = list(dialogues)
        for token_set in self.sets:
            file = self._file(token_set, shard, group_rows)
            pairs = zip(found, file.rows(group, rows), strict=True)
            found = [file.joined(dialogue, row) for dialogue, row in pairs]
        return found

    def codes(
        self, ids: Sequence[str], shard: ShardInfo, group_rows: Sequence[int], group: int, rows: Rows
    ) -> list[list[dict[str, tuple[tuple[int, ...], ...]]]]:
        """Return the codes, [book][frame] by tokenizer, of each turn of the rows of these ids; see `joined`."""
        found: list[list[dict[str, tuple[tuple[int, ...], ...]]]] = [[] for _ in ids]
        for token_set in self.sets:
            read = self._file(token_set, shard, group_rows).rows(group, rows)
            for dialogue_id, mine, row in zip(ids, found, read, strict=True):
                if row.dialogue_id != dialogue_id:
                    path = token_shard_path(token_set.name, shard)
                    raise CorpusError(f"{path}: {dialogue_id}: the tokens are those of {row.dialogue_id}")
                mine += [{} for _ in row.turns[len(mine) :]]
                for turn, codes in zip(mine, row.turns, strict=False):
                    if codes.books and token_set.tokens(codes):
                        turn[token_set.tokenizer] = codes.books
        return found

    def _file(self, token_set: TokenSet, shard: ShardInfo, group_rows: Sequence[int]) -> TokenFile:
        if self._process != os.getpid():
            self._forget()
        path = token_shard_path(token_set.name, shard)
        if path not in self._open:
            file = TokenFile(self._place / path, token_set)
            if file.group_rows != list(group_rows):
                raise CorpusError(f"{path}: not the rows of {shard.path}")
            self._open[path] = file
            if len(self._open) > _OPEN_FILES * len(self.sets):
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(path)
        return self._open[path]

    def _forget(self) -> None:
        self._process = os.getpid()
        self._open: OrderedDict[str, TokenFile] = OrderedDict()


def token_problems(place: Place, kept: Sequence[ShardInfo], ids: Any, deep: bool) -> Iterator[tuple[str, str]]:
    """Yield (file, message) for everything that is wrong with the token sets of a corpus.

    `ids` returns the dialogue_ids of a kept shard, a chunked array. With `deep`, every hash and code is checked.
    """
    names = token_set_names(place)
    known = {*names, *(f"{name}.json" for name in names)}
    for entry in (place / TOKENS).list(leftovers=True):
        if entry.name not in known:
            unfinished = not entry.is_file()
            what = "an unfinished token set: the same command continues it" if unfinished else "does not belong here"
            yield f"{TOKENS}/{entry.name}", what
    for name in names:
        try:
            yield from _set_problems(place, load_token_set(place, name), kept, ids, deep)
            if not is_sealed(token_file(place, name).read_text()):
                yield f"{TOKENS}/{name}.json", "its hash is not that of what it says: make the tokens again"
        except (CorpusError, UserError) as error:
            yield f"{TOKENS}/{name}.json", str(error)


def _set_problems(
    place: Place, token_set: TokenSet, kept: Sequence[ShardInfo], ids: Any, deep: bool
) -> Iterator[tuple[str, str]]:
    expected = [token_shard_path(token_set.name, shard) for shard in kept]
    if [shard.path for shard in token_set.shards] != expected:
        yield f"{TOKENS}/{token_set.name}.json", "does not list a file for each kept shard"
        return
    for entry in (place / TOKENS / token_set.name).list(leftovers=True):
        if f"{TOKENS}/{token_set.name}/{entry.name}" not in expected:
            yield f"{TOKENS}/{token_set.name}/{entry.name}", "does not belong to the token set"
    for shard, info in zip(kept, token_set.shards, strict=True):
        try:
            yield from ((info.path, problem) for problem in _file_problems(place, token_set, info, ids(shard), deep))
        except CorpusError as error:
            yield info.path, str(error)


def _file_problems(place: Place, token_set: TokenSet, info: ShardInfo, ids: Any, deep: bool) -> Iterator[str]:
    file = place / info.path
    if file.is_file() and file.size() != info.bytes:
        yield f"{file.size()} bytes, but {token_set.name}.json says {info.bytes}"
        return
    opened = TokenFile(file, token_set)
    try:
        if deep and size_and_hash(file)[1] != info.sha256:
            yield f"the sha256 is not the one in {token_set.name}.json"
        groups = range(len(opened.group_rows))
        listed = [chunk for group in groups for chunk in opened.table(group, ["dialogue_id"])[0].chunks]
        if not pa.chunked_array(listed, pa.string()).equals(ids):
            yield "does not list the rows of its shard"
        for group in groups if deep else ():
            for row in opened.rows(group):
                yield from _code_problems(row, token_set)
    finally:
        opened.close()


def _code_problems(row: RowCodes, token_set: TokenSet) -> Iterator[str]:
    for codes in (*row.turns, *row.tracks):
        try:
            token_set.tokens(codes)
        except CorpusError as error:
            yield f"{row.dialogue_id}: {error}"


def _joined(dialogue: Dialogue, row: RowCodes, token_set: TokenSet) -> Dialogue:
    if row.dialogue_id != dialogue.dialogue_id:
        raise CorpusError(f"the tokens are those of {row.dialogue_id}")
    if row.turns:
        _check_length(len(row.turns), len(dialogue.turns), "turns")
        pairs = zip(dialogue.turns, row.turns, strict=True)
        dialogue = replace(dialogue, turns=tuple(_with_codes(turn, codes, token_set) for turn, codes in pairs))
    if row.tracks:
        timeline = dialogue.timeline
        _check_length(len(row.tracks), len(timeline.tracks) if timeline else 0, "tracks")
        assert timeline is not None  # else it has no tracks
        dialogue = replace(dialogue, timeline=_with_track_codes(timeline, row.tracks, token_set))
    return dialogue


def _check_length(found: int, there: int, what: str) -> None:
    if found != there:
        raise CorpusError(f"tokens of {found} {what}, but the row has {there}")


def _with_codes(turn: Turn, codes: ClipCodes, token_set: TokenSet) -> Turn:
    tokens = token_set.tokens(codes)
    if tokens is None:
        return turn
    if turn.take is None:
        raise CorpusError("tokens of a turn that has no take")
    return replace(turn, take=replace(turn.take, tokens=_added(turn.take.tokens, tokens)))


def _with_track_codes(timeline: Timeline, tracks: Sequence[ClipCodes], token_set: TokenSet) -> Timeline:
    def joined(track: Track, codes: ClipCodes) -> Track:
        tokens = token_set.tokens(codes)
        return track if tokens is None else replace(track, tokens=_added(track.tokens, tokens))

    pairs = zip(timeline.tracks, tracks, strict=True)
    return replace(timeline, tracks=tuple(joined(track, codes) for track, codes in pairs))


def _added(before: tuple[SpeechTokens, ...], tokens: SpeechTokens) -> tuple[SpeechTokens, ...]:
    """Add tokens in the place of older ones of the same tokenizer."""
    return (*(each for each in before if each.tokenizer != tokens.tokenizer), tokens)
