"""A bank recipe: which engines, and which thresholds, make speakers out of a corpus of recordings.

What decides who is a speaker is in the recipe's `content`; how the work is spread over a machine (`pool`, and what
stands under a model's `serving`) is not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from pipeline import recipe_file
from pipeline.recipes.models import name_problems, parse_models
from pipeline.settings import Section
from voicebank.layouts.clip import QualityScale
from voicebank.pair_rule import rule_problem

_PACKAGE = "pipeline.bank.recipes"


class Clips(Section):
    min_s: float = Field(1.0, ge=0, description="seconds; shorter clips are left out: they hold too little voice")
    max_s: float = Field(60.0, gt=0, description="seconds; longer clips are left out: they may hold several voices")


class QualityRule(Section):
    engine: str | None = Field(
        None, description="predicts what the corpus does not score itself; none: clips without a score are left out"
    )
    scale: QualityScale = Field("dnsmos_p808", description="which score counts; only a corpus's score of it is used")
    threshold: float = Field(4.0, ge=1, le=5, description="lowest score of a good clip (MOS, 1 to 5)")


class Groups(Section):
    min_clips: int = Field(10, ge=2, description="fewest good clips of a speaker")
    max_clips: int | None = Field(
        None, ge=2, description="most clips that are taken of a group, chosen by a hash of their ids; none: all"
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
        None, description="predicts the gender that the corpus does not tell; none: such groups are left out"
    )
    min_confidence: float = Field(
        0.9, ge=0.5, lt=1, description="least confidence in a predicted gender, all clips of the group together"
    )


class RateRule(Section):
    vad: str = Field(description="voice activity detector: time without speech does not count as articulation")


class Embedding(Section):
    encoder: str | None = Field(
        None, description="encoder whose embeddings a synthesizer speaks with (CosyVoice: CAM++); none: none kept"
    )


class WorkerPool(Section):
    workers: int = Field(0, ge=0, description="0: one for each core, or as many as the GPUs allow")
    cpus: float = Field(1.0, ge=0, description="CPUs that a worker claims")
    gpus: float = Field(0.0, ge=0, description="GPUs that a worker claims")


class BankRecipe(Section):
    name: str = Field(description="stands in the card")
    description: str = Field(description="one line for people")
    models: dict[str, SerializeAsAny[Section]] = Field(
        {}, description="models, by names that the sections below may use"
    )
    block_clips: int = Field(256, gt=0, description="clips in a block, about: blocks hold whole groups")
    clips: Clips = Field(Clips(), description="which clips are looked at")
    quality: QualityRule
    groups: Groups = Field(Groups(), description="which groups are looked at")
    pair_rule: PairRule
    gender: GenderRule = Field(GenderRule(), description="where the gender comes from")
    rate: RateRule
    embedding: Embedding = Field(Embedding(), description="what a synthesizer speaks with")
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
        """The engines by what they are for: role -> (kind, name), as in the engine table."""
        named = {
            "encoder": ("encoder", self.pair_rule.encoder),
            "embedding": ("encoder", self.embedding.encoder),
            "vad": ("vad", self.rate.vad),
            "quality": ("quality", self.quality.engine),
            "gender": ("gender", self.gender.engine),
        }
        return {role: (kind, name) for role, (kind, name) in named.items() if name is not None}

    def content(self) -> dict[str, Any]:
        """All that decides what the bank is, JSON-ready."""
        leave_out: Any = {"description": True, "pool": True, "models": {"__all__": {"serving"}}}
        return self.model_dump(mode="json", exclude=leave_out)


def shipped_bank_recipes() -> list[str]:
    """Names of the bank recipes that ship, sorted."""
    return recipe_file.shipped(_PACKAGE)


def load_bank_recipe(name: str, overrides: Sequence[str] = ()) -> BankRecipe:
    """The bank recipe of that name or file, with `key.path=value` overrides (values are YAML).

    Raises RecipeError, with every problem in one message.
    """
    return parse_bank_recipe(recipe_file.read(name, _PACKAGE, "bank recipe", overrides), name)


def parse_bank_recipe(data: Mapping[str, Any], name: str = "recipe") -> BankRecipe:
    """The bank recipe of that content. Raises RecipeError, with every problem in one message."""
    problems: list[str] = []
    models = parse_models(data.get("models") or {}, problems)
    return recipe_file.parse(BankRecipe, {**data, "models": models}, name, problems)
