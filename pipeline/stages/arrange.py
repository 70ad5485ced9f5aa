"""arrange: lays the turns of a dialogue out on one clock, as its cues, its labels and a timing profile say.

Who is interrupted is cut at the end of a word; pauses are put in; and every value that was drawn is recorded. It takes
the takes as render left them, which it keeps in the row (`take.dry`) as long as the row is live: when a turn is spoken
again, everything is laid out again. Without word times nothing is cut: an interruption waits for the end of the turn,
and what is to be heard beside a word is not placed. The take of such a turn says so by its reason: gate leaves it out,
or keeps it for a further pass, in which there may be a place for it.

A dialogue in which a take of the floor is missing or at fault is not arranged in this pass: gate will have it spoken
again, or drop the row.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pydantic import Field, field_serializer

from manifests.reasons import Reason
from manifests.schema import Dialogue, DryTake, Timeline, Turn
from manifests.storage import Place
from pipeline.recipe import Recipe
from pipeline.seeds import derive_seed
from pipeline.settings import Section, public_name
from pipeline.stages._arranged_take import (
    SpokenTake,
    dry_of,
    known_words,
    open_take,
    put_take,
    split_text,
    take_without_place,
    with_pause,
)
from pipeline.stages._cues import cue_problem
from pipeline.stages._placing import Arrangement, place
from pipeline.stages._takes import is_good_so_far
from pipeline.stages._timeline_events import events_of
from pipeline.stages.contract import Context, Resource, Stage, reject
from pipeline.timing.drawing import DrawRecord, draw_s
from pipeline.timing.profile import TIMES, Profile, RandomTime, load_profile, profile_digest


class ArrangeSettings(Section):
    profile: str = Field("human", description="timing profile: the name of one that Parley ships, or a file")
    gap_to_agent: RandomTime | None = Field(None, description="in place of the profile's own, as all that follow")
    gap_to_user: RandomTime | None = Field(None, description="gap before the user's turns")
    barge_in_lag: RandomTime | None = Field(None, description="from the word of a cue to the interruption")
    stop_latency: RandomTime | None = Field(None, description="from an interruption to where the other one stops")
    backchannel_lag: RandomTime | None = Field(None, description="from the word of a cue to the backchannel")
    pause: RandomTime | None = Field(None, description="length of a pause that a label asks for")
    silence: RandomTime | None = Field(None, description="how long one says nothing whose turn it is")
    silence_share: float = Field(0, ge=0, le=1, description="share of the user's further turns that come so late")
    tail: RandomTime | None = Field(None, description="silence behind the last that is heard; none: the clip's own")
    silence_limit_s: float = Field(1, gt=0, description="nobody speaks for so long: an event, in seconds")

    @field_serializer("profile")
    def _no_private_path(self, profile: str) -> str:
        """Shorten a private path: the recipe is copied into manifests."""
        return public_name(profile)


def load_timing(recipe: Recipe, work: Place | None = None) -> Profile:
    """Return the recipe's profile, with the times that the recipe sets itself; raises RecipeError."""
    settings = recipe.section(ArrangeSettings)
    own = {name: time for name in TIMES if (time := getattr(settings, name)) is not None}
    return load_profile(settings.profile).model_copy(update=own)


TIMING: Resource[Profile] = Resource("timing profile", load_timing, lambda recipe: profile_digest(load_timing(recipe)))
"""The profile by which dialogues are arranged."""


def arrange(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_arrange(dialogue, context) for dialogue in dialogues]


def _arrange(dialogue: Dialogue, context: Context) -> Dialogue:
    whole = tuple(replace(turn, text=turn.whole_text, unsaid=None) for turn in dialogue.turns)
    turns = tuple(replace(turn, start_sample=None) for turn in dialogue.turns)
    dialogue = replace(dialogue, timeline=None, turns=turns)
    dry = {number: dry for number, turn in enumerate(whole) if (dry := _good_dry(turn)) is not None}
    floor = [number for number, turn in enumerate(whole) if turn.kind == "turn"]
    if not floor or any(number not in dry for number in floor):
        return replace(dialogue, turns=tuple(map(_keep_dry, turns)))
    problem = cue_problem(dialogue) or _rate_problem(list(dry.values()))
    if problem is not None:
        return reject(dialogue, Reason.NO_TIMELINE, problem)
    return _arranged(replace(dialogue, turns=whole), dry, context)


def _good_dry(turn: Turn) -> DryTake | None:
    return dry_of(turn.take) if turn.take is not None and is_good_so_far(turn.take) else None


def _keep_dry(turn: Turn) -> Turn:
    """Keep a take as it is now, before it is marked: a further pass may arrange it."""
    if turn.take is None or (dry := _good_dry(turn)) is None:
        return turn
    return replace(turn, take=replace(turn.take, dry=dry))


def _rate_problem(takes: Sequence[DryTake]) -> str | None:
    rates = sorted({dry.audio.sample_rate for dry in takes})
    if len(rates) == 1:
        return None
    return f"takes of different sample rates: {', '.join(map(str, rates))} Hz; render gives them one"


def _asks_a_silent_user(dialogue: Dialogue) -> set[int]:
    """Return the agent's turns that follow one of its own: the user has said nothing, and the agent asks."""
    floor = [number for number, turn in enumerate(dialogue.turns) if turn.kind == "turn"]
    return {b for a, b in pairwise(floor) if dialogue.turns[a].role == dialogue.turns[b].role == "agent"}


def _arranged(dialogue: Dialogue, dry: dict[int, DryTake], context: Context) -> Dialogue:
    profile = context.resource(TIMING)
    settings = context.recipe.section(ArrangeSettings)
    rate = next(iter(dry.values())).audio.sample_rate
    paused = DrawRecord(rate)

    def draw(name: str, time: RandomTime, turn: int, *more: int) -> float:
        return draw_s(time, context.seed_for("arrange", dialogue, name, turn, *more))

    asks = _asks_a_silent_user(dialogue)

    def silent(turn: int) -> bool:
        if turn in asks:
            return True
        seed = context.seed_for("arrange", dialogue, "silent", turn)
        return derive_seed(seed) / 2**63 < settings.silence_share

    takes: dict[int, SpokenTake] = {}
    for number, take in dry.items():
        turn = dialogue.turns[number]
        takes[number] = open_take(turn, take, dialogue)
        # From the last one on, so that the times of the words before it stay what they are.
        for index, label in reversed([pair for pair in enumerate(turn.labels) if pair[1].kind == "pause"]):
            word = label.last_word
            if word in known_words(takes[number]) and word + 1 < len(takes[number].words or ()):
                length = paused.add("pause_s", draw("pause", profile.pause, number, index), number)
                takes[number] = with_pause(takes[number], word, length)
    arrangement = place(dialogue, takes, profile, draw, {number: silent(number) for number in dry})
    turns = tuple(
        _placed_turn(number, turn, dry.get(number), arrangement, dialogue.language)
        for number, turn in enumerate(dialogue.turns)
    )
    dialogue = replace(dialogue, turns=turns)
    behind = DrawRecord(rate)
    tail = behind.add("tail_s", max(0.0, draw("tail", settings.tail, 0)), None) if settings.tail else 0
    timeline = Timeline(
        profile=profile.name,
        sample_rate=rate,
        num_samples=max(placed.end_sample for placed in arrangement.placed.values()) + tail,
        events=events_of(dialogue, arrangement, round(settings.silence_limit_s * rate)),
        draws=(*paused.draws, *arrangement.draws, *behind.draws),
    )
    return replace(dialogue, timeline=timeline)


def _placed_turn(number: int, turn: Turn, dry: DryTake | None, arrangement: Arrangement, language: str) -> Turn:
    placed = arrangement.placed.get(number)
    if dry is None or turn.take is None:
        return turn
    if placed is None:
        return replace(turn, take=take_without_place(turn.take, dry))
    if placed.last_word is not None:
        turn = split_text(turn, language, placed.last_word)
    return replace(put_take(turn, dry, placed.take), start_sample=placed.start_sample)


def _check_recipe(recipe: Recipe) -> None:
    order = list(recipe.stages)
    if "align" in order and order.index("align") > order.index("arrange"):
        raise ValueError("arrange must stand behind align, whose word times say where a turn can be cut")


ARRANGE = Stage(
    name="arrange",
    about="lays the turns out on one clock: gaps, interruptions, backchannels, pauses",
    settings=ArrangeSettings,
    apply=arrange,
    reads=frozenset({"turns.text", "take.audio"}),
    writes=frozenset(
        {
            "turns.text",
            "turns.unsaid",
            "turns.start_sample",
            "turns.take",
            "take.audio",
            "take.word_times",
            "take.dry",
            "take.reason",
            "timeline",
        }
    ),
    spoils=frozenset({"take.watermark", "take.hearing", "take.hearings"}),
    pool="voices",
    after=("align", "render"),
    resources=lambda recipe: (TIMING,),
    check=_check_recipe,
)
