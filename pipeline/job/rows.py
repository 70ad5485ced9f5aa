"""Makes a dialogue of a row of the input: what depends on the row alone, and not on the rows before it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from manifests.reasons import Reason
from manifests.schema import Dialogue, Source, Turn
from pipeline.job.inputs import InputFile
from pipeline.job.names import DIGEST_BYTES
from pipeline.readers import detect_language, read_rows
from pipeline.readers.detect import NoRows
from pipeline.readers.rows import SourceRow, SourceTurn
from pipeline.recipe import Recipe
from pipeline.stages.contract import reject


@dataclass(frozen=True)
class IngestOptions:
    """Holds options. `language` None: detected for each row. `limit`: the most rows to take, over all files;
    `limit_each`: of each file."""

    language: str | None = None
    limit: int | None = None
    limit_each: int | None = None


def whole_file_rows(file: InputFile) -> Iterator[SourceRow]:
    """Read a file; of several in a data set, one may be without rows."""
    try:
        return read_rows(file.place, file.format)
    except NoRows:
        if not file.name:
            raise
        return iter(())


def text_digest(turns: Sequence[SourceTurn]) -> bytes:
    """Return the digest of a row's texts, by which it gets its id: DIGEST_BYTES bytes."""
    content = json.dumps([(turn.role, turn.text, turn.material) for turn in turns], ensure_ascii=True)
    return hashlib.blake2b(content.encode("ascii"), digest_size=DIGEST_BYTES).digest()


def language_of(row: SourceRow, options: IngestOptions) -> str:
    """Return the language that the user names, or that of the row's texts; "und" if it cannot be told."""
    if options.language:
        return options.language
    return detect_language(" ".join(f"{turn.text} {turn.material}" for turn in row.turns)) or "und"


def row_dialogue(
    row: SourceRow,
    file: InputFile,
    language: str,
    recipe: Recipe,
    recipe_digest: str,
    dialogue_id: str,
    is_repeated: bool,
) -> Dialogue:
    """Make the dialogue. User and agent turns alternate; `is_repeated`: an earlier row has the same texts."""
    dialogue = Dialogue(
        dialogue_id=dialogue_id,
        language=language,
        source=Source(file.dataset, file.row(row.row), file.license),
        turns=_turns(row, recipe.exchanges == "first"),
        recipe=recipe_digest,
        tools=row.tools,
    )
    if row.reason is not None:
        return reject(dialogue, row.reason, row.detail or "")
    if "tools" not in recipe.stages and any(turn.calls for turn in dialogue.turns):
        return reject(dialogue, Reason.PLUGIN_ROW, "the agent calls a tool, and the recipe has no stage `tools`")
    if is_repeated:
        return reject(dialogue, Reason.DUPLICATE)
    if language not in recipe.languages:
        detail = "its language could not be told; name it with --language" if language == "und" else language
        return reject(dialogue, Reason.UNSUPPORTED_LANGUAGE, detail)
    return dialogue


def _turns(row: SourceRow, first_exchange_only: bool) -> tuple[Turn, ...]:
    turns = [Turn(turn.role, turn.text, turn.material, thought=turn.thought, calls=turn.calls) for turn in row.turns]
    if turns and turns[-1].role == "user" and row.reason is None:
        turns.append(Turn(role="agent", original_text=""))
    return tuple(turns[:2] if first_exchange_only else turns)
