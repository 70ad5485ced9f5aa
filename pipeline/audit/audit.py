"""The audit as a whole: from a finished corpus to a report that is all values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from manifests.corpus import Corpus
from manifests.manifest import FINAL_STATUSES
from manifests.private_paths import public_text
from manifests.schema import Dialogue
from manifests.shards import read_shard
from manifests.storage import Place
from manifests.validate import validate
from pipeline.audit.attacks import ATTACKS
from pipeline.audit.controls import find_recordings, read_recordings, resynthesize
from pipeline.audit.corpus_view import Source, batches, draw, open_source
from pipeline.audit.detect import delivered, detect, watermarker
from pipeline.audit.speakers import Speakers, audit_speakers
from pipeline.audit.speech import Heard, audit_speech
from pipeline.audit.survival import Survived, Table, add_controls, add_marked, new_table, survival
from pipeline.audit.watermarks import Marks, audit_marks
from pipeline.engines.contract import Clip
from pipeline.job.run import WORK
from pipeline.recipe import digest, public_bank

SAMPLE = 200
"""Clips for what is dear: survival and speech. With 200, an interval is at most 14 points wide."""

RESYNTHESIS, RECORDINGS = "resynthesis", "recordings"
"""What controls are: see `pipeline.audit.controls`."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Structure:
    """The deep validation. `problems` are the first of `total`, without the corpus's own path."""

    rows: int
    total: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survival:
    """`controls` says what they are, "recordings" or "resynthesis"; the scores are those of the clips as delivered."""

    controls: str
    clips: int
    control_clips: int
    attacks: tuple[Survived, ...]
    marked_scores: tuple[float, ...]
    control_scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """`failures` say, one line each, why the corpus does not pass; none: it does. Without a sound structure nothing
    else is looked at, and the other parts are None."""

    corpus: str
    recipe: str
    sample_seed: int
    structure: Structure
    marks: Marks | None = None
    survival: Survival | None = None
    speech: Heard | None = None
    speakers: Speakers | None = None
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


def audit_corpus(
    place: Place,
    overrides: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
    controls: str | None = None,
    say: Say = lambda line: None,
) -> Audit:
    """Everything. Without `sample` the mark is looked for in every clip, and 200 clips are taken for the rest.

    Raises CorpusError where there is no corpus, EngineUnavailable where an engine of its recipe cannot load.
    """
    source = open_source(place, overrides)
    say("structure: every hash and clip")
    structure = _structure(source)
    parts = Audit(place.name, source.manifest.recipe.name, seed, structure)
    if structure.total:
        return replace(parts, failures=(f"structure: {structure.total} problems",))
    corpus = Corpus(place)
    rows = draw(corpus, sample or SAMPLE, seed)
    _load_engines(source)
    say(f"survival: {len(rows)} dialogues and their controls")
    survived = audit_survival(source, lambda: batches(corpus, rows), sample or SAMPLE, seed, controls)
    one_percent = survived.attacks[0].threshold_1_percent
    say("marks: " + ("every clip" if sample is None else "the sample"))
    portions = _all(source) if sample is None else (("kept", some) for some in batches(corpus, rows))
    marks = audit_marks(source, portions, one_percent, sample is None)
    say("speech: the sample again")
    speech = audit_speech(source, batches(corpus, rows))
    say("speakers: every kept row")
    speakers = audit_speakers(source, corpus.dialogues(audio=False), public_bank(source.recipe.cast.bank))
    failures = tuple(_failures(marks, speech))
    return replace(parts, marks=marks, survival=survived, speech=speech, speakers=speakers, failures=failures)


def audit_survival(
    source: Source, sample: Callable[[], Iterator[list[Dialogue]]], clips: int, seed: int, directory: str | None
) -> Survival:
    """`sample` starts anew at each call."""
    table = new_table(ATTACKS)
    threshold = source.recipe.watermark.threshold
    marked = (clip for dialogues in sample() for clip in delivered(dialogues, source))
    clips_marked = ((one.clip(), one.message) for one in marked)
    add_marked(table, clips_marked, lambda some: detect(some, source), threshold, watermarker(source).bits, ATTACKS)
    add_controls(table, _controls(source, sample, clips, seed, directory), lambda some: detect(some, source), ATTACKS)
    return _survival(table, threshold, RESYNTHESIS if directory is None else RECORDINGS)


def _controls(
    source: Source, sample: Callable[[], Iterator[list[Dialogue]]], clips: int, seed: int, directory: str | None
) -> Iterator[Clip]:
    if directory is not None:
        paths = find_recordings(directory, clips, seed)
        return read_recordings(paths, source.recipe.render.sample_rate)
    return (resynthesize(one.clip()) for dialogues in sample() for one in delivered(dialogues, source))


def _survival(table: Table, threshold: float, controls: str) -> Survival:
    first = next(iter(table.values()))
    return Survival(
        controls=controls,
        clips=len(first.marked),
        control_clips=len(first.controls),
        attacks=survival(table, threshold, ATTACKS),
        marked_scores=tuple(first.marked),
        control_scores=tuple(first.controls),
    )


def _structure(source: Source) -> Structure:
    report = validate(source.place, deep=True, beside=(WORK,))
    problems = [_without_path(str(problem), source.place) for problem in report.problems]
    total = report.total
    recorded = source.manifest.recipe
    if digest({"recipe": recorded.settings, "seed": source.manifest.seed}) != recorded.digest:
        problems.insert(0, "manifest.json: the recipe is not the one of its digest")
        total += 1
    return Structure(report.rows, total, tuple(problems))


def _without_path(text: str, place: Place) -> str:
    """Errors of the reader name files in full; reports are handed on."""
    return public_text(text, {f"{place.path.rstrip('/')}/": "", place.path: place.name})


def _load_engines(source: Source) -> None:
    """What is missing is heard of before the work, not after it."""
    watermarker(source)
    for language in sorted(source.manifest.counts.languages.get("kept", {})):
        asr = source.recipe.asr
        for name in (asr.engine_for(language), asr.second_for(language)):
            if name is not None:
                source.engines["asr", name]


def _all(source: Source) -> Iterator[tuple[str, list[Dialogue]]]:
    for status in FINAL_STATUSES:
        for shard in source.manifest.shards.get(status, ()):
            for dialogues in read_shard(source.place / shard.path):
                yield status, dialogues


def _failures(marks: Marks, speech: Heard) -> Iterator[str]:
    if marks.failing:
        yield f"watermark: {marks.failing} kept clips without the corpus's mark"
    failing = speech.passing.total - speech.passing.hits
    if failing:
        yield f"speech: {failing} of {speech.dialogues} kept rows would not pass again"
