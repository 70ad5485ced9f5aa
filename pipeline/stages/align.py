"""align: says when each word of every new take is spoken.

The aligner of the language finds the words of the whole text, as `manifests.words` counts them, in the clip that
`render` left, or passes on the times that the synthesizer told. Aligners place the words of a wrong text just as
willingly: what cannot be true is looked for here, and the times then carry the `problem`, so that nobody cuts by them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from manifests.languages import is_unspaced, primary_subtag
from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Word, WordTimes
from manifests.words import words_of
from pipeline.engines.contract import AlignRequest, Failure, WordAligner
from pipeline.engines.shared.word_times import unit_of
from pipeline.recipe import Recipe
from pipeline.settings import EngineByLanguage, Section
from pipeline.stages._segmenter import SEGMENTED, SEGMENTER
from pipeline.stages._takes import TurnPosition, clip_of, find_takes, is_raw, put_takes, take_at
from pipeline.stages._word_times import TimeLimits, find_problem, joined
from pipeline.stages.contract import Context, EngineKey, Resource, Stage

SYNTHESIZER = "synthesizer"


class AlignSettings(Section):
    engine: EngineByLanguage = Field(
        description="aligner, or one for each language ('*': all others); synthesizer: the times that it told"
    )
    unit: Literal["character", "word"] = Field(
        "character", description="what has times in Chinese: characters, or words by jieba; elsewhere it is words"
    )
    required: bool = Field(
        False, description="a turn without believable times of all its words is spoken again, or the dialogue dropped"
    )
    min_word_ms: int = Field(30, ge=0, le=1000, description="shortest word or character that an aligner is believed")
    max_word_s: float = Field(2.5, gt=0, description="longest word or character that is believed, in seconds")
    max_gap_s: float = Field(1.0, ge=0, description="longest time without a word inside a phrase, in seconds")
    max_unplaced_s: float = Field(0.3, ge=0, description="most sound in a clip that belongs to no word, in seconds")

    def engine_for(self, language: str) -> str | None:
        return self.engine.get(language, self.engine.get("*"))


def align(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_takes(dialogues, needs_times)
    by_engine: dict[str, list[TurnPosition]] = defaultdict(list)
    for place in places:
        name = context.recipe.section(AlignSettings).engine_for(dialogues[place.dialogue_index].language)
        if name is not None:
            by_engine[name].append(place)
    aligned = {
        place: take
        for name, wanted in by_engine.items()
        for place, take in zip(wanted, _aligned(dialogues, wanted, name, context), strict=True)
    }
    required = context.recipe.section(AlignSettings).required
    takes = [aligned.get(place) or take_at(dialogues, place) for place in places]
    return put_takes(dialogues, places, [_judged(take) if required else take for take in takes])


def needs_times(take: Take) -> bool:
    """Tell whether the take is new: neither marked nor arranged yet."""
    return is_raw(take) and take.dry is None


def _aligned(dialogues: Sequence[Dialogue], places: Sequence[TurnPosition], name: str, context: Context) -> list[Take]:
    aligner: WordAligner = context.engines["aligner", name]
    takes = [take_at(dialogues, place) for place in places]
    texts = [dialogues[i].turns[j].whole_text or "" for i, j in places]
    languages = [dialogues[i].language for i, _ in places]
    requests = [
        AlignRequest(clip_of(take), text, language, take.word_times)
        for take, text, language in zip(takes, texts, languages, strict=True)
    ]
    results = aligner.align(requests)
    return [
        replace(take, word_times=_believed(request, result, aligner, context))
        for take, request, result in zip(takes, requests, results, strict=True)
    ]


def _believed(request: AlignRequest, result: WordTimes | Failure, aligner: WordAligner, context: Context) -> WordTimes:
    """Return the times with what speaks against them."""
    if isinstance(result, Failure):
        words = tuple(Word(word.text, None, None) for word in words_of(request.text, request.language))
        stated = f"{aligner.name} {aligner.version}"
        return WordTimes(stated, unit_of(request.language), words, result.detail or result.reason.meaning)
    settings = context.recipe.section(AlignSettings)
    # Aligners squeeze words that are not there into moments. A synthesizer does say an "a" in one frame of 25 ms.
    shortest = 0 if aligner.name == SYNTHESIZER else settings.min_word_ms
    limits = TimeLimits(shortest, settings.max_word_s, settings.max_gap_s, settings.max_unplaced_s)
    problem = result.problem or find_problem(result, request.clip, limits)
    times = replace(result, problem=problem)
    if settings.unit == "word" and _is_segmented(request.language):
        return joined(times, context.resource(SEGMENTER)(request.text), request.language)
    return times


def _judged(take: Take) -> Take:
    """Give the take a reason if its times are missing or not believed."""
    if take.word_times is not None and take.word_times.is_complete:
        return take
    return replace(take, reason=Reason.UNALIGNED.value)


def _is_segmented(language: str) -> bool:
    return is_unspaced(language) and primary_subtag(language) in SEGMENTED


def tells_times(recipe: Recipe) -> bool:
    """Tell whether synthesizers are asked for the times of their words."""
    settings = recipe.find(AlignSettings)
    return settings is not None and SYNTHESIZER in settings.engine.values()


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return tuple(("aligner", name) for name in dict.fromkeys(recipe.section(AlignSettings).engine.values()))


def _resources(recipe: Recipe) -> tuple[Resource[Any], ...]:
    is_needed = recipe.section(AlignSettings).unit == "word" and any(map(_is_segmented, recipe.languages))
    return (SEGMENTER,) if is_needed else ()


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(AlignSettings)
    missing = [language for language in recipe.languages if settings.engine_for(language) is None]
    if settings.required and missing:
        raise ValueError(f"align.required: align.engine names no aligner for {', '.join(missing)}")
    if settings.unit == "word" and "arrange" in recipe.stages and any(map(_is_segmented, recipe.languages)):
        raise ValueError("align.unit: arrange cuts Chinese behind characters, and needs the times of each")


ALIGN = Stage(
    name="align",
    about="says when each word of every new take is spoken",
    settings=AlignSettings,
    apply=align,
    reads=frozenset({"turns.text", "take.audio"}),
    writes=frozenset({"take.word_times", "take.reason"}),
    pool="proof",
    after=("render", "synthesize", "perform"),
    engines=_engines,
    resources=_resources,
    check=_check_recipe,
)
