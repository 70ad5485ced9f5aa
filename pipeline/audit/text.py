"""Write the audit as lines for people, and as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from manifests.alignment import LEGEND, aligned_lines
from manifests.terminal import printable
from pipeline.audit.audit import RESYNTHESIS, Audit
from pipeline.audit.rates import Proportion
from pipeline.show.text import text_table

Rows = Sequence[Sequence[str]]
Section = tuple[str, Sequence[str], Rows]
"""A title, the names of the columns, and the cells."""

NONE = "-"
_ALIGNED = 10
"""Rows whose alignment is shown; the JSON has it for all that are listed."""


def as_json(audit: Audit) -> str:
    """Write the whole report as JSON, with shares as fractions, sorted keys and a final line break."""
    return json.dumps(_plain(audit), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def as_text(audit: Audit) -> str:
    """Write tables in columns, what was misheard, notes, then the verdict."""
    blocks = [_block(section) for section in sections(audit)] + misheard(audit)
    return "\n\n".join([*blocks, *notes(audit), verdict(audit)])


def verdict(audit: Audit) -> str:
    """Return "passed" in one line, or "failed" with one line for each failure."""
    if audit.passed:
        return f"passed: {audit.corpus} is what it says"
    return "\n".join(["failed:", *(f"  {failure}" for failure in audit.failures)])


def notes(audit: Audit) -> list[str]:
    """Return notes on how to read the numbers; none if nothing was measured."""
    if audit.survival is None:
        return []
    found = [
        "In brackets: exact binomial intervals (Clopper-Pearson, 95 %), in percent. "
        "1 % of controls: at the threshold that no more of the controls reach after the same attack."
    ]
    if audit.survival.controls == RESYNTHESIS:
        found.append(
            "These controls are the corpus's own clips, resynthesized without fine structure. True recordings may "
            "score higher: to quote a false-positive rate, use --controls."
        )
    if audit.forgery:
        found.append(
            "Forged clips carry the mark and are none of the corpus's: where they are detected, the mark tells what a "
            "clip claims to be, not where it comes from."
        )
    return found


def misheard(audit: Audit) -> list[str]:
    """Word for word what was heard in the first rows that would not pass again, one block a turn."""
    dropped = audit.speech.dropped[:_ALIGNED] if audit.speech else ()
    blocks = [
        "\n".join(map(printable, [f"{row.dialogue_id} turn {one.turn}: {one.reason}", *aligned_lines(one.score)]))
        for row in dropped
        for one in row.turns
        if one.score is not None
    ]
    return [*blocks, LEGEND] if blocks else []


def sections(audit: Audit) -> list[Section]:
    """Return the tables of the report, in order."""
    return [
        section
        for section in (
            _structure(audit),
            _marks(audit),
            _signatures(audit),
            _survival(audit),
            _false_alarms(audit),
            _forgery(audit),
            _speech(audit),
            _speakers(audit),
        )
        if section is not None
    ] + list(_lists(audit))


def _structure(audit: Audit) -> Section:
    found = audit.structure
    rows = [["rows", str(found.rows)], ["problems", str(found.total)], *(["", problem] for problem in found.problems)]
    return f"structure of {audit.corpus} (recipe {audit.recipe})", ["", ""], rows


def _marks(audit: Audit) -> Section | None:
    marks = audit.marks
    if marks is None:
        return None
    which = "every clip" if marks.every_clip else "sample"
    title = f"watermark {marks.method}, {which}; threshold {marks.threshold}"
    title += "" if marks.threshold_1_percent is None else f", of 1 % of the controls {marks.threshold_1_percent:.4f}"
    names = ["rows", "clips", "detected", "1 % of controls", "mean", "lowest", "differ", "foreign", "no mark in row"]
    rows = [
        [
            status,
            str(one.clips),
            percent(one.detected),
            percent(one.detected_at_1_percent),
            number(one.mean),
            number(one.lowest),
            str(one.differing),
            str(one.foreign),
            str(one.unrecorded),
        ]
        for status, one in (*marks.statuses.items(), *((f"track {name}", one) for name, one in marks.tracks.items()))
    ]
    return title, names, rows


def _signatures(audit: Audit) -> Section | None:
    found = audit.signatures
    if found is None:
        return None
    signers = [["signer", f"{name} ({clips})"] for name, clips in found.signers.items()]
    counts = {"clips": found.clips, "valid": found.valid, "time-stamped": found.stamped, "failing": found.failing}
    rows = [[name, str(value)] for name, value in counts.items()]
    return "C2PA signatures, every clip", ["", ""], [*rows, *signers, *(["", problem] for problem in found.problems)]


def _survival(audit: Audit) -> Section | None:
    found = audit.survival
    if found is None:
        return None
    title = f"survival: {found.clips} clips, {found.control_clips} controls ({found.controls})"
    names = ["attack", "clips", "detected", "false", "1 % of controls", "threshold", "mean", "controls", "bits"]
    rows = [
        [
            one.attack,
            str(one.at_recipe.total),
            percent(one.at_recipe),
            percent(one.false_at_recipe),
            percent(one.at_1_percent),
            number(one.threshold_1_percent),
            number(one.mean_score),
            number(one.mean_control),
            NONE if one.bits is None else f"{one.bits:.1%}",
        ]
        for one in found.attacks
    ]
    return title, names, rows


def _false_alarms(audit: Audit) -> Section | None:
    found = audit.false_alarms
    if found is None:
        return None
    target = f"{found.target:.2%}"
    too_few = f"{NONE} (needs {round(1 / found.target):,} recordings)"
    threshold = found.threshold_at_target
    shown = "yes" if found.shown else f"no (needs {found.needed:,} without a false alarm)"
    rows = [
        ["recordings", str(found.recordings)],
        ["of these not measured", str(found.unmeasured)],
        ["reach the recipe's threshold", _exact(found.at_recipe)],
        *([] if found.with_message is None else [["with the corpus's message", _exact(found.with_message)]]),
        [f"shown to be at most {target}", shown],
        [f"threshold that {target} of them reach", too_few if threshold is None else f"{threshold:.4f}"],
        ["clips of the corpus that reach it", percent(found.marked_at_target)],
    ]
    return "false alarms, in recordings without the mark", ["", ""], rows


def _forgery(audit: Audit) -> Section | None:
    if not audit.forgery:
        return None
    names = ["forgery", "clips", "detected", "with the message", "mean", "how"]
    rows = [
        [
            one.forgery,
            str(one.detected.total),
            percent(one.detected),
            percent(one.with_message),
            number(one.mean_score),
            one.about,
        ]
        for one in audit.forgery
    ]
    return "forgery: the mark put on the controls", names, rows


def _speech(audit: Audit) -> Section | None:
    heard = audit.speech
    if heard is None:
        return None
    rows = [
        ["dialogues", str(heard.dialogues)],
        ["clips", str(heard.clips)],
        ["same hypothesis", percent(heard.same_hypothesis)],
        ["same error rate", percent(heard.same_rate)],
        ["mean error rate, recorded", number(heard.mean_recorded)],
        ["mean error rate, now", number(heard.mean_heard)],
        ["largest difference", number(heard.largest_difference)],
        ["pass again", percent(heard.passing)],
    ]
    return "speech, heard again", ["", ""], rows


def _speakers(audit: Audit) -> Section | None:
    found = audit.speakers
    if found is None:
        return None
    title = f"speakers of bank {found.bank}" + ("" if found.bank_found else " (not here: from the rows alone)")
    names = ["language", "role", "dialogues", "voices", "of", "genders", "dialogues per voice (0-25-50-75-100 %)"]
    rows = [
        [
            side.language,
            side.role,
            str(side.dialogues),
            str(side.used),
            NONE if side.available is None else str(side.available),
            ", ".join(f"{gender} {dialogues}" for gender, dialogues in side.genders.items()),
            " ".join(f"{value:g}" for value in side.quantiles),
        ]
        for side in found.sides
    ]
    return title, names, rows


def _lists(audit: Audit) -> Iterable[Section]:
    if audit.speakers and audit.speakers.agents:
        yield (
            "agents",
            ["language", "used", "expected", "exactly those"],
            [
                [
                    check.language,
                    " ".join(check.used),
                    str(check.expected_count or NONE) if check.expected is None else " ".join(check.expected),
                    "yes" if check.exact else "no",
                ]
                for check in audit.speakers.agents
            ],
        )
    if audit.marks and audit.marks.problems:
        yield (
            f"kept clips without the mark ({audit.marks.failing})",
            ["dialogue", "turn", "score", "recorded", "problem"],
            [
                [one.dialogue_id, one.track or str(one.turn), number(one.score), number(one.recorded), one.problem]
                for one in audit.marks.problems
            ],
        )
    if audit.speech and audit.speech.dropped:
        yield (
            "kept rows that would not pass again",
            ["dialogue", "reason", "recorded", "now"],
            [[d.dialogue_id, d.reason or NONE, number(d.recorded), number(d.heard)] for d in audit.speech.dropped],
        )


def percent(rate: Proportion | None) -> str:
    """Write share and interval in percent: "99.5 (97.2-100.0)"."""
    if rate is None or rate.share is None:
        return NONE
    return f"{100 * rate.share:.1f} ({100 * rate.low:.1f}-{100 * rate.high:.1f})"


def _exact(rate: Proportion) -> str:
    """Write hits, share and interval with as many digits as small rates need: "0 = 0.0000 % (0.0000-0.0100)"."""
    if rate.share is None:
        return NONE
    return f"{rate.hits} = {100 * rate.share:.4f} % ({100 * rate.low:.4f}-{100 * rate.high:.4f})"


def number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _block(section: Section) -> str:
    title, names, rows = section
    return "\n".join([title, *(f"  {line}" for line in text_table(names, rows))])


def _plain(value: Any) -> Any:
    if isinstance(value, Proportion):
        return {"hits": value.hits, "total": value.total, "share": value.share, "low": value.low, "high": value.high}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
