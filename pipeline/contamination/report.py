"""Compares the questions and answers of a corpus with lists, and drops what stands in them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from manifests.corpus import Corpus
from manifests.storage import Place
from pipeline.contamination.findings import Findings
from pipeline.contamination.lists import read_list
from pipeline.contamination.matches import Match, MatchSettings, TextIndex

_COLUMNS = ("dialogue_id", "turns.role", "turns.original_text", "turns.text")
_PAIRS_KEPT = 10_000


def compare_with_lists(
    place: Place, against: Sequence[str], fields: Sequence[str], settings: MatchSettings
) -> Findings:
    """Compare every turn's text, and the source's text that it was made from, with the texts of the files.

    Memory grows with the lists and with what is found, not with the corpus. Raises InputError and UserError for lists
    that cannot be read (`read_list`).
    """
    lists = [read_list(uri, fields) for uri in against]
    index = TextIndex((text for listed in lists for text in listed.texts), settings)
    corpus = Corpus(place)
    clean = np.ones(len(corpus), dtype=bool)
    kinds, roles, files = Counter[str](), Counter[str](), Counter[str]()
    pairs: list[dict[str, Any]] = []
    for row, dialogue_id, turn, role, text, match in _matches(corpus, index):
        clean[row] = False
        kinds[match.kind] += 1
        roles[role] += 1
        files[match.listed.file] += 1
        if len(pairs) < _PAIRS_KEPT:
            pairs.append(_pair(dialogue_id, turn, role, text, match))
    figures = {
        "lists": [{"file": one.file, "sha256": one.sha256, "texts": len(one.texts)} for one in lists],
        "fields": list(fields),
        "settings": {"similarity": settings.similarity, "ngram": settings.ngram, "shortest": settings.shortest},
        "too_short": index.skipped,
        "rows": len(corpus),
        "hit_rows": int((~clean).sum()),
        "matches": dict(kinds.most_common()),
        "roles": dict(roles.most_common()),
        "files": dict(files.most_common()),
        "pairs": pairs,
    }
    return Findings("decontaminate", "pairs", figures, clean, corpus)


def _matches(corpus: Corpus, index: TextIndex) -> Iterator[tuple[int, str, int, str, str, Match]]:
    """Yield row number, dialogue_id, turn, role, text and match of every text that stands in a list."""
    start = 0
    for batch in corpus.select(_COLUMNS):
        texts = [
            (start + number, row["dialogue_id"], turn, part["role"], text)
            for number, row in enumerate(batch.to_pylist())
            for turn, part in enumerate(row["turns"])
            for text in dict.fromkeys((part["text"] or "", part["original_text"]))
            if text
        ]
        for place, match in zip(texts, index.find([text for *_, text in texts]), strict=True):
            if match is not None:
                yield (*place, match)
        start += batch.num_rows


def _pair(dialogue_id: str, turn: int, role: str, text: str, match: Match) -> dict[str, Any]:
    return {
        "dialogue_id": dialogue_id,
        "turn": turn,
        "role": role,
        "kind": match.kind,
        "similarity": round(match.similarity, 4),
        "shared": match.shared,
        "text": text,
        "listed": match.listed.text,
        "file": match.listed.file,
        "row": match.listed.row,
    }
