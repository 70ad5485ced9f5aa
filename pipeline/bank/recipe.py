"""Defines bank recipes: the engines and thresholds that turn a corpus of recordings into speakers.

The recipe's `content` has every setting that decides who is a speaker, but not how the work is spread over a machine
(`pool`, and a model's `serving`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from pipeline import recipe_file
from pipeline.engines.registry import keeps_norm
from pipeline.recipes.models import name_problems, parse_models
from pipeline.settings import Section
from voicebank.layouts.clip import QualityScale
from voicebank.pair_rule import rule_problem

_PACKAGE = "pipeline.bank.recipes"


class Clips(Section):
    min_s: float = Field(1.0, ge=0, description="seconds; shorter clips are left out: they contain too little voice")
    max_s: float = Field(60.0, gt=0, description="seconds; longer clips are left out: they may contain several voices")


class QualityRule(Section):
    engine: str | None = Field(
        None, description="predicts scores that the corpus lacks; none: clips without a score are left out"
    )
    scale: QualityScale = Field(
        "dnsmos_p808", description="the score to use; a corpus's scores of other kinds are ignored"
    )
    threshold: float = Field(4.0, ge=1, le=5, description="lowest score of a good clip (MOS, 1 to 5)")


class Groups(Section):
    min_clips: int = Field(10, ge=2, description="fewest good clips of a speaker")
    max_clips: int | None = Field(
        None, ge=2, description="most clips to take from a group, chosen by a hash of their ids; none: all"
    )


class PairRule(Section):
    encoder: str = Field(description="speaker encoder: its x-vectors tell people apart, here and in all later checks")
    threshold: float = Field(
        description="cosine above which two clips are alike; it depends on the encoder and means nothing with another",
        gt=-1,
        lt=1,
    )
    min_pairs: str = Field(
        "floor(n/2)",
        description='how many of all pairs must be alike: "floor(n/2)" of n clips, a number, or a share ("0.6*pairs")',
    )

    @field_validator("min_pairs", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("min_pairs")
    @classmethod
    def _is_rule(cls, value: str) -> str:
        if problem := rule_problem(value):
            raise ValueError(problem)
        return value


class GenderRule(Section):
    engine: str | None = Field(
        None, description="predicts genders that the corpus lacks; none: groups without one are left out"
    )
    min_confidence: float = Field(
        0.9, ge=0.5, lt=1, description="lowest confidence in a predicted gender, over all clips of the group"
    )


class RateRule(Section):
    vad: str = Field(description="voice activity detector: time without speech does not count as articulation")


class Embedding(Section):
    encoder: str | None = Field(
        None, description="encoder of the embeddings that a synthesizer needs (CosyVoice: CAM++); none: store none"
    )


class WorkerPool(Section):
    workers: int = Field(
        0, ge=0, le=100_000, description="number of workers; 0: one per core, or as many as the GPUs allow"
    )
    cpus: float = Field(1.0, ge=0, le=100_000, description="CPUs that a worker claims")
    gpus: float = Field(0.0, ge=0, le=100_000, description="GPUs that a worker claims")
    per_gpu: ClassVar[int] = 0


class BankRecipe(Section):
    name: str = Field(description="name of the recipe; the bank's card shows it")
    description: str = Field(description="one line for people")
    models: dict[str, SerializeAsAny[Section]] = Field(
        {}, description="models, by names that the sections below may use"
    )
    block_clips: int = Field(
        256, gt=0, le=1_000_000, description="approximate number of clips in a block: blocks hold whole groups"
    )
    clips: Clips = Field(Clips(), description="which clips are used")
    quality: QualityRule
    groups: Groups = Field(Groups(), description="which groups are used")
    pair_rule: PairRule
    gender: GenderRule = Field(GenderRule(), description="where the gender comes from")
    rate: RateRule
    embedding: Embedding = Field(Embedding(), description="embeddings for a synthesizer")
    pool: WorkerPool = Field(WorkerPool(), description="how the work is spread; does not change the bank")

    @model_validator(mode="after")
    def _models_have_names_of_their_own(self) -> "BankRecipe":
        if problems := name_problems(self.models):
            raise ValueError("; ".join(problems))
        if self.clips.min_s > self.clips.max_s:
            raise ValueError("clips: min_s is larger than max_s")
        if self.groups.max_clips is not None and self.groups.max_clips < self.groups.min_clips:
            raise ValueError("groups: max_clips is smaller than min_clips")
        return self

    @property
    def engines(self) -> dict[str, tuple[str, str]]:
        """Return the engines by their role: role -> (kind, name), as in the engine table."""
        named = {
            "encoder": ("encoder", self.pair_rule.encoder),
            "embedding": ("encoder", self.embedding.encoder),
            "vad": ("vad", self.rate.vad),
            "quality": ("quality", self.quality.engine),
            "gender": ("gender", self.gender.engine),
        }
        return {role: (kind, name) for role, (kind, name) in named.items() if name is not None}

    @property
    def has_raw_embeddings(self) -> bool:
        """Tell whether the embeddings keep the length that their encoder gives them."""
        return self.embedding.encoder is not None and keeps_norm(self.embedding.encoder, self.models)

    def content(self) -> dict[str, Any]:
        """Return everything that decides the content of the bank, ready for JSON."""
        leave_out: Any = {"description": True, "pool": True, "models": {"__all__": {"serving"}}}
        return self.model_dump(mode="json", exclude=leave_out)


def embedding_overrides(name: str, encoder: str) -> list[str]:
    """Return the overrides that make a recipe store embeddings of an encoder, written as NAME or as ENGINE=MODEL.

    NAME is a model of the recipe, the engine of one, or an engine that needs no model. Raises RecipeError for a recipe
    that cannot be read.
    """
    engine, separator, model = encoder.partition("=")
    if separator:
        chosen = f"{engine}-embeddings"
        settings = json.dumps({"engine": engine, "model": model})
        return [f"models.{chosen}={settings}", f"embedding.encoder={chosen}"]
    models = recipe_file.read(name, _PACKAGE, "bank recipe").get("models") or {}
    by_engine = {entry.get("engine"): key for key, entry in models.items() if isinstance(entry, Mapping)}
    return [f"embedding.encoder={encoder if encoder in models else by_engine.get(encoder, encoder)}"]


def shipped_bank_recipes() -> list[str]:
    """Return the names of the bank recipes that Parley ships, sorted."""
    return recipe_file.shipped(_PACKAGE)


def load_bank_recipe(name: str, overrides: Sequence[str] = ()) -> BankRecipe:
    """Load the bank recipe of that name or file, with `key.path=value` overrides (values are YAML).

    Raises RecipeError, with every problem in one message.
    """
    return parse_bank_recipe(recipe_file.read(name, _PACKAGE, "bank recipe", overrides), name)


def parse_bank_recipe(data: Mapping[str, Any], name: str = "recipe") -> BankRecipe:
    """Parse a bank recipe's content; raises RecipeError, with every problem in one message."""
    problems: list[str] = []
    models = parse_models(data.get("models") or {}, problems)
    return recipe_file.parse(BankRecipe, {**data, "models": models}, name, problems)
