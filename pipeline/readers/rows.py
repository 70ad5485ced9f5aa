"""The row that every reader yields: one `SourceRow` for one row of the file, readable or not."""

from dataclasses import dataclass

from manifests.reasons import Reason
from manifests.schema import Role


@dataclass(frozen=True, slots=True)
class SourceTurn:
    """One turn of the source. `material` is text that the format keeps apart from the instruction (Alpaca's input).

    `thought` is the reasoning behind an agent's turn, `calls` the tool calls that it makes, as JSON.
    """

    role: Role
    text: str
    material: str = ""
    thought: str | None = None
    calls: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of an input file.

    `row` is the row's own id, or its 0-based position in the file if it has none. A row that cannot be used carries a
    `reason`, a `detail`, and in `turns` whatever could be read of it (the raw text as one user turn for a broken
    line), so that nothing is lost. `tools` are the schemas of the tools that the agent may call, as JSON.
    """

    row: str
    turns: tuple[SourceTurn, ...]
    reason: Reason | None = None
    detail: str | None = None
    tools: str | None = None
