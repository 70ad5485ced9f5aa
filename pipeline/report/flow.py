"""Counts where the rows of a corpus ended: the stage, the status and the reason."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from manifests.reasons import reason_of
from manifests.schema import Dialogue

INGEST = "ingest"


def last_stage(dialogue: Dialogue) -> str:
    """Return the stage at which the row ended: the last one in its provenance, or ingest."""
    return dialogue.provenance[-1].stage if dialogue.provenance else INGEST


class Flow:
    """Collects rows by the stage where they ended, and why."""

    def __init__(self, order: Sequence[str] = ()) -> None:
        """`order` are the recipe's stages, in running order."""
        self._order = [INGEST, *order]
        self._kept = 0
        self._ended: Counter[tuple[str, str, str]] = Counter()

    def add(self, dialogue: Dialogue) -> None:
        if dialogue.status == "kept":
            self._kept += 1
        else:
            self._ended[last_stage(dialogue), dialogue.status, dialogue.reason or ""] += 1

    def figures(self) -> dict[str, Any]:
        """Return the rows of the input and those kept, and for each stage, in running order, its reasons with rows."""
        return {
            "input": self._kept + sum(self._ended.values()),
            "kept": self._kept,
            "stages": [{"stage": stage, "reasons": self._reasons(stage)} for stage in self._stages()],
        }

    def _stages(self) -> list[str]:
        found = {stage for stage, _, _ in self._ended}
        return [*(name for name in self._order if name in found), *sorted(found.difference(self._order))]

    def _reasons(self, stage: str) -> list[dict[str, Any]]:
        rows = [(count, reason, status) for (at, status, reason), count in self._ended.items() if at == stage]
        return [
            {"reason": reason, "status": status, "meaning": meaning_of(reason), "rows": count}
            for count, reason, status in sorted(rows, key=lambda row: (-row[0], row[1]))
        ]


def meaning_of(reason: str) -> str:
    """Return the meaning of a reason in words; empty for one that is not in the list."""
    known = reason_of(reason)
    return known.meaning if known else ""
