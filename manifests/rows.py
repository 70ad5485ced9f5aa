"""Shows one row of a corpus, kept or dropped, to people: its turns, their takes, and the transcripts of each."""

import dataclasses
import json
from collections.abc import Iterator

import pyarrow.compute as pc

from manifests.alignment import LEGEND, aligned_lines
from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.manifest import FINAL_STATUSES
from manifests.schema import Dialogue, Hearing, Score, Take, Turn
from manifests.storage import Place
from manifests.terminal import printable


def find_row(place: Place, dialogue_id: str) -> Dialogue:
    """Find the row with that id in the corpus `place`, without audio bytes; raises UserError if there is none."""
    for status in FINAL_STATUSES:
        corpus = Corpus(place, status)
        start = 0
        for batch in corpus.select(["dialogue_id"]):
            index = pc.index(batch["dialogue_id"], dialogue_id).as_py()
            if index >= 0:
                return next(corpus[start + index : start + index + 1].dialogues(audio=False))
            start += batch.num_rows
    raise UserError(f"{place}: no row has the id {dialogue_id}")


def row_json(dialogue: Dialogue) -> str:
    """Return the row as JSON, with null in place of encoded audio."""
    return json.dumps(dataclasses.asdict(dialogue), ensure_ascii=False, indent=2, default=lambda data: None)


def format_row(dialogue: Dialogue) -> str:
    """Format the row as lines: its final status, each turn's text, and each take's voice, reason and score."""
    lines = list(_head(dialogue))
    for number, turn in enumerate(dialogue.turns):
        text = turn.original_text if turn.text is None else turn.text
        lines += ["", f"turn {number}, {turn.role}: {_on_one_line(text)}"]
        lines += [f"  {line}" for take in takes_of(turn) for line in _take(take)]
    edited = any(score.edits for turn in dialogue.turns for take in takes_of(turn) for score in _scores(take))
    return "\n".join(map(printable, [*lines, *(["", LEGEND] if edited else [])]))


def takes_of(turn: Turn) -> list[Take]:
    """Return all takes of the turn, in order. The final take may have got its reason after it was first judged."""
    if turn.take is None:
        return list(turn.attempts)
    return [*(take for take in turn.attempts if take.number != turn.take.number), turn.take]


def _head(dialogue: Dialogue) -> Iterator[str]:
    yield f"{dialogue.dialogue_id}: {dialogue.status}" + (f", {dialogue.reason}" if dialogue.reason else "")
    if dialogue.detail:
        yield _on_one_line(dialogue.detail)
    measured = (("cer", dialogue.cer), ("wer", dialogue.wer), ("syllables", dialogue.syllable_rate))
    rates = [f"{name} {rate:.1%}" for name, rate in measured if rate is not None]
    source = f"{dialogue.source.dataset} row {dialogue.source.row}"
    yield ", ".join([source, dialogue.language, *rates])


def _take(take: Take) -> Iterator[str]:
    length = f", {take.audio.duration_s:.2f} s" if take.audio else ", no audio"
    how = f"voice {take.voice_id}, seed {take.seed}, rate {take.rate:g}{length}"
    yield f"take {take.number}: {take.reason or 'accepted'} ({how})"
    for hearing in take.hearings or ([take.hearing] if take.hearing else []):
        decides = len(take.hearings) > 1 and hearing == take.hearing
        yield from (f"  {line}" for line in _hearing(hearing, decides))


def _hearing(hearing: Hearing, decides: bool) -> Iterator[str]:
    name = hearing.recognizer + (" (decides)" if decides else "")
    if hearing.score is None:
        yield f"{name}: {hearing.reason or 'not scored'}"
        return
    yield f"{name}: {_figures(hearing.score)}" + (f", {hearing.reason}" if hearing.reason else "")
    yield f"  transcript  {_on_one_line(hearing.hypothesis or '')}"
    yield from (f"  {line}" for line in aligned_lines(hearing.score))


def _figures(score: Score) -> str:
    units = "words" if score.metric == "wer" else "characters"
    if score.rate is None:
        return f"no rate: normalization leaves nothing of the text; {score.edits} {units} heard"
    edge = "" if score.edge_error is None else f", edge {score.edge_error:.1%}"
    heard = "" if score.syllable_rate is None else f", syllables {score.syllable_rate:.1%}"
    return f"{score.metric} {score.rate:.1%} ({score.edits}/{score.reference_length} {units}){heard}{edge}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _scores(take: Take) -> list[Score]:
    hearings = take.hearings or ((take.hearing,) if take.hearing else ())
    return [hearing.score for hearing in hearings if hearing.score]
