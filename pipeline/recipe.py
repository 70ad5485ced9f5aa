"""A recipe: the list of stages that make a corpus, with the settings of each, and what they share.

Every stage declares its own settings (`pipeline.stages.contract`), every engine those of its models; this module holds
what they have in common and is below both. `pipeline.recipes.load` reads recipes and checks that their parts fit. What
changes the corpus is in the recipe's digest; how the work is spread over a machine (`pools`, and `serving` of a model)
is not.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, SerializeAsAny

from pipeline.settings import Section

Lengths = Annotated[dict[str, int], Field(description="by language: words, or characters of an unspaced script")]
Kind = TypeVar("Kind", bound=Section)


class Texts(Section):
    """What every text that is going to be spoken is held to, whoever writes it."""

    question_limit: Lengths = Field(
        {"en": 60, "zh": 80}, description="longest question: words, or characters of an unspaced script"
    )
    answer_limit: int = Field(100, gt=0, description="longest answer: words (en) or characters (zh)")
    allow_latin: bool = Field(False, description="let Chinese texts keep words in Latin letters")


class Pack(Section):
    shard_mb: int = Field(256, gt=0, description="a shard is closed once it is this large")
    clips: bool = Field(True, description="write the clips as files too")
    metadata: bool = Field(True, description="write the single metadata.json of the Ke-SpeechChat kind")


class Pool(Section):
    """A pool of workers, each running the named neighboring stages on one block at a time.

    A stage that no pool names joins the pool of the stage before it.
    """

    stages: tuple[str, ...] = Field(description="neighboring stages, in the order of the recipe")
    workers: int = Field(0, ge=0, description="0: one for each core")
    cpus: float = Field(1.0, ge=0, description="CPUs that a worker claims")
    gpus: float = Field(0.0, ge=0, description="GPUs that a worker claims")
    blocks_in_flight: int = Field(
        1, gt=0, description="blocks that one worker treats at once; more than 1 for language models alone"
    )


class Recipe(Section):
    """`stages` holds the settings of each stage, in the order in which they run; `models` those of each model."""

    name: str = Field(description="stands in the manifest")
    description: str = Field(description="one line for people")
    languages: tuple[str, ...] = Field(description="rows of other languages are rejects")
    exchanges: Literal["all", "first"] = Field("all", description="how much of a multi-turn source row is taken")
    block_rows: int = Field(32, gt=0, description="dialogues in a block")
    texts: Texts = Field(Texts(), description="what every text that is going to be spoken is held to")
    models: dict[str, SerializeAsAny[Section]] = Field(
        {}, description="models, by names that the stages' `engine` may use"
    )
    stages: dict[str, SerializeAsAny[Section]] = Field(description="the stages and their settings, in order")
    pack: Pack = Field(Pack(), description="what the corpus is written as")
    pools: dict[str, Pool] = Field({}, description="how the work is spread; does not change the corpus")

    def section(self, kind: type[Kind]) -> Kind:
        """The settings of the stage whose settings are of that class. ValueError if the recipe lacks the stage."""
        found = self.find(kind)
        if found is None:
            raise ValueError(f"recipe {self.name} has no stage with {kind.__name__}")
        return found

    def find(self, kind: type[Kind]) -> Kind | None:
        """Like `section`, but None if the recipe lacks the stage."""
        return next((settings for settings in self.stages.values() if isinstance(settings, kind)), None)

    def engine_of(self, name: str) -> str:
        """The engine behind what a stage names: that of a model, or the engine itself."""
        return str(getattr(self.models[name], "engine", "")) if name in self.models else name

    def content(self) -> dict[str, Any]:
        """All that decides what the corpus is, JSON-ready; `order` lists the stages, since JSON objects have none."""
        leave_out: Any = {"description": True, "pools": True, "models": {"__all__": {"serving"}}}
        return {**self.model_dump(mode="json", exclude=leave_out), "order": list(self.stages)}


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
