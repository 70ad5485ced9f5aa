"""Defines a recipe: the list of stages that make a corpus, with their own and their shared settings.

Every stage declares its own settings (`pipeline.stages.contract`), every engine those of its models; this module has
what they share and imports neither. `pipeline.recipes.load` reads recipes and checks that their parts fit together.
The recipe's digest covers every setting that changes the corpus, but not how the work is spread over a machine
(`pools`, and `serving` of a model).
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, SerializeAsAny, model_validator

from pipeline.settings import Section

Lengths = Annotated[dict[str, int], Field(description="by language: words, or characters of an unspaced script")]
Kind = TypeVar("Kind", bound=Section)


class Texts(Section):
    """Limits every text that will be spoken, whoever writes it."""

    question_limit: Lengths = Field(
        {"en": 60, "zh": 80}, description="longest question: words, or characters of an unspaced script"
    )
    answer_limit: int = Field(100, gt=0, description="longest answer: words (en) or characters (zh)")
    allow_latin: bool = Field(False, description="let Chinese texts contain words in Latin letters")


class Pack(Section):
    shard_mb: int = Field(256, gt=0, le=1_000_000, description="a shard is closed once it is this large")
    clips: bool = Field(True, description="also write the clips as files")
    metadata: bool = Field(True, description="write a single metadata.json as Ke-SpeechChat has it")


class Pool(Section):
    """Defines a pool of workers, each running the named neighboring stages on one block at a time.

    A stage that no pool names joins the pool of the stage before it.
    """

    stages: tuple[str, ...] = Field(description="neighboring stages, in the order of the recipe")
    workers: int = Field(
        0, ge=0, le=100_000, description="number of workers; 0: one per core, or as many as the GPUs have room for"
    )
    per_gpu: int = Field(
        0, ge=0, le=1000, description="workers for each GPU, whatever other pools have; 0: as `workers` says"
    )
    cpus: float = Field(1.0, ge=0, le=100_000, description="CPUs that a worker claims")
    gpus: float = Field(0.0, ge=0, le=100_000, description="GPUs that a worker claims")
    blocks_in_flight: int = Field(
        1, gt=0, le=10_000, description="blocks that one worker works on at once; more than 1 only for language models"
    )

    @model_validator(mode="after")
    def _one_number_of_workers(self) -> Self:
        if self.per_gpu and (self.workers or not self.gpus):
            raise ValueError("per_gpu is the number of workers on a GPU: it needs gpus, their share, and no workers")
        return self


class Recipe(Section):
    """Holds a recipe: `stages` has the settings of each stage, in running order, `models` those of each model."""

    name: str = Field(description="name of the recipe; the manifest shows it")
    description: str = Field(description="one line for people")
    languages: tuple[str, ...] = Field(description="languages of the corpus; rows of others are rejected")
    exchanges: Literal["all", "first"] = Field(
        "all", description="which exchanges of a multi-turn source row are used"
    )
    block_rows: int = Field(32, gt=0, le=100_000, description="dialogues in a block")
    texts: Texts = Field(Texts(), description="limits of every text that will be spoken")
    models: dict[str, SerializeAsAny[Section]] = Field(
        {}, description="models, by names that the stages' `engine` may use"
    )
    stages: dict[str, SerializeAsAny[Section]] = Field(description="the stages and their settings, in order")
    pack: Pack = Field(Pack(), description="how the corpus is written")
    pools: dict[str, Pool] = Field({}, description="how the work is spread; does not change the corpus")

    def section(self, kind: type[Kind]) -> Kind:
        """Return the stage settings of that class; raises ValueError if the recipe lacks the stage."""
        found = self.find(kind)
        if found is None:
            raise ValueError(f"recipe {self.name} has no stage with {kind.__name__}")
        return found

    def find(self, kind: type[Kind]) -> Kind | None:
        """Return the stage settings of that class, or None if the recipe lacks the stage."""
        return next((settings for settings in self.stages.values() if isinstance(settings, kind)), None)

    def engine_of(self, name: str) -> str:
        """Return the engine behind a name in a stage's settings: the engine of a model, or the engine itself."""
        return str(getattr(self.models[name], "engine", "")) if name in self.models else name

    def content(self) -> dict[str, Any]:
        """Return everything that decides the corpus, for JSON; `order` lists the stages, since JSON has no order."""
        leave_out: Any = {"description": True, "pools": True, "models": {"__all__": {"serving"}}}
        return {**self.model_dump(mode="json", exclude=leave_out), "order": list(self.stages)}
