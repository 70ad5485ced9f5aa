"""Runs in a worker: voices speak their sentence; the clip is heard, measured, and judged."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.registry import Models, load_engine, load_verifier
from pipeline.job.libraries import check_libraries, library_versions
from pipeline.job.usage import Effort
from pipeline.recipe import Pool, Recipe
from pipeline.recipes.pools import full_pools
from pipeline.scoring.rates import score
from pipeline.seeds import derive_seed
from pipeline.stages.synthesize import speaks_with
from pipeline.stages.transcribe import TranscribeSettings
from pipeline.yaml_text import load_yaml
from voicebank.prompts import JudgedPrompt, PromptClip, PromptDrop, PromptRule, judge_prompt, parent_rows
from voicebank.speaker_table import SpeakerTable, load_speaker_table
from voicebank.voice import ANY_LANGUAGE, Vector, Voice

OF_ANY = "en"
"""The language in which a voice of any language speaks its clip."""

_FINAL = (None, PromptDrop.NEAR_REAL)
"""A clip is taken, or the voice is somebody's: another take would not change that."""


@dataclass(frozen=True)
class Candidate:
    """A voice that is to get a clip, with its x-vector (float32 [D]) if its bank has them."""

    voice: Voice
    xvector: Vector | None = None


@dataclass(frozen=True)
class Prompted:
    """A candidate, the last clip that it spoke, and what became of it."""

    candidate: Candidate
    clip: PromptClip
    judged: JudgedPrompt


@dataclass(frozen=True)
class PromptOrder:
    """Tells a worker everything it needs, also on another machine: `engines` name the synthesizers that speak, `real`
    and `encoder` (with its models) the people that clips are compared with, `takes` how often a voice may try."""

    recipe: Recipe
    engines: tuple[str, ...]
    rule: PromptRule
    takes: int
    real: Place | None
    prefixes: tuple[str, ...]
    encoder: str | None
    encoder_models: Models
    libraries: Mapping[str, str] = field(default_factory=library_versions)


@dataclass(frozen=True)
class PromptPlan:
    """Plans the only pool: what the recipe's pool with `synthesize` claims."""

    order: PromptOrder
    name: str = "prompts"
    blocks_in_flight: int = 1
    keeps_blocks_whole: bool = False

    @property
    def claims(self) -> Pool:
        return next(pool for pool in full_pools(self.order.recipe).values() if "synthesize" in pool.stages)

    @property
    def takes_batches(self) -> bool:
        return self.claims.gpus > 0 or any(name in self.order.recipe.models for name in self.order.engines)

    def open(self) -> "PromptWorker":
        return PromptWorker(self.order)


class PromptWorker:
    """Loads its engines once; raises EngineUnavailable if one cannot load."""

    def __init__(self, order: PromptOrder) -> None:
        check_libraries(order.libraries)
        recipe = order.recipe
        self._order = order
        self._real = None if order.real is None else load_speaker_table(order.real)
        self._encoder = None if order.encoder is None else load_verifier(order.encoder, order.encoder_models)
        self._synthesizers = {
            engine: load_engine("tts", speaks_with(recipe, engine), recipe.models) for engine in order.engines
        }
        listeners = recipe.section(TranscribeSettings)
        named = {language: listeners.engine_for(language) for language in order.rule.errors}
        loaded = {name: load_engine("asr", name, recipe.models) for name in sorted({n for n in named.values() if n})}
        self._recognizers = {language: loaded[name] for language, name in named.items() if name}

    def run(self, candidates: Sequence[Candidate]) -> tuple[list[Prompted], Effort]:
        done: dict[int, Prompted] = {}
        for take in range(1, self._order.takes + 1):
            left = [index for index in range(len(candidates)) if index not in done or self._may_try(done[index])]
            clips = self._speak([candidates[index].voice for index in left], take)
            for index, clip in zip(left, clips, strict=True):
                done[index] = Prompted(candidates[index], clip, self._judge(candidates[index].voice, clip))
        return [done[index] for index in range(len(candidates))], Effort()

    def close(self) -> None:
        """Release what the engines hold outside this process."""
        for engine in (*self._synthesizers.values(), *self._recognizers.values(), self._encoder):
            if close := getattr(engine, "close", None):
                close()

    @staticmethod
    def _may_try(prompted: Prompted) -> bool:
        return prompted.judged.drop not in _FINAL

    def _speak(self, voices: Sequence[Voice], take: int) -> list[PromptClip]:
        requests = [_request(voice, take) for voice in voices]
        by_engine: dict[str, list[int]] = defaultdict(list)
        for index, voice in enumerate(voices):
            by_engine[voice.engine].append(index)
        spoken: dict[int, Clip | Failure] = {}
        for engine, indices in by_engine.items():
            results = self._synthesizers[engine].synthesize([requests[index] for index in indices])
            spoken.update(zip(indices, results, strict=True))
        made = {index: _clip(take, requests[index].text, spoken[index]) for index in range(len(voices))}
        sound = [index for index in made if made[index].problem is None]
        clips = [clip for index in sound if isinstance(clip := spoken[index], Clip)]
        measured = self._measure(clips, [requests[index] for index in sound])
        for index, figures in zip(sound, measured, strict=True):
            made[index] = replace(made[index], **figures)
        return [made[index] for index in range(len(voices))]

    def _measure(self, clips: Sequence[Clip], requests: Sequence[SpeechRequest]) -> list[dict[str, Any]]:
        """Return the error rate and the x-vector of each clip, or the problem with it."""
        found: list[dict[str, Any]] = [{} for _ in clips]
        for language in sorted({request.language for request in requests}):
            rows = [row for row, request in enumerate(requests) if request.language == language]
            heard = self._recognizers[language].transcribe([clips[row] for row in rows], [language] * len(rows))
            for row, transcript in zip(rows, heard, strict=True):
                if isinstance(transcript, Failure):
                    found[row]["problem"] = transcript.detail or transcript.reason.value
                else:
                    found[row]["error_rate"] = score(requests[row].text, transcript.text, language).rate
        for row, vector in enumerate(self._encoder.encode(clips) if self._encoder and clips else ()):
            if isinstance(vector, Failure):
                found[row]["problem"] = vector.detail or vector.reason.value
            else:
                found[row]["xvector"] = vector
        return found

    def _judge(self, voice: Voice, clip: PromptClip) -> JudgedPrompt:
        rows = [] if self._real is None else parent_rows(voice.parents, self._real, self._order.prefixes)
        return judge_prompt(clip, spoken_language(voice), rows, self._real, self._order.rule)


def sentences() -> Mapping[str, tuple[str, ...]]:
    """Return the sentences that voices say, by language."""
    return _sentences()


@cache
def _sentences() -> Mapping[str, tuple[str, ...]]:
    text = resources.files("pipeline.bank").joinpath("prompt_sentences.yaml").read_text(encoding="utf-8")
    return {language: tuple(lines) for language, lines in load_yaml(text).items()}


def spoken_language(voice: Voice) -> str:
    """Return the language in which a voice speaks its clip."""
    return OF_ANY if voice.language == ANY_LANGUAGE else voice.language


def check_languages(voices: Iterable[Voice]) -> None:
    """Raise UserError for voices whose language has no sentence."""
    if strange := sorted({spoken_language(voice) for voice in voices} - sentences().keys()):
        raise UserError(
            f"there is no sentence for voices of {', '.join(strange)}; there are: {', '.join(sentences())}"
        )


def real_voice(speakers: SpeakerTable, row: int, engine: str, name: str) -> Voice:
    """Return a real speaker as a voice of the synthesizer, to measure with: its own voice of that `name`, or
    conditioned on the speaker's embedding."""
    embeddings = speakers.embeddings
    return Voice(
        voice_id=f"real-{row:06d}",
        engine=engine,
        speaker=name,
        language=speakers.languages[row],
        gender=speakers.genders[row],
        parents=(speakers.ids[row],),
        weights=(1.0,),
        embedding=None if embeddings is None else embeddings[row],
    )


def _request(voice: Voice, take: int) -> SpeechRequest:
    language = spoken_language(voice)
    texts = sentences()[language]
    seed = derive_seed(0, "voice-prompt", voice.voice_id, take)
    return SpeechRequest(texts[(take - 1) % len(texts)], language, voice, 1.0, seed)


def _clip(take: int, text: str, spoken: Clip | Failure) -> PromptClip:
    if isinstance(spoken, Failure):
        return PromptClip(take, text, problem=spoken.detail or spoken.reason.value)
    samples: Samples = spoken.samples
    if not samples.size or not np.isfinite(samples).all() or not samples.any():
        return PromptClip(take, text, problem="the synthesizer gave no sound")
    audio = encode(samples, spoken.sample_rate, "flac").bytes
    return PromptClip(take, text, audio, len(samples) / spoken.sample_rate)
