"""Open a corpus for the audit: with the recipe in its manifest, and a sample of its kept rows.

A corpus may come from a stranger. Nothing in it chooses a server, a key, a checkpoint or a path: the models of its
recipe are shown, and run only where the user trusts the recipe for this call or names the model; where a model runs
(`serving`) is never taken from a manifest, and a voice bank only by the name of one that ships. Engines without a
model are code that is installed here.
"""

import copy
import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, islice
from typing import Any

from manifests.corpus import Corpus
from manifests.errors import CorpusError, EngineUnavailable, RecipeError, UserError
from manifests.manifest import Manifest, load_manifest
from manifests.schema import Dialogue
from manifests.shards import read_shard
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from pipeline.engines.registry import load_engine
from pipeline.recipe import Recipe
from pipeline.recipes.load import override_recipe, parse_recipe
from pipeline.seeds import derive_seed
from pipeline.stages.cast import CastSettings, engines_and_models, spoken_bank
from pipeline.stages.contract import EngineKey
from voicebank.bank import Bank, load_bank, shipped_banks
from voicebank.cast import Casting
from voicebank.voice import Voice

BATCH = 16
"""Dialogues that are decoded in memory at once."""


class Engines(dict[EngineKey, Any]):
    """The recipe's engines, each loaded when it is first used."""

    def __init__(self, recipe: Recipe, untrusted: Collection[str] = ()) -> None:
        """`untrusted` are the models of the recipe that may not be loaded."""
        super().__init__()
        self._recipe, self._untrusted = recipe, untrusted

    def __missing__(self, key: EngineKey) -> Any:
        kind, name = key
        if name in self._untrusted:
            settings = self._recipe.models[name].model_dump(mode="json", exclude={"serving"})
            raise UserError(
                f"the recipe in the corpus names the model {name} ({settings}), and a corpus must not choose what "
                f"runs here: trust it for this call with --trust-recipe, or name a model of yours with "
                f"--set models.{name}={{...}}"
            )
        try:
            self[key] = load_engine(kind, name, self._recipe.models)
        except EngineUnavailable as error:
            if name not in self._recipe.models:
                raise
            hint = f"manifests hold the last names of local checkpoints only: --set models.{name}.KEY=PATH"
            raise EngineUnavailable(f"{error} ({hint})") from error
        return self[key]


class Voices(Casting):
    """A bank's voices; a voice that the bank lacks is known by its id alone."""

    def __getitem__(self, voice_id: str) -> Voice:
        try:
            return super().__getitem__(voice_id)
        except KeyError:
            return Voice(voice_id, engine="", speaker="", language="", gender="female")


@dataclass(frozen=True)
class CorpusView:
    """A corpus with its manifest and recipe; engines, bank and casting are loaded when they are first used."""

    place: Place
    manifest: Manifest
    recipe: Recipe
    untrusted: frozenset[str] = frozenset()
    trusted_bank: bool = True
    opened_with: tuple[tuple[str, ...], bool] = ((), False)
    """The arguments of `open_view`, for a worker that opens the corpus again."""

    @cached_property
    def engines(self) -> Engines:
        """The recipe's engines."""
        return Engines(self.recipe, self.untrusted)

    @cached_property
    def bank(self) -> Bank | None:
        """The recipe's bank, or None if no bank is found under the name in the manifest."""
        if not self.trusted_bank and self.recipe.section(CastSettings).bank not in shipped_banks():
            return None
        try:
            return spoken_bank(self.recipe, load_bank(self.recipe.section(CastSettings).bank))
        except RecipeError:
            return None

    @cached_property
    def casting(self) -> Voices:
        """The voices that the recipe casts; without its bank, voices are known by their ids alone."""
        bank = self.bank or Bank(name="", digest="", voices=())
        return Voices(bank, engines_and_models(self.recipe), self.recipe.section(CastSettings).agents)


def open_view(place: Place, overrides: Sequence[str] = (), trust_recipe: bool = False) -> CorpusView:
    """Open the corpus. Raises CorpusError if it or its recipe cannot be read, RecipeError for invalid overrides.

    `trust_recipe`: the user lets the models and the bank of the corpus's recipe be loaded.
    """
    manifest = load_manifest(place)
    try:
        recipe = recipe_of(manifest)
    except RecipeError as error:
        raise CorpusError(f"manifest.json: this version of parley cannot read its recipe: {error}") from error
    if overrides:
        recipe = recipe_of(manifest, overrides)
    named = {override.partition("=")[0].strip() for override in overrides}
    untrusted = () if trust_recipe else (name for name in recipe.models if f"models.{name}" not in named)
    trusted_bank = trust_recipe or "cast.bank" in named
    return CorpusView(place, manifest, recipe, frozenset(untrusted), trusted_bank, (tuple(overrides), trust_recipe))


def recipe_of(manifest: Manifest, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe of the manifest. How its work was spread is not recorded and does not matter.

    Manifests that Parley writes do not say where a model runs; one that does is not believed.
    """
    data = copy.deepcopy(manifest.recipe.settings)
    models = data.get("models")
    for model in models.values() if isinstance(models, dict) else ():
        if isinstance(model, dict):
            model.pop("serving", None)
    for override in overrides:
        override_recipe(data, override)
    return parse_recipe({**data, "description": "of a corpus"}, manifest.recipe.name)


Drawn = tuple[int, int, int]
"""A dialogue that may be in the sample: the number that decides, its row, its clips."""


def draw(corpus: Corpus, clips: int, seed: int, spread: Spread = one_by_one) -> list[int]:
    """Draw whole dialogues by the seed until they have `clips` clips, or all; return their rows in order.

    Memory grows with the sample, not with the corpus: what a shard's own sample leaves out cannot be in that of all.
    """
    shards = corpus.manifest.shards.get(corpus.status, ())
    starts = accumulate((shard.rows for shard in shards), initial=0)
    found = spread(partial(_draw_in_shard, clips, seed), [corpus.place / shard.path for shard in shards])
    some: list[Drawn] = []
    for start, drawn in zip(starts, found, strict=False):
        some = _smallest([*some, *((number, start + row, size) for number, row, size in drawn)], clips)
    return sorted(row for _, row, _ in some)


def _draw_in_shard(clips: int, seed: int, shard: Place) -> list[Drawn]:
    heap: list[Drawn] = []
    total = 0
    rows = (dialogue for group in read_shard(shard, audio=False) for dialogue in group)
    for row, dialogue in enumerate(rows):
        size = sum(turn.audio is not None for turn in dialogue.turns)
        heapq.heappush(heap, (-derive_seed(seed, "audit", dialogue.dialogue_id), row, size))
        total += size
        while heap and total - heap[0][2] >= clips:
            total -= heapq.heappop(heap)[2]
    return [(-number, row, size) for number, row, size in heap]


def _smallest(drawn: list[Drawn], clips: int) -> list[Drawn]:
    """Return the dialogues with the smallest numbers that have `clips` clips together, or all."""
    taken: list[Drawn] = []
    total = 0
    for one in sorted(drawn):
        if total >= clips:
            break
        taken.append(one)
        total += one[2]
    return taken


def batches(corpus: Corpus, rows: Sequence[int]) -> Iterator[list[Dialogue]]:
    """Yield the dialogues of the given rows with their audio, a few at a time."""
    waiting = iter(rows)
    while some := list(islice(waiting, BATCH)):
        yield [corpus[row] for row in some]
