"""Works out the licenses of all rows of a corpus, and which of them a use allows."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.manifest import load_manifest
from manifests.row_groups import open_row_groups
from manifests.storage import Place
from manifests.token_sets import load_token_set, token_set_names
from manifests.views import View
from pipeline.licenses.parts import LicensedPart, Licensing, StageUse, TokensUse
from pipeline.licenses.terms import Terms, Use, Verdict, joined_expression, load_terms
from pipeline.views.facts import Mask, RowFacts, mapped, read_facts
from pipeline.views.make import put_view
from pipeline.views.voices import VoicesKnown, know_voices
from pipeline.weights.table import load_table

_COLUMNS = (
    "source.dataset",
    "source.license",
    "user_voice",
    "agent_voice",
    "background_voice",
    "provenance.stage",
    "provenance.engine",
    "provenance.version",
    *(
        f"{holder}.tokens.{name}"
        for holder in ("turns.take", "timeline.tracks")
        for name in ("tokenizer", "revision", "license")
    ),
)
USES: tuple[Use, ...] = get_args(Use)
_SCHEMA = pa.schema(
    [("dialogue_id", pa.large_string()), ("license", pa.large_string())]
    + [(use, pa.string()) for use in USES]
    + [("reasons", pa.large_string())]
)
_GROUP_ROWS = 65_536


@dataclass(frozen=True)
class _Judged:
    """What rows of the same parts have in common: `license` is an expression, `reasons` why not, by use."""

    license: str
    verdicts: dict[Use, Verdict]
    reasons: dict[Use, tuple[str, ...]]
    attribution: tuple[str, ...]
    share_alike: tuple[str, ...]


@dataclass(frozen=True)
class LicenseReport:
    """The licenses of a corpus. `figures` is ready for JSON; `allowed` tells each row's verdict by use."""

    figures: dict[str, Any]
    allowed: dict[Use, Mask]
    corpus: Corpus
    facts: RowFacts
    known: VoicesKnown

    def choose(self, use: Use) -> View:
        """Write the view of the rows that a use is allowed of, under the use's name; the others keep their reasons.

        Raises UserError where there is no such row.
        """
        if not self.allowed[use].any():
            raise UserError(f"no row is free for {use} use; the report has the reasons")
        numbers = np.where(self.allowed[use], 0, -1).astype(np.int8)
        gender = mapped(self.facts.user_voice, dict(self.known.genders))
        found = self.figures["uses"][use]
        about = {
            "made_by": "licenses",
            "use": use,
            "bank": self.known.bank_record,
            **self.figures["made_with"],
            **found,
        }
        return put_view(self.corpus, use, (use,), numbers, self.facts, gender, about)


def report_licenses(
    place: Place, own_terms: Path | None = None, bank: str | None = None, rows: Place | None = None
) -> LicenseReport:
    """Work out the licenses of the kept rows of a corpus; `rows` is a Parquet file for those of each row.

    A token set beside the shards is a part of every row. Raises UserError for terms that are not of their form, and
    for a bank that is not the corpus's.
    """
    corpus = Corpus(place)
    facts = read_facts(corpus)
    voices = {*facts.user_voice.names, *facts.agent_voice.names, *facts.background_voice.names}
    known = know_voices(corpus, voices, bank)
    terms = load_terms(own_terms)
    licensing = Licensing(terms, load_table(), known.bank)
    judge = _Judge(terms, licensing, licensing.recordings(_mix_settings(place)))
    beside = _token_sets(place)
    judged = [judge.row(source, voices, steps, tokens | beside) for source, voices, steps, tokens in _keys(corpus)]
    if rows is not None:
        _write_rows(rows, facts, judged)
    allowed = {use: np.array([row.verdicts[use] == "allowed" for row in judged], dtype=bool) for use in USES}
    figures = {**_figures(facts, judged, judge, known), "made_with": {"terms": _terms_record(own_terms)}}
    return LicenseReport(figures, allowed, corpus, facts, known)


def _token_sets(place: Place) -> frozenset[TokensUse]:
    sets = (load_token_set(place, name) for name in token_set_names(place))
    return frozenset(TokensUse(each.tokenizer, each.revision, each.license) for each in sets)


def _mix_settings(place: Place) -> Mapping[str, Any]:
    """Return the recipe's settings of the stage mix, as the manifest has them; a manifest may hold anything."""
    stages = load_manifest(place).recipe.settings.get("stages")
    mix = stages.get("mix") if isinstance(stages, Mapping) else None
    return mix if isinstance(mix, Mapping) else {}


def _terms_record(own: Path | None) -> dict[str, str] | None:
    """Name and hash of the user's own terms."""
    return None if own is None else {"file": own.name, "sha256": hashlib.sha256(own.read_bytes()).hexdigest()}


class _Judge:
    """Judges rows; those of the same parts are judged once."""

    def __init__(self, terms: Terms, licensing: Licensing, recordings: Sequence[LicensedPart]) -> None:
        """`recordings` are mixed into every dialogue that is mixed, as far as a row's steps tell."""
        self._terms, self._licensing, self._recordings = terms, licensing, recordings
        self._rows: dict[tuple[Any, ...], _Judged] = {}
        self.parts: Counter[LicensedPart] = Counter()
        self.stages: set[str] = set()
        self._parts_of: dict[tuple[Any, ...], tuple[LicensedPart, ...]] = {}
        self._by_parts: dict[tuple[LicensedPart, ...], _Judged] = {}

    def row(
        self,
        source: tuple[str, str | None],
        voices: tuple[str, ...],
        steps: tuple[StageUse, ...],
        tokens: frozenset[TokensUse],
    ) -> _Judged:
        key = (source, voices, steps, tokens)
        if key not in self._parts_of:
            self.stages.update(step.stage for step in steps)
            self._parts_of[key] = tuple(sorted(self._find(*key), key=str))
        parts = self._parts_of[key]
        self.parts.update(parts)
        if parts not in self._by_parts:
            self._by_parts[parts] = self._judge(parts)
        return self._by_parts[parts]

    def ignored(self) -> dict[str, str]:
        return self._licensing.ignored(sorted(self.stages))

    def verdict(self, part: LicensedPart, use: Use) -> tuple[Verdict, str]:
        return self._terms.verdict(part.license, use)

    def _find(
        self,
        source: tuple[str, str | None],
        voices: tuple[str, ...],
        steps: tuple[StageUse, ...],
        tokens: frozenset[TokensUse],
    ) -> set[LicensedPart]:
        found = {self._licensing.dataset(*source)}
        found |= {self._licensing.voice(v, side) for v, side in zip(voices, _SIDES, strict=True) if v}
        found |= set(self._recordings) if any(step.stage == "mix" for step in steps) else set()
        found |= self._licensing.tokens(tokens)
        return found | {part for step in steps for part in self._licensing.engines(step, voices)}

    def _judge(self, parts: tuple[LicensedPart, ...]) -> _Judged:
        verdicts: dict[Use, Verdict] = {}
        reasons: dict[Use, tuple[str, ...]] = {}
        for use in USES:
            found = [(part, *self.verdict(part, use)) for part in parts]
            order = ("forbidden", "unknown", "conditions", "allowed")
            verdicts[use] = min((verdict for _, verdict, _ in found), key=order.index)
            reasons[use] = tuple(f"{part}: {why}" for part, verdict, why in found if verdict != "allowed")
        license = joined_expression([part.license for part in parts])
        return _Judged(license, verdicts, reasons, *(self._asking(license, duty) for duty in _DUTIES))

    def _asking(self, license: str, duty: str) -> tuple[str, ...]:
        names = {name for name, terms in self._terms.licenses.items() if getattr(terms, duty)}
        return tuple(sorted(names & set(license.replace("(", " ").replace(")", " ").split())))


_SIDES = ("user", "agent", "user")
"""Whose voices those of a row are; the background is one of the bank's users."""
_DUTIES = ("attribution", "share_alike")


_Key = tuple[tuple[str, str | None], tuple[str, ...], tuple[StageUse, ...], frozenset[TokensUse]]


def _keys(corpus: Corpus) -> Iterator[_Key]:
    """Yield what each row is made of: source, voices, the stages that ran on it, and the tokens that it has."""
    for batch in corpus.select(_COLUMNS):
        for row in batch.to_pylist():
            steps = {StageUse(step["stage"], step["engine"], step["version"]) for step in row["provenance"]}
            source = row["source"]["dataset"], row["source"]["license"]
            voices = tuple(row[side] or "" for side in ("user_voice", "agent_voice", "background_voice"))
            yield source, voices, tuple(sorted(steps, key=str)), frozenset(_tokens(row))


def _tokens(row: Mapping[str, Any]) -> Iterator[TokensUse]:
    holders = [turn["take"] for turn in row["turns"]] + list((row["timeline"] or {}).get("tracks") or ())
    for holder in holders:
        for tokens in (holder or {}).get("tokens") or ():
            yield TokensUse(tokens["tokenizer"], tokens["revision"], tokens["license"])


def _figures(facts: RowFacts, judged: list[_Judged], judge: _Judge, known: VoicesKnown) -> dict[str, Any]:
    hours = facts.seconds / 3600
    rows, licenses = Counter[str](), Counter[str]()
    reasons: dict[Use, Counter[str]] = {use: Counter() for use in USES}
    uses: dict[Use, dict[str, Any]] = {use: {} for use in USES}
    duties: dict[str, set[str]] = {duty: set() for duty in _DUTIES}
    for row, length in zip(judged, hours.tolist(), strict=True):
        rows[row.license] += 1
        licenses[row.license] += length
        for duty in _DUTIES:
            duties[duty].update(getattr(row, duty))
        for use in USES:
            reasons[use].update(row.reasons[use])
            found = uses[use].setdefault(row.verdicts[use], {"rows": 0, "audio_h": 0.0})
            found["rows"] += 1
            found["audio_h"] += length
    return {
        "rows": len(facts),
        "licenses": [
            {"license": name, "rows": n, "audio_h": round(licenses[name], 6)} for name, n in rows.most_common()
        ],
        "uses": {use: {"verdicts": uses[use], "reasons": dict(reasons[use].most_common())} for use in USES},
        "duties": {duty: sorted(names) for duty, names in duties.items()},
        "parts": [
            {"kind": part.kind, "name": part.name, "license": part.license, "leaves": part.leaves, "rows": number}
            | {use: judge.verdict(part, use)[0] for use in USES}
            for part, number in judge.parts.most_common()
        ],
        "not_counted": judge.ignored(),
        "bank": known.bank_record,
    }


def _write_rows(file: Place, facts: RowFacts, judged: list[_Judged]) -> None:
    with open_row_groups(file, _SCHEMA) as writer:
        for start in range(0, len(judged), _GROUP_ROWS):
            part = judged[start : start + _GROUP_ROWS]
            columns = [
                facts.ids.slice(start, len(part)),
                pa.array([row.license for row in part], pa.large_string()),
                *(pa.array([row.verdicts[use] for row in part]) for use in USES),
                pa.array([json.dumps(row.reasons, ensure_ascii=False) for row in part], pa.large_string()),
            ]
            writer.write(pa.table(columns, schema=_SCHEMA).combine_chunks())
