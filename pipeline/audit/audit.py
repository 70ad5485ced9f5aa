"""Audit a finished corpus: from its files to a report of plain values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from manifests.corpus import Corpus
from manifests.manifest import SIGNER
from manifests.private_paths import public_text
from manifests.schema import Dialogue
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from manifests.validate import validate
from pipeline.audit.attacks import ATTACKS, Attack
from pipeline.audit.controls import find_recordings, read_recordings, resynthesize
from pipeline.audit.corpus_view import CorpusView, batches, draw, open_view
from pipeline.audit.detect import delivered, detect, watermarker
from pipeline.audit.false_alarms import FalseAlarms, count_false_alarms, own_message
from pipeline.audit.forgery import Forged, audit_forgery
from pipeline.audit.speakers import Speakers, audit_speakers, count_voices
from pipeline.audit.speech import Heard, audit_speech
from pipeline.audit.survival import Survived, Table, add_controls, add_marked, new_table, survival
from pipeline.audit.tokens import token_attacks
from pipeline.audit.watermarks import Marks, audit_every_mark, audit_marks
from pipeline.engines.contract import Clip
from pipeline.engines.watermark._message import message_of
from pipeline.job.directory import WORK
from pipeline.job.gpu_use import local_gpus
from pipeline.sign.verify import Verified, verify_corpus
from pipeline.spread import spread_for
from pipeline.stages.cast import CastSettings, public_bank
from pipeline.stages.contract import Mapper
from pipeline.stages.render import RenderSettings
from pipeline.stages.transcribe import TranscribeSettings
from pipeline.stages.watermark import WatermarkSettings

SAMPLE = 200
"""Clips sampled for the expensive parts, survival and speech. With 200, an interval is at most 14 points wide."""

FORGED = 50
"""Clips on which the mark is forged, whose intervals are at most 29 points wide: a table of all or nothing."""

RESYNTHESIS, RECORDINGS = "resynthesis", "recordings"
"""The two kinds of controls; see `pipeline.audit.controls`."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Structure:
    """The result of the deep validation. `problems` are the first of `total`, without the path of the corpus."""

    rows: int
    total: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survival:
    """How the mark survives each attack.

    `controls` says what the controls are, "recordings" or "resynthesis"; the scores are of the clips as delivered.
    """

    controls: str
    clips: int
    control_clips: int
    attacks: tuple[Survived, ...]
    marked_scores: tuple[float, ...]
    control_scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """The report.

    `failures` says why the corpus fails, in one line each; without failures it passes. If the structure has problems,
    nothing else is examined and the other parts are None. `false_alarms` is None without recordings, `signatures`
    for a corpus that is not signed.
    """

    corpus: str
    recipe: str
    sample_seed: int
    structure: Structure
    marks: Marks | None = None
    survival: Survival | None = None
    false_alarms: FalseAlarms | None = None
    forgery: tuple[Forged, ...] = ()
    speech: Heard | None = None
    speakers: Speakers | None = None
    signatures: Verified | None = None
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the corpus has no failures."""
        return not self.failures


def audit_corpus(
    place: Place,
    overrides: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
    controls: str | None = None,
    say: Say = lambda line: None,
    trust_recipe: bool = False,
    tokenizers: Sequence[str] = (),
    mapper: Mapper | None = None,
) -> Audit:
    """Run every part of the audit on the corpus at `place`.

    Without `sample`, the mark is searched in every clip, and 200 clips are drawn for the other parts. `controls` names
    a directory of recordings: as many as the sample has are attacked, and false alarms are counted in all of them.
    Without it the controls are made from the sample, and no false alarms are counted. `say` receives one line before
    each part. `tokenizers` name engines, or models that `overrides` describe, each of which is one more attack on the
    mark. Models that the corpus's recipe names are loaded only with `trust_recipe`, or where `overrides` name
    them. The `mapper`, if there is one, spreads what is done for every row over its workers, shard by shard.

    Raises CorpusError if there is no corpus, EngineUnavailable if an engine cannot load, and UserError for a model
    that the user has not agreed to.
    """
    view, spread = open_view(place, overrides, trust_recipe), spread_for(mapper, place)
    say("structure: every hash and clip")
    structure = _structure(view, spread)
    parts = Audit(place.name, view.manifest.recipe.name, seed, structure)
    if structure.total:
        return replace(parts, failures=(f"structure: {structure.total} problems",))
    corpus = Corpus(place)
    rows = draw(corpus, sample or SAMPLE, seed, spread)
    _load_engines(view)
    attacks = (*ATTACKS, *token_attacks(view, tokenizers))
    say(f"survival: {len(rows)} dialogues and their controls")
    survived = audit_survival(view, lambda: batches(corpus, rows), sample or SAMPLE, seed, controls, attacks)
    one_percent = survived.attacks[0].threshold_1_percent
    forged = _forgery(view, lambda: batches(corpus, rows), min(sample or SAMPLE, FORGED), seed, controls, say)
    alarms = None if controls is None else _false_alarms(view, controls, seed, survived.marked_scores, say)
    say("marks: " + ("every clip" if sample is None else "the sample"))
    if sample is None:
        marks = audit_every_mark(view, one_percent, one_by_one if local_gpus() else spread)
    else:
        marks = audit_marks(view, (("kept", some) for some in batches(corpus, rows)), one_percent)
    signatures = _signatures(view, say, spread)
    say("speech: the sample again")
    speech = audit_speech(view, batches(corpus, rows))
    say("speakers: every kept row")
    speakers = audit_speakers(view, count_voices(view, spread), public_bank(view.recipe.section(CastSettings).bank))
    return replace(
        parts,
        marks=marks,
        survival=survived,
        false_alarms=alarms,
        forgery=forged,
        speech=speech,
        speakers=speakers,
        signatures=signatures,
        failures=tuple(_failures(marks, survived, alarms, signatures, speech)),
    )


def audit_survival(
    view: CorpusView,
    sample: Callable[[], Iterator[list[Dialogue]]],
    clips: int,
    seed: int,
    directory: str | None,
    attacks: Sequence[Attack],
) -> Survival:
    """Attack the sample and its controls. Each call of `sample` starts the sample from the beginning."""
    table = new_table(attacks)
    threshold = view.recipe.section(WatermarkSettings).threshold
    marked = (clip for dialogues in sample() for clip in delivered(dialogues, view))
    clips_marked = ((one.clip(), one.message) for one in marked)
    add_marked(table, clips_marked, lambda some: detect(some, view), threshold, watermarker(view).bits, attacks)
    add_controls(table, _controls(view, sample, clips, seed, directory), lambda some: detect(some, view), attacks)
    return _survival(table, threshold, RESYNTHESIS if directory is None else RECORDINGS, attacks)


def _controls(
    view: CorpusView, sample: Callable[[], Iterator[list[Dialogue]]], clips: int, seed: int, directory: str | None
) -> Iterator[Clip]:
    if directory is not None:
        paths = find_recordings(directory, clips, seed)
        return read_recordings(paths, view.recipe.section(RenderSettings).sample_rate)
    return (resynthesize(one.clip()) for dialogues in sample() for one in delivered(dialogues, view))


def _forgery(
    view: CorpusView,
    sample: Callable[[], Iterator[list[Dialogue]]],
    clips: int,
    seed: int,
    directory: str | None,
    say: Say,
) -> tuple[Forged, ...]:
    say("forgery: the mark put on the controls")
    settings = view.recipe.section(WatermarkSettings)
    own = ((one.clip(), one.message) for dialogues in sample() for one in delivered(dialogues, view))
    controls = _controls(view, sample, clips, seed, directory)
    pairs = ((control, clip, message) for control, (clip, message) in islice(zip(controls, own, strict=False), clips))
    engine = watermarker(view)
    return audit_forgery(pairs, engine, lambda some: detect(some, view), settings.threshold, settings.message_errors)


def _false_alarms(
    view: CorpusView, directory: str, seed: int, marked_scores: Sequence[float], say: Say
) -> FalseAlarms:
    """Look for the mark in all recordings of the directory, not only in as many as are attacked."""
    paths = find_recordings(directory, None, seed)
    say(f"false alarms: {len(paths)} recordings")
    settings, bits = view.recipe.section(WatermarkSettings), watermarker(view).bits
    own = own_message(message_of(view.manifest.recipe.digest, bits), bits, settings.message_errors)
    recordings = read_recordings(paths, view.recipe.section(RenderSettings).sample_rate)
    return count_false_alarms(recordings, lambda some: detect(some, view), settings.threshold, own, marked_scores)


def _survival(table: Table, threshold: float, controls: str, attacks: Sequence[Attack]) -> Survival:
    first = next(iter(table.values()))
    return Survival(
        controls=controls,
        clips=len(first.marked),
        control_clips=len(first.controls),
        attacks=survival(table, threshold, attacks),
        marked_scores=tuple(first.marked),
        control_scores=tuple(first.controls),
    )


def _signatures(view: CorpusView, say: Say, spread: Spread) -> Verified | None:
    """Check the C2PA manifest of every clip, if the corpus's own manifest says that it is signed."""
    if SIGNER not in view.manifest.engines:
        return None
    say("signatures: every clip")
    return verify_corpus(view.place, spread=spread)


def _structure(view: CorpusView, spread: Spread) -> Structure:
    report = validate(view.place, deep=True, beside=(WORK,), spread=spread)
    problems = [_without_path(str(problem), view.place) for problem in report.problems]
    return Structure(report.rows, report.total, tuple(problems))


def _without_path(text: str, place: Place) -> str:
    """Remove the path of the corpus, which readers' errors contain: reports are handed on to others."""
    return public_text(text, {f"{place.path.rstrip('/')}/": "", place.path: place.name})


def _load_engines(view: CorpusView) -> None:
    """Load every engine now, so that a missing engine is reported before the work and not after it."""
    watermarker(view)
    for language in sorted(view.manifest.counts.languages.get("kept", {})):
        asr = view.recipe.section(TranscribeSettings)
        for name in (asr.engine_for(language), asr.second_for(language)):
            if name is not None:
                view.engines["asr", name]


def _failures(
    marks: Marks, survived: Survival, alarms: FalseAlarms | None, signatures: Verified | None, speech: Heard
) -> Iterator[str]:
    """Yield why the corpus fails. A part that measured nothing has shown nothing, and fails too."""
    kept = marks.statuses.get("kept")
    measured = {
        "watermark": kept.clips if kept else 0,
        "survival": min(survived.clips, survived.control_clips),
        "false alarms": 1 if alarms is None else alarms.at_recipe.total,
        "speech": speech.clips,
    }
    yield from (f"{part}: nothing could be measured" for part, count in measured.items() if not count)
    if marks.failing:
        yield f"watermark: {marks.failing} kept clips without the corpus's mark"
    if signatures is not None and not signatures.passed:
        yield f"signatures: {signatures.failing} of {signatures.clips} clips without a valid signature of their own"
    failing = speech.passing.total - speech.passing.hits
    if failing:
        yield f"speech: {failing} of {speech.dialogues} kept rows would not pass again"
