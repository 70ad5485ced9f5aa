"""Looks for personal data in the texts of a corpus."""

from collections import Counter
from typing import Any

import numpy as np

from manifests.corpus import Corpus
from manifests.storage import Place
from pipeline.contamination.findings import Findings
from pipeline.contamination.pii import PiiScanner

_TEXTS = ("text", "original_text", "material")
_COLUMNS = ("dialogue_id", "language", "turns.role", *(f"turns.{name}" for name in _TEXTS))
_FINDS_KEPT = 10_000


def scan_for_pii(place: Place) -> Findings:
    """Scan what is spoken, and what the source wrote, in every kept row. The finds are masked."""
    corpus, scanner = Corpus(place), PiiScanner()
    clean = np.ones(len(corpus), dtype=bool)
    kinds, columns = Counter[str](), Counter[str]()
    finds: list[dict[str, Any]] = []
    row = -1
    for batch in corpus.select(_COLUMNS):
        for found in batch.to_pylist():
            row += 1
            for turn, part in enumerate(found["turns"]):
                for name in _TEXTS:
                    for personal in scanner.find(part[name] or "", found["language"]):
                        clean[row] = False
                        kinds[personal.kind] += 1
                        columns[f"turns.{name}"] += 1
                        if len(finds) < _FINDS_KEPT:
                            place_of = {"dialogue_id": found["dialogue_id"], "turn": turn, "role": part["role"]}
                            finds.append({**place_of, "column": name, "kind": personal.kind, "is": personal.masked})
    figures = {
        "rows": len(corpus),
        "hit_rows": int((~clean).sum()),
        "kinds": dict(kinds.most_common()),
        "columns": dict(columns.most_common()),
        "finds": finds,
    }
    return Findings("pii", "finds", figures, clean, corpus)
