"""A recipe: the file that says which stages, engines and thresholds build a corpus.

Unknown keys and wrong values are refused, all of them in one message. What changes the corpus is in the recipe's
digest; how the work is spread over a machine (`pools`) is not.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from pipeline import recipe_file
from pipeline.engines.registry import is_engine
from pipeline.models import Model, Section, public_name
from voicebank.cast import Agents

_PACKAGE = "pipeline.recipes"

TEXT_STAGES = ("rewrite", "screen", "dedup", "respond", "converse")
OPTIONAL_STAGES = ("dedup", "converse", "assess")
"""Stages that run only where the recipe has their section."""
SPEECH_STAGES = ("cast", "synthesize", "render", "watermark", "transcribe", "assess", "gate")
"""The stages that a retake goes through again."""
STAGES = TEXT_STAGES + SPEECH_STAGES

Share = Annotated[float, Field(ge=0, le=1)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_mapping(value: object) -> object:
    return {"*": value} if isinstance(value, str) else value


EngineList = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
EngineByLanguage = Annotated[dict[str, str], BeforeValidator(_as_mapping)]


Blocks = Annotated[dict[str, int], Field(description="by language: words, or characters of an unspaced script")]


class Rewrite(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-rewrite/v1), for a model")
    retries: int = Field(2, ge=0, description="further tries at an answer that cannot be used, for a model")
    fragments: bool = Field(
        False, description="for tasks such as summarising, give the model only the material, as incomplete inspiration"
    )
    fragment_length: Blocks = Field({"en": 120, "zh": 200}, description="longest fragment; the rest is cut off")
    source_length: Blocks = Field(
        {"en": 400, "zh": 600}, description="longest whole instruction that a model is asked about"
    )
    fillers: bool = Field(False, description="let the question carry fillers, as InstructS2S does")
    max_length: Blocks = Field(
        {"en": 60, "zh": 80}, description="longest question: words, or characters of an unspaced script"
    )


class Screen(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-screen/v1), for a model")
    retries: int = Field(1, ge=0, description="further tries at an answer that cannot be used, for a model")
    rules_first: bool = Field(True, description="reject by rules before a model is asked")
    safety: str | None = Field(None, description="the model that judges safety, in a call of its own; none: no call")
    safety_prompt: str | None = Field(None, description="template and version (ke-safety/v1)")
    max_words: int = Field(200, description="longest source text in words (OmniFlatten)")
    max_non_text_share: Share = Field(
        0.3, description="largest share of characters that are neither letters, digits nor punctuation"
    )


class Dedup(Section):
    """Near-duplicate questions, by MinHash. Rows wait here until all of them are screened."""

    threshold: float = Field(0.8, gt=0, le=1, description="Jaccard similarity from which two questions are the same")
    num_perm: int = Field(128, ge=16, le=1024, description="hash functions of a MinHash")
    shingle: Blocks = Field({"en": 2, "zh": 3}, description="size of a shingle: words (en) or characters (zh)")


class Respond(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-respond/v1), for a model")
    retries: int = Field(2, ge=0, description="further tries at an answer that cannot be used, for a model")
    answer_limit: int = Field(100, gt=0, description="hard limit of the answer: words (en) or characters (zh)")
    answer_target: int = Field(40, gt=0, description="no further sentence is added once the answer is this long")
    allow_latin: bool = Field(False, description="let Chinese texts keep words in Latin letters")


class Converse(Section):
    """Further exchanges, each written from those before it (LLaMA-Omni 2). Answers are held to `respond`'s limits."""

    engine: str = Field(description="the name of a model")
    prompt: str = Field(description="template and version (instructs2s-converse/v1)")
    retries: int = Field(2, ge=0, description="further tries at an answer that cannot be used")
    turns_mean: float = Field(2.0, gt=0, description="mean of the Poisson distribution of exchanges in a dialogue")
    turns_max: int = Field(5, ge=1, description="the number is clipped to 1..this, not drawn again")


def public_bank(bank: str) -> str:
    """The bank's name as it may stand in manifests and messages: of an address or absolute path only the last part."""
    return bank.rstrip("/").rsplit("/", 1)[-1] if "://" in bank else public_name(bank)


class Cast(Section):
    bank: str = Field("offline", description="voice bank: a name that ships, or a directory")
    agents: Agents = Field(
        "all",
        description="agent voices of a language that are cast: all, one (the bank's first), "
        "or pair (the bank's first female and first male)",
    )

    @field_serializer("bank")
    def _no_private_path(self, bank: str) -> str:
        """Recipes stand in manifests."""
        return public_bank(bank)


class Tts(Section):
    engine: EngineList = Field(
        description="speech engines, or models of some; a voice is cast only if its engine is among them"
    )


class Render(Section):
    sample_rate: int = Field(16_000, ge=8_000, le=48_000, description="of the delivered clips, Hz")
    loudness_lufs: float | None = Field(
        None, ge=-60, le=0, description="loudness of every clip, ITU-R BS.1770; none: the peak alone sets the level"
    )
    peak_dbfs: float = Field(-3.0, le=0, description="peak level of every clip; with a loudness, its highest")
    edge_silence_ms: int = Field(150, ge=0, description="silence before and after the speech")


class Watermark(Section):
    engine: str = Field(description="watermarker, or the name of a model")
    threshold: Share = Field(0.5, description="lowest detection score of the delivered bytes")
    message_errors: int = Field(
        2, ge=0, description="most wrong bits of the message found there, for a watermarker that carries one"
    )
    codec: Literal["flac", "wav"] = Field("flac", description="of the delivered bytes")


class Asr(Section):
    engine: EngineByLanguage = Field(description="recognizer, or one for each language ('*': any other)")
    second: EngineByLanguage = Field(
        {}, description="another recognizer, or one for each language, for turns that the first one gets rejected"
    )

    @model_validator(mode="after")
    def _two_opinions_come_from_two(self) -> "Asr":
        for language in self.second:
            if language != "*" and self.engine_for(language) is None:
                raise ValueError(f"second: no recognizer hears {language} first")
        for language in {**self.engine, **self.second}:
            second = self.second_for(language)
            if second is not None and second == self.engine_for(language):
                raise ValueError(f"second: {second} would be asked twice about {language}")
        return self

    def engine_for(self, language: str) -> str | None:
        return self.engine.get(language, self.engine.get("*"))

    def second_for(self, language: str) -> str | None:
        return self.second.get(language, self.second.get("*"))


QualityScore = Literal["dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "dnsmos_p808", "utmos"]


class Assess(Section):
    """Measures on the delivered bytes, and limits to them. What could not be measured of a clip crosses no limit."""

    quality: EngineList = Field((), description="quality predictors: dnsmos, or models; their scores go into the row")
    speaker: str | None = Field(
        None, description="speaker encoder that compares each clip with its own voice; none: no comparison"
    )
    minimum: dict[QualityScore, float] = Field({}, description="lowest scores, such as {dnsmos_ovrl: 3.0}")
    speaker_similarity: float | None = Field(
        None, ge=-1, le=1, description="lowest cosine to the clip's own voice, by that encoder; none: no limit"
    )
    max_clipped_share: Share | None = Field(
        None, description="largest share of samples that are cut off at full scale; none: no limit"
    )
    max_edge_silence_s: float | None = Field(
        None, ge=0, description="longest silence before or after the speech; none: no limit"
    )

    @model_validator(mode="after")
    def _limits_have_their_measure(self) -> "Assess":
        if self.speaker_similarity is not None and self.speaker is None:
            raise ValueError("speaker_similarity needs a speaker encoder: speaker=NAME")
        return self


class Rung(Section):
    """How the next attempt differs; the seed always does."""

    rate: float = Field(1.0, gt=0.3, lt=3, description="multiplies the voice's speaking rate")
    voice: Literal["same", "another"] = Field("same", description="'another': the user of the dialogue is cast anew")


class Speed(Section):
    """What speech can be, in letters or syllables per second. `pipeline.scoring.duration` argues for the defaults."""

    slowest: float = Field(gt=0, description="slower than this is run-away speech")
    fastest: float = Field(gt=0, description="faster than this, something is missing")
    pause_s: float = Field(ge=0, description="silence that a clip may hold besides")


class Gate(Section):
    cer_limit: Share = Field(0.05, description="CER above this drops the dialogue")
    wer_limit: Share = Field(0.10, description="WER above this drops the dialogue")
    worst_turn_limit: Share | None = Field(None, description="the same for any single turn; none: no such check")
    edge_limit: Share | None = Field(None, description="largest edge error of a turn; none: no such check")
    spaced_speed: Speed = Field(Speed(slowest=4, fastest=28, pause_s=2), description="of scripts with spaces (en)")
    unspaced_speed: Speed = Field(Speed(slowest=1.4, fastest=11, pause_s=2), description="of scripts without (zh)")
    ladder: tuple[Rung, ...] = Field((), description="further attempts at a rejected turn, in order")

    @property
    def attempts(self) -> int:
        return 1 + len(self.ladder)

    def limit(self, metric: str) -> float:
        return self.cer_limit if metric == "cer" else self.wer_limit


class Pack(Section):
    shard_mb: int = Field(256, gt=0, description="a shard is closed once it is this large")
    clips: bool = Field(True, description="write the clips as files too")
    metadata: bool = Field(True, description="write the single metadata.json of the Ke-SpeechChat kind")


class Pool(Section):
    """A pool of workers, each running the named neighboring stages on one block at a time."""

    stages: tuple[str, ...] = Field(description="neighboring stages; all pools together name each stage once")
    workers: int = Field(0, ge=0, description="0: one for each core")
    cpus: float = Field(1.0, ge=0, description="CPUs that a worker claims")
    gpus: float = Field(0.0, ge=0, description="GPUs that a worker claims")
    blocks_in_flight: int = Field(
        1, gt=0, description="blocks that one worker has in work at once; more than 1 for language models alone"
    )


class Recipe(Section):
    name: str = Field(description="stands in the manifest")
    description: str = Field(description="one line for people")
    languages: tuple[str, ...] = Field(description="rows of other languages are rejects")
    exchanges: Literal["all", "first"] = Field("all", description="how much of a multi-turn source row is taken")
    block_rows: int = Field(32, gt=0, description="dialogues in a block")
    models: dict[str, Model] = Field({}, description="models, by names that the stages' `engine` may use")
    rewrite: Rewrite
    screen: Screen
    dedup: Dedup | None = Field(None, description="none: near-duplicates are kept")
    respond: Respond
    converse: Converse | None = Field(None, description="none: no exchanges are added")
    cast: Cast
    tts: Tts
    render: Render
    watermark: Watermark
    asr: Asr
    assess: Assess | None = Field(None, description="none: nothing more is measured")
    gate: Gate
    pack: Pack
    pools: dict[str, Pool] = Field(description="how the work is spread; does not change the corpus")

    @model_validator(mode="after")
    def _pools_cover_the_stages(self) -> "Recipe":
        named = tuple(stage for pool in self.pools.values() for stage in pool.stages)
        if named != self.stages:
            raise ValueError(f"pools must name each stage once, in order: {', '.join(self.stages)}")
        for name, pool in self.pools.items():
            if pool.blocks_in_flight > 1 and not set(pool.stages) <= set(TEXT_STAGES):
                raise ValueError(f"pool {name}: only text stages can have several blocks in flight")
        return self

    @model_validator(mode="after")
    def _models_have_names_of_their_own(self) -> "Recipe":
        if taken := sorted(filter(is_engine, self.models)):
            raise ValueError(f"models: {', '.join(taken)} is the name of an engine; give the model another")
        spoken = [self.engine_of(name) for name in self.tts.engine]
        if len(set(spoken)) < len(spoken):
            raise ValueError("tts.engine: a voice names its engine, so no two models may be of one engine")
        return self

    @model_validator(mode="after")
    def _steps_name_their_models(self) -> "Recipe":
        steps = {"rewrite": self.rewrite, "screen": self.screen, "respond": self.respond, "converse": self.converse}
        for stage, step in steps.items():
            if step and step.engine in self.models and step.prompt is None:
                raise ValueError(f"{stage}: model {step.engine} needs a prompt")
        if self.screen.safety and self.screen.safety not in self.models:
            raise ValueError(f"screen.safety: there is no model {self.screen.safety!r}")
        if self.screen.safety and self.screen.safety_prompt is None:
            raise ValueError("screen.safety needs a safety_prompt")
        if self.converse and self.converse.engine not in self.models:
            raise ValueError(f"converse.engine: there is no model {self.converse.engine!r}")
        return self

    @model_validator(mode="after")
    def _assess_can_be_met(self) -> "Recipe":
        if self.assess is None:
            return self
        predictors = [self.engine_of(name) for name in self.assess.quality]
        if len(set(predictors)) < len(predictors):
            raise ValueError("assess.quality: two predictors of one engine would write the same scores")
        for score in self.assess.minimum:
            if score.partition("_")[0] not in predictors:
                raise ValueError(f"assess.minimum: no predictor of assess.quality gives {score}")
        longest, edge_s = self.assess.max_edge_silence_s, self.render.edge_silence_ms / 1000
        if longest is not None and longest < edge_s:
            raise ValueError(f"assess.max_edge_silence_s: render alone puts {edge_s:g} s of silence at the edges")
        return self

    def engine_of(self, name: str) -> str:
        """The engine behind what a stage names: that of a model, or the engine itself."""
        return self.models[name].engine if name in self.models else name

    def speaks_with(self, engine: str) -> str:
        """The name in `tts.engine` behind which a voice's engine stands. KeyError where there is none."""
        return {self.engine_of(name): name for name in self.tts.engine}[engine]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that this recipe runs, in order."""
        return tuple(s for s in STAGES if s not in OPTIONAL_STAGES or getattr(self, s) is not None)

    def content(self) -> dict[str, Any]:
        """All that decides what the corpus is, JSON-ready."""
        leave_out: Any = {"description": True, "pools": True, "models": {"__all__": {"serving"}}}
        return self.model_dump(mode="json", exclude=leave_out)


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def shipped_recipes() -> list[str]:
    """Names of the recipes that ship, sorted."""
    return recipe_file.shipped(_PACKAGE)


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of that name or file, with `key.path=value` overrides (values are YAML).

    Raises RecipeError, with every problem in one message.
    """
    return parse_recipe(recipe_file.read(name, _PACKAGE, "recipe", overrides), name)


def parse_recipe(data: Mapping[str, Any], name: str = "recipe") -> Recipe:
    """The recipe of that content. Raises RecipeError, with every problem in one message."""
    return recipe_file.parse(Recipe, data, name)
