"""Samples in the layout of Full-Duplex-Bench: a folder for each, with what the user says and where what happens.

::

    train/v1.0/smooth_turn_taking/ID-2/input.wav    turn_taking.json    transcription.json
    train/v1.0/pause_handling/ID-2/input.wav        pause.json
    train/v1.0/user_interruption/ID-2/input.wav     interrupt.json
    train/v1.5/user_backchannel/ID-3/input.wav      clean_input.wav     metadata.json

The input is cut out of the user's channel: of version 1.0 the turn, or for an interruption what goes from the user's
turn before it to its end; of version 1.5 the same, with a clean input in which what overlaps is silent. Behind it is
silence, in which a model answers. Times are in seconds from the start of the input. `transcription.json` is there
where the corpus has word times. The benchmark's own data are other people's talks: results on these samples are not
comparable with those that it publishes. Its backchannels of version 1.0 are measured against people's, and have no
layout here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.export._audio import wav_bytes
from manifests.export._channels import speech_span
from manifests.export._timeline import Spot, layout_problem, sample_at, spots
from manifests.export._tracks import track, tracks_end
from manifests.export._words import turn_words
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.resampling import Samples
from manifests.schema import Dialogue
from manifests.storage import Place

_OVERLAPS = {"backchannel": "user_backchannel", "aside": "talking_to_other", "background": "background_speech"}
_NOTE = "These are samples in the layout of Full-Duplex-Bench, not its data: results are not comparable with its own."


@dataclass(frozen=True)
class BenchSettings(ExportSettings):
    sample_rate: int = field(default=16_000, metadata={"description": "sample rate of the files in Hz"})
    tail_s: float = field(
        default=15.0, metadata={"description": "seconds of silence at the end, for the model's answer"}
    )

    def __post_init__(self) -> None:
        if not 8_000 <= self.sample_rate <= 48_000 or not 0 <= self.tail_s <= 60:
            raise ValueError("sample_rate must be 8000 to 48000 Hz, and tail_s 0 to 60 s")


@dataclass(frozen=True)
class BenchSample:
    """Holds a sample: its folder, what of the dialogue it is in seconds, and its annotation by file name.

    `overlap` is what is silent in the clean input; None: there is none. `turns` are those of the user in it.
    """

    folder: str
    start: Fraction
    end: Fraction
    notes: dict[str, Any]
    turns: tuple[Spot, ...]
    overlap: Spot | None = None


@dataclass(frozen=True)
class BenchWriter(PieceWriter):
    settings: BenchSettings

    def problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        if dialogue.timeline is None:
            return "it has no timeline"
        if problem := layout_problem(dialogue):
            return problem
        return None if any(True for _ in samples_of(dialogue)) else "nothing in it is a sample of the benchmark"

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> dict[str, int]:
        """Return how many samples there are of each task."""
        counts: dict[str, int] = {}
        for dialogue in dialogues:
            places, rate = spots(dialogue, 0), self.settings.sample_rate
            user = track(dialogue, places, "user", rate, tracks_end(dialogue, places, rate))
            for sample in samples_of(dialogue):
                self._write_sample(dialogue, sample, user, out / piece.split / sample.folder)
                task = sample.folder.rpartition("/")[0]
                counts[task] = counts.get(task, 0) + 1
        return counts

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        counts: dict[str, int] = {}
        for _, found in pieces:
            for task, count in found.items():
                counts[task] = counts.get(task, 0) + count
        of_tasks = ", ".join(f"{task} {count}" for task, count in sorted(counts.items()))
        return [_NOTE, f"samples: {of_tasks}"] if counts else []

    def _write_sample(self, dialogue: Dialogue, sample: BenchSample, user: Samples, out: Place) -> None:
        rate = self.settings.sample_rate
        first, end = sample_at(sample.start, rate), sample_at(sample.end, rate)
        heard = np.concatenate([user[first:end], np.zeros(round(self.settings.tail_s * rate), np.float32)])
        (out / "input.wav").write_bytes(wav_bytes(heard, rate))
        if overlap := sample.overlap:
            clean = heard.copy()
            clean[sample_at(overlap.start, rate) - first : sample_at(overlap.end, rate) - first] = 0
            (out / "clean_input.wav").write_bytes(wav_bytes(clean, rate))
        files = sample.notes | ({"transcription.json": words} if (words := _transcription(dialogue, sample)) else {})
        for name, content in files.items():
            (out / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def samples_of(dialogue: Dialogue) -> Iterator[BenchSample]:
    """Yield the samples of a dialogue that has a timeline and no problem."""
    before: Spot | None = None
    places = _spoken(dialogue)
    for spot in places:
        turn = dialogue.turns[spot.turn]
        if spot.role != "user":
            continue
        if turn.kind != "turn":
            if before:
                yield _overlapping(dialogue, before, spot, _OVERLAPS[turn.kind])
        elif turn.cue is not None and before:
            yield _interrupting(dialogue, before, spot)
            yield _overlapping(dialogue, before, spot, "user_interruption")
        else:
            yield from _taking_turns(dialogue, spot, places)
        if turn.kind == "turn":
            before = spot


def _spoken(dialogue: Dialogue) -> list[Spot]:
    """Return where the speech of each turn lies: clips have silence at their edges, which may lie over others."""
    spans = ((spot, *speech_span(dialogue, spot)) for spot in spots(dialogue, 0))
    return sorted((replace(spot, start=start, end=end) for spot, start, end in spans), key=lambda spot: spot.start)


def _taking_turns(dialogue: Dialogue, spot: Spot, places: Sequence[Spot]) -> Iterator[BenchSample]:
    """Yield the sample of a turn that is answered, and that of its pauses."""
    name, cut = f"{dialogue.dialogue_id}-{spot.turn}", (spot.start, spot.end)
    if answer := next((each for each in places if _answers(dialogue, each, spot)), None):
        marks = [{"text": "[TURN-TAKING]", "timestamp": _span(spot.end, answer.start, spot.start)}]
        yield BenchSample(f"v1.0/smooth_turn_taking/{name}", *cut, {"turn_taking.json": marks}, (spot,))
    timeline = dialogue.timeline
    assert timeline is not None  # else there was a problem with the dialogue
    events = [event for event in timeline.events if event.kind == "pause" and event.channel == "user"]
    moments = [
        (Fraction(event.start_sample, timeline.sample_rate), Fraction(event.end_sample, timeline.sample_rate))
        for event in events
        if event.turn == spot.turn
    ]
    if moments:
        pauses = [{"text": "[PAUSE]", "timestamp": _span(*moment, spot.start)} for moment in moments]
        yield BenchSample(f"v1.0/pause_handling/{name}", *cut, {"pause.json": pauses}, (spot,))


def _answers(dialogue: Dialogue, answer: Spot, spot: Spot) -> bool:
    """Tell whether this is the agent's turn after the user's, which takes the floor."""
    return answer.role == "agent" and answer.start >= spot.end and dialogue.turns[answer.turn].kind == "turn"


def _interrupting(dialogue: Dialogue, before: Spot, spot: Spot) -> BenchSample:
    texts = (dialogue.turns[before.turn].text, dialogue.turns[spot.turn].text)
    marks = [{"context": texts[0], "interrupt": texts[1], "timestamp": _span(spot.start, spot.end, before.start)}]
    name = f"v1.0/user_interruption/{dialogue.dialogue_id}-{spot.turn}"
    return BenchSample(name, before.start, spot.end, {"interrupt.json": marks}, (before, spot))


def _overlapping(dialogue: Dialogue, before: Spot, spot: Spot, task: str) -> BenchSample:
    """Return the sample of version 1.5: from the user's turn before it to its end, with and without it."""
    notes = {
        "context_text": dialogue.turns[before.turn].text,
        "current_turn_text": dialogue.turns[spot.turn].text,
        "timestamps": _span(spot.start, spot.end, before.start),
    }
    name = f"v1.5/{task}/{dialogue.dialogue_id}-{spot.turn}"
    return BenchSample(name, before.start, max(before.end, spot.end), {"metadata.json": notes}, (before, spot), spot)


def _transcription(dialogue: Dialogue, sample: BenchSample) -> dict[str, Any] | None:
    """Return the words of the input with their times; None where a turn has no complete word times."""
    chunks = []
    clips = {spot.turn: spot.start for spot in spots(dialogue, 0)}
    for spot in sample.turns:
        words, take = turn_words(dialogue.turns[spot.turn]), dialogue.turns[spot.turn].take
        if words is None or take is None or take.audio is None or take.word_times is None:
            return None
        rate = take.audio.sample_rate
        for text, timed in zip(words.words, take.word_times.words, strict=True):
            start, end = (clips[spot.turn] + Fraction(at or 0, rate) for at in (timed.start_sample, timed.end_sample))
            chunks.append({"text": text.strip(), "timestamp": _span(start, end, sample.start)})
    return {"text": " ".join(str(chunk["text"]) for chunk in chunks), "chunks": chunks}


def _span(start: Fraction, end: Fraction, origin: Fraction) -> list[float]:
    return [round(float(start - origin), 4), round(float(end - origin), 4)]


def open_bench(corpus: Corpus, settings: BenchSettings) -> BenchWriter:
    return BenchWriter(settings)


EXPORTER = Exporter(
    "full-duplex-bench",
    "samples in Full-Duplex-Bench's layout: the user's channel, and where turns, pauses and overlaps are",
    open_bench,
    BenchSettings,
)
