"""Checks the speech servers of a recipe before its first row: does the bank fit them, and do they obey?"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manifests.errors import EngineUnavailable, UserError
from manifests.json_text import parse_json
from manifests.storage import Place
from pipeline.engines.contract import Clip, Failure, SpeakerEncoder
from pipeline.engines.registry import ENGINES, load_engine
from pipeline.engines.tts._dialects.compose import voice_problem
from pipeline.engines.tts._dialects.dialect import SpeechDialect
from pipeline.engines.tts.openai_speech import NAME, OpenAISpeechModel, dialect_of, sent_by
from pipeline.obedience.asking import Question, Thing, ask, requests_for
from pipeline.obedience.judging import Verdict, judge_clips
from pipeline.obedience.likeness import Distance
from pipeline.recipe import Recipe
from pipeline.stages.cast import CastSettings, spoken_bank
from pipeline.stages.gate import gate_of
from pipeline.stages.respond import writes_styles
from pipeline.stages.synthesize import SynthesizeSettings
from voicebank.bank import load_bank
from voicebank.voice import ANY_LANGUAGE, Voice


@dataclass(frozen=True, slots=True)
class ServerFindings:
    """Holds what was found of the server of one model of the recipe."""

    model: str
    dialect: str
    clips: int
    verdicts: tuple[Verdict, ...]

    @property
    def problem(self) -> str | None:
        """What the server ignores, in a few words; None: nothing."""
        ignored = [f"{v.thing} ({v.evidence})" for v in self.verdicts if not v.obeyed]
        return f"the server of {self.model} ignores {', '.join(ignored)}" if ignored else None


def speech_servers(recipe: Recipe) -> dict[str, OpenAISpeechModel]:
    """Return the models of the recipe that speak through a server, by name."""
    settings = recipe.find(SynthesizeSettings)
    models = {name: recipe.models.get(name) for name in settings.engine} if settings else {}
    return {name: model for name, model in models.items() if isinstance(model, OpenAISpeechModel)}


def check_before_a_job(recipe: Recipe, done: Place) -> None:
    """Check the servers, but for those that `done`, a file of the job, says were found obedient by an earlier run.

    Raises UserError for a bank that does not fit a server, EngineUnavailable for a server that ignores something.
    """
    known = _known(done)
    for name, model in speech_servers(recipe).items():
        digest = _digest(recipe, model)
        if not model.serving.check or known.get(name) == digest:
            continue
        if problem := check_server(recipe, name, model).problem:
            raise EngineUnavailable(
                f"{problem}; nothing was made yet: correct the server or its dialect, leave out what it cannot do, or "
                f"set models.{name}.serving.check=false to go on all the same"
            )
        known[name] = digest
        done.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def check_server(recipe: Recipe, name: str, model: OpenAISpeechModel) -> ServerFindings:
    """Ask the server of one model for a few clips, and judge them; raises as `check_before_a_job` does."""
    dialect = dialect_of(model)
    voices = _voices(recipe, name)
    _check_voices(voices, dialect, model)
    _check_needs(recipe, voices, dialect)
    question = question_for(recipe, voices, dialect, model)
    requests = requests_for(question)
    engine = load_engine("tts", name, recipe.models)
    try:
        clips = ask(engine, requests, dialect.name)
    finally:
        engine.close()
    verdicts = judge_clips(question, clips, open_encoder)
    return ServerFindings(name, dialect.name, len(clips), tuple(verdicts))


def question_for(
    recipe: Recipe, voices: Sequence[Voice], dialect: SpeechDialect, model: OpenAISpeechModel
) -> Question:
    """Return what to ask: only things that the recipe sends."""
    sent = sent_by(model, dialect)
    language = next((code for code in recipe.languages if _of_language(voices, code)), recipe.languages[0])
    spoken = _of_language(voices, language) or list(voices)
    things: set[Thing] = set()
    pair = _unlike(spoken)
    if len(pair) > 1:
        things.add("voice")
    if sent.get("seed"):
        things.add("seed")
    if sent.get("style") and writes_styles(recipe):
        things.add("style")
    if "speed" in dialect.fields and _varies_speed(recipe, voices):
        things.add("speed")
    others = [code for code in (*recipe.languages, *dialect.languages, "zh", "en") if code not in (language, "*")]
    if sent.get("language"):
        things.add("language")
    return Question(tuple(pair), language, next(iter(others), None), frozenset(things))


def _check_voices(voices: Sequence[Voice], dialect: SpeechDialect, model: OpenAISpeechModel) -> None:
    recordings = sent_by(model, dialect).get("recording", False)
    for voice in voices:
        if problem := voice_problem(dialect, voice, model.model, recordings):
            raise UserError(f"{model.engine}: voice {voice.voice_id} {problem} (dialect {dialect.name})")


def _check_needs(recipe: Recipe, voices: Sequence[Voice], dialect: SpeechDialect) -> None:
    """Refuse a recipe that needs what the dialect cannot carry."""
    needs: dict[Thing, str] = {}
    if _varies_speed(recipe, voices):
        needs["speed"] = "a rate of its ladder or of a voice"
    if writes_styles(recipe):
        needs["style"] = "the styles that its texts get"
    for thing, what in needs.items():
        if thing not in dialect.fields:
            why = dialect.refused.get(thing, "the server has no field for it")
            raise UserError(f"the recipe has {what}, and the dialect {dialect.name} carries no {thing}: {why}")


def _varies_speed(recipe: Recipe, voices: Sequence[Voice]) -> bool:
    return any(rung.rate != 1 for rung in gate_of(recipe).ladder) or any(voice.rate != 1 for voice in voices)


def _voices(recipe: Recipe, model: str) -> list[Voice]:
    """Return the voices that may be cast for the server of that model, of the recipe's languages."""
    bank = spoken_bank(recipe, load_bank(recipe.section(CastSettings).bank))
    chosen = bank.select(engines=[NAME, model])
    return [voice for voice in chosen if voice.language in (*recipe.languages, ANY_LANGUAGE)]


def _of_language(voices: Sequence[Voice], language: str) -> list[Voice]:
    return [voice for voice in voices if voice.language in (language, ANY_LANGUAGE)]


def _unlike(voices: Sequence[Voice]) -> list[Voice]:
    """Return two voices, of two genders and the same rate where there are such; fewer where there are fewer."""
    if not voices:
        raise UserError("the bank has no voice for the server in the languages of the recipe")
    first = voices[0]
    others = [
        voice for voice in voices[1:] if voice.speaker != first.speaker or voice.is_recorded or _has_vector(voice)
    ]
    ranked = sorted(others, key=lambda voice: (voice.gender == first.gender, voice.rate != first.rate))
    return [first, *ranked[:1]]


def _has_vector(voice: Voice) -> bool:
    return voice.embedding is not None


def open_encoder() -> Distance | None:
    """Open a speaker encoder that needs no model, if one is installed, and return the distance by it."""
    for engine in ENGINES.all():
        if engine.kind == "encoder" and engine.settings is None:
            try:
                return _encoder_distance(engine.open())
            except EngineUnavailable:
                continue
    return None


def _encoder_distance(encoder: SpeakerEncoder) -> Distance:
    def distance(first: Clip, second: Clip) -> float:
        one, two = encoder.encode([first, second])
        if isinstance(one, Failure) or isinstance(two, Failure):
            return 0.0  # too little speech to tell: it counts as no difference
        return 1 - float(one @ two)

    return distance


def _digest(recipe: Recipe, model: OpenAISpeechModel) -> str:
    """Hash what decides the check: the recipe's content, the model, and the server's address, which is only hashed."""
    content = {"recipe": recipe.content(), "dialect": dialect_of(model).digest, "url": model.serving.base_url}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _known(done: Place) -> dict[str, str]:
    try:
        found = parse_json(done.read_text()) if done.exists() else {}
    except (ValueError, OSError):
        return {}  # then it is checked again
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
