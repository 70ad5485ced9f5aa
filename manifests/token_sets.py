"""Token sets: speech tokens of the kept rows of a finished corpus, as files beside its shards. No shard is changed.

::

    CORPUS/tokens/NAME/kept-00000.parquet   a line for each row of the shard of that name, row group for row group
    CORPUS/tokens/NAME.json                 which tokenizer, and for which corpus; written last

A line holds the codes of each turn's clip, or of each track, as the set says. A set names the hash of the manifest
that it was made for, and is refused beside any other; its files name the tokenizer too, so that none can be swapped.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from manifests import table as tables
from manifests.errors import CorpusError, UserError
from manifests.json_text import parse_json
from manifests.manifest import manifest_hash, parse_record
from manifests.row_groups import open_row_groups
from manifests.schema import SpeechTokens
from manifests.sealed_json import sealed_text, without_seal
from manifests.shards import ShardInfo
from manifests.storage import Place

TOKENS = "tokens"
TOKEN_FORMAT = "parley-tokens/1"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEY = b"parley_tokens"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class ClipCodes:
    """Holds the codes of one clip, [book][frame]; without any, `problem` may say why."""

    books: tuple[tuple[int, ...], ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RowCodes:
    """Holds the codes of one row: of its turns and its tracks, in their order; empty where the set is not of them."""

    dialogue_id: str
    turns: tuple[ClipCodes, ...]
    tracks: tuple[ClipCodes, ...]


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Holds what the JSON file of a set says; the fields up to `license` are those of `SpeechTokens`.

    `rows` are the kept rows of the corpus, `clips` those that have tokens, `frames` all their frames; `without` counts
    the clips that have none by what is wrong with them. `about` is everything that decided the codes: the engine, its
    version and settings, and of what clips they are.
    """

    name: str
    tokenizer: str
    revision: str
    sample_rate: int
    hop_length: int
    codebook_size: int
    license: str | None
    manifest_sha256: str
    parley_version: str
    rows: int
    clips: int
    frames: int
    without: dict[str, int]
    shards: tuple[ShardInfo, ...]
    about: dict[str, Any]
    format: str = TOKEN_FORMAT

    def tokens(self, codes: ClipCodes) -> SpeechTokens | None:
        """Return a clip's tokens as rows hold them, None without any. Raises CorpusError for an impossible code."""
        if not codes.books:
            return None
        for book in codes.books:
            if not book or min(book) < 0 or max(book) >= self.codebook_size:
                raise CorpusError(f"a code is not in 0..{self.codebook_size - 1}, or a book is empty")
        return SpeechTokens(
            tokenizer=self.tokenizer,
            revision=self.revision,
            sample_rate=self.sample_rate,
            hop_length=self.hop_length,
            codebook_size=self.codebook_size,
            books=codes.books,
            derivation="wav2token",
            license=self.license,
        )

    @property
    def mark(self) -> dict[bytes, bytes]:
        """What the metadata of each file says, so that a file of another set is not taken for one of this."""
        says = {"tokenizer": self.tokenizer, "revision": self.revision, "manifest_sha256": self.manifest_sha256}
        return {_KEY: json.dumps(says, sort_keys=True).encode()}


def check_set_name(name: str) -> None:
    """Raise a UserError for what cannot be the name of a set."""
    if not _NAME.fullmatch(name):
        raise UserError(f"a token set cannot be named {name!r}: lower-case letters, digits, dots, - and _")


def token_set_names(place: Place) -> tuple[str, ...]:
    """Return the names of the corpus's finished sets, sorted."""
    files = [file.name for file in (place / TOKENS).list() if file.is_file()]
    return tuple(name.removesuffix(".json") for name in files if name.endswith(".json"))


def load_token_set(place: Place, name: str) -> TokenSet:
    """Load what a set's JSON file says.

    Raises UserError if there is no such set, and CorpusError if the file is damaged or was made for another corpus
    than the one in `place`.
    """
    if name not in token_set_names(place):
        there = ", ".join(token_set_names(place)) or "none"
        raise UserError(f"{place}: no token set {name!r}; token sets of this corpus: {there}")
    found = _parse(place, name)
    if found.manifest_sha256 != manifest_hash(place):
        raise CorpusError(
            f"{TOKENS}/{name}.json was made for a corpus with another manifest: remove {TOKENS}/{name} and its JSON "
            "file, and make the tokens again"
        )
    return found


def write_token_shard(place: Place, path: str, groups: Iterable[pa.Table], token_set: TokenSet) -> ShardInfo:
    """Write the tables of `token_table`, a row group each, to `path` below the corpus `place`."""
    rows, schema = 0, tables.arrow_schema_of(RowCodes).with_metadata(token_set.mark)
    with open_row_groups(place / path, schema) as file:
        for group in groups:
            file.write(group.replace_schema_metadata(token_set.mark))
            rows += group.num_rows
    return ShardInfo(path, rows, *size_and_hash(place / path))


def write_token_set(place: Place, token_set: TokenSet) -> None:
    """Write the JSON file of a set whose shards are all there."""
    token_file(place, token_set.name).write_text(sealed_text(asdict(token_set)))


def token_file(place: Place, name: str) -> Place:
    return place / TOKENS / f"{name}.json"


def token_shard_path(name: str, shard: ShardInfo) -> str:
    """Return the path, below the corpus, of a set's file for a shard of the corpus."""
    return f"{TOKENS}/{name}/{shard.path.rsplit('/', 1)[-1]}"


def token_table(rows: Sequence[RowCodes]) -> pa.Table:
    """Return the table of a row group."""
    return tables.to_table(rows, RowCodes)


def schema_problem(schema: pa.Schema, token_set: TokenSet) -> str | None:
    """Say why a file's schema is not that of a file of the set."""
    if not schema.remove_metadata().equals(tables.arrow_schema_of(RowCodes)):
        return "not the rows of a token set"
    if (schema.metadata or {}).get(_KEY) != token_set.mark[_KEY]:
        return f"it holds tokens of another tokenizer, revision or corpus than {token_set.name}.json says"
    return None


def size_and_hash(file: Place) -> tuple[int, str]:
    digest = hashlib.sha256()
    with file.filesystem.open_input_stream(file.path) as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return file.size(), digest.hexdigest()


def _parse(place: Place, name: str) -> TokenSet:
    file = f"{TOKENS}/{name}.json"
    try:
        data = parse_json(token_file(place, name).read_text())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file}: not JSON, or cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("format") != TOKEN_FORMAT:
        raise CorpusError(f"{file}: its format is not {TOKEN_FORMAT}")
    found = parse_record(TokenSet, without_seal(data), "token set")
    if found.name != name:
        raise CorpusError(f"{file}: holds a token set of the name {found.name}")
    if found.sample_rate < 1 or found.hop_length < 1 or found.codebook_size < 1:
        raise CorpusError(f"{file}: a rate, hop length or codebook size below 1")
    for shard in found.shards:
        if not shard.path.startswith(f"{TOKENS}/{name}/") or ".." in shard.path:
            raise CorpusError(f"{file}: a file of the set has the wrong path {shard.path}")
    return found
