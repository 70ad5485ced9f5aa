"""mix: lays the clips of an arranged dialogue out on two channels, the user's and the agent's, and adds what is heard
on the user's side besides: room, noise, echo of the agent, the telephone.

Both channels are as long as the timeline, and each sample of a turn lies where `start_sample` says. The agent's
channel is never changed. Effects on the user's side come in this order: level of voices in the background, room, gain,
echo, noise, telephone. A channel that would exceed full scale is made quieter as a whole (`limited_db`), which changes
no ratio within it.

A dialogue without a timeline stays as it is. So does one with a clip that cannot be mixed: that take gets its reason.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from manifests.errors import UserError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Draw, Event, Timeline, Track
from manifests.storage import Place
from manifests.timeline import TrackKind
from pipeline.audio.channels import laid_out, limited
from pipeline.audio.levels import amplitude
from pipeline.audio.samples import encode
from pipeline.audio.shoebox import rooms_version
from pipeline.audio.sound_files import SoundFiles, find_sounds
from pipeline.engines.contract import Samples
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._effects import (
    Background,
    Echo,
    Effect,
    FromFiles,
    Gain,
    Mixed,
    Telephone,
    uniform,
    with_echo,
    with_gain,
    with_telephone,
)
from pipeline.stages._noise import Noise, Sources, with_noise
from pipeline.stages._rooms import Room, with_room
from pipeline.stages._takes import clip_of, is_placed
from pipeline.stages.contract import Context, EngineKey, Resource, Stage


class MixSettings(Section):
    mono: bool = Field(False, description="also write the mix of both channels")
    keep_clean: bool = Field(False, description="also keep the user's channel, and the mix, without the effects")
    background: Background | None = Field(None, description="how loud voices in the background are; none: as spoken")
    room: Room | None = Field(None, description="a room for the user: a recorded or a computed one; none: no room")
    gain: Gain | None = Field(None, description="level of the user; none: as spoken")
    echo: Echo | None = Field(None, description="the agent, heard again on the user's side; none: no echo")
    noise: Noise | None = Field(None, description="noise on the user's side; none: digital silence")
    telephone: Telephone | None = Field(None, description="the user's side comes by telephone; none: full band")


def mix(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_mix(dialogue, context) for dialogue in dialogues]


def _mix(dialogue: Dialogue, context: Context) -> Dialogue:
    timeline = dialogue.timeline
    if timeline is None or timeline.tracks or not any(map(is_placed, dialogue.turns)):
        return dialogue
    if unfit := [i for i in _placed(dialogue) if not _fits(dialogue, i, timeline)]:
        return _with_reason(dialogue, unfit, Reason.UNMIXABLE)
    settings = context.recipe.section(MixSettings)
    clean, drawn = _channels(dialogue, timeline, settings, context)
    try:
        heard = _with_effects(clean, dialogue, settings, context)
    except ValueError:
        user = [i for i in _placed(dialogue) if dialogue.turns[i].role == "user"]
        return _with_reason(dialogue, user or _placed(dialogue), Reason.SILENT_CHANNEL)
    channel, change_db = limited(heard.channel)
    heard = heard.drawn("limited_db", change_db) if change_db else heard
    if generator := _generator("telephone", settings.telephone, dialogue, context):
        assert settings.telephone is not None
        channel, event = with_telephone(channel, timeline.sample_rate, generator, settings.telephone)
        heard = replace(heard, events=(*heard.events, event))
    tracks = _tracks(channel, clean, settings)
    events = sorted((*timeline.events, *heard.events), key=_order)
    draws = (*timeline.draws, *drawn, *heard.draws)
    return replace(dialogue, timeline=replace(timeline, events=tuple(events), draws=draws, tracks=tracks))


def _order(event: Event) -> tuple[int, str, str, int]:
    return event.start_sample, event.channel, event.kind, event.end_sample


def _placed(dialogue: Dialogue) -> list[int]:
    return [i for i, turn in enumerate(dialogue.turns) if is_placed(turn)]


def _fits(dialogue: Dialogue, number: int, timeline: Timeline) -> bool:
    turn = dialogue.turns[number]
    audio, start = turn.audio, turn.start_sample or 0
    assert audio is not None
    return audio.sample_rate == timeline.sample_rate and 0 <= start <= timeline.num_samples - audio.num_samples


def _with_reason(dialogue: Dialogue, numbers: Sequence[int], reason: Reason) -> Dialogue:
    turns = tuple(
        replace(turn, take=replace(turn.take, reason=turn.take.reason or reason.value))
        if i in numbers and turn.take
        else turn
        for i, turn in enumerate(dialogue.turns)
    )
    return replace(dialogue, turns=turns)


def _channels(
    dialogue: Dialogue, timeline: Timeline, settings: MixSettings, context: Context
) -> tuple[Mixed, tuple[Draw, ...]]:
    """Lay out what is spoken: the user, voices behind the user, the agent."""
    clips: dict[str, list[tuple[int, Samples]]] = {"user": [], "background": [], "agent": []}
    draws = []
    for i in _placed(dialogue):
        turn = dialogue.turns[i]
        assert turn.take is not None and turn.start_sample is not None
        samples = clip_of(turn.take).samples
        background = settings.background if turn.kind == "background" else None
        if background and (generator := _generator("background", background, dialogue, context, i)):
            level_db = uniform(generator, background.level_db)
            draws.append(Draw("background_level_db", level_db, i))
            samples = samples * np.float32(amplitude(level_db))
        side = "background" if turn.kind == "background" and turn.role == "user" else turn.role
        clips[side].append((turn.start_sample, samples))
    own, behind, other = (laid_out(some, timeline.num_samples) for some in clips.values())
    silence = np.zeros(timeline.num_samples, np.float32)
    return Mixed(own, behind, other, silence, timeline.sample_rate), tuple(draws)


def _with_effects(mixed: Mixed, dialogue: Dialogue, settings: MixSettings, context: Context) -> Mixed:
    if settings.room and (generator := _room_generator(settings, dialogue, context)):
        responses = context.resource(RESPONSES) if settings.room.files else None
        mixed = with_room(mixed, generator, settings.room, responses)
    if settings.gain and (generator := _generator("gain", settings.gain, dialogue, context)):
        mixed = with_gain(mixed, generator, settings.gain)
    if settings.echo and (generator := _generator("echo", settings.echo, dialogue, context)):
        mixed = with_echo(mixed, generator, settings.echo, _agent_spans(dialogue))
    if settings.noise and (generator := _generator("noise", settings.noise, dialogue, context)):
        files = context.resource(NOISES) if settings.noise.files else None
        streamed = settings.noise.streamed
        codec = context.engines["tokenizer", streamed.engine] if streamed else None
        mixed = with_noise(mixed, generator, settings.noise, Sources(files, codec))
    return mixed


def _generator(
    name: str, effect: Effect | None, dialogue: Dialogue, context: Context, *parts: int
) -> np.random.Generator | None:
    """Return the effect's own generator for this dialogue; None if the dialogue does not have the effect."""
    if effect is None:
        return None
    generator = np.random.Generator(np.random.PCG64(context.seed_for("mix", dialogue, name, *parts)))
    return generator if generator.random() < effect.share else None


def _room_generator(settings: MixSettings, dialogue: Dialogue, context: Context) -> np.random.Generator | None:
    """Return the room's generator where there is a room: by its own share, or where there is echo."""
    if settings.room is None or not settings.room.with_echo:
        return _generator("room", settings.room, dialogue, context)
    if _generator("echo", settings.echo, dialogue, context) is None:
        return None
    return _generator("room", settings.room.model_copy(update={"share": 1.0}), dialogue, context)


def _agent_spans(dialogue: Dialogue) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        (i, turn.start_sample or 0, (turn.start_sample or 0) + (turn.audio.num_samples if turn.audio else 0))
        for i in _placed(dialogue)
        if (turn := dialogue.turns[i]).role == "agent"
    )


def _tracks(user: Samples, clean: Mixed, settings: MixSettings) -> tuple[Track, ...]:
    made: list[tuple[TrackKind, bool, Samples]] = [("user", False, user), ("agent", False, clean.other)]
    if settings.mono:
        made.append(("mono", False, user + clean.other))
    if settings.keep_clean:
        made.append(("user", True, clean.channel))
    if settings.keep_clean and settings.mono:
        made.append(("mono", True, clean.channel + clean.other))
    return tuple(
        Track(kind, is_clean, encode(limited(samples)[0], clean.sample_rate, "wav"))
        for kind, is_clean, samples in made
    )


def _found(settings: FromFiles | None) -> SoundFiles:
    assert settings is not None and settings.files is not None
    return find_sounds(settings.files, getattr(settings, "kinds", ()))


def _sounds(name: str, field: str) -> Resource[SoundFiles]:
    """Declare the sound files of an effect. Their names and sizes are part of the job's identity, not their bytes."""

    def load(recipe: Recipe, work: Place | None) -> SoundFiles:
        try:
            return _found(getattr(recipe.section(MixSettings), field))
        except UserError as error:
            raise UserError(f"mix.{field}.files: {error}") from error

    def version(recipe: Recipe) -> str:
        files = load(recipe, None)
        return f"{len(files.names)} files, names and sizes {files.digest[:16]}"

    return Resource(name, load, version)


NOISES = _sounds("sounds/noise", "noise")
RESPONSES = _sounds("sounds/room", "room")


ACOUSTICS: Resource[str] = Resource(
    "room acoustics", lambda recipe, work: rooms_version(), lambda recipe: rooms_version()
)
"""What decides the samples of computed rooms, and that it is there."""


def _resources(recipe: Recipe) -> tuple[Resource[Any], ...]:
    settings = recipe.section(MixSettings)
    wanted = ((settings.noise, NOISES), (settings.room, RESPONSES))
    found = tuple(resource for effect, resource in wanted if effect is not None and effect.files is not None)
    return (*found, ACOUSTICS) if settings.room is not None and settings.room.made is not None else found


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    noise = recipe.section(MixSettings).noise
    return (("tokenizer", noise.streamed.engine),) if noise is not None and noise.streamed is not None else ()


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.find(MixSettings)
    if settings and settings.room and settings.room.with_echo and settings.echo is None:
        raise ValueError("mix.room.with_echo: there is no mix.echo that the room could go with")
    if "watermark" not in recipe.stages:
        raise ValueError("mix: list watermark behind it, which cuts each turn's clip out of the delivered channel")


MIX = Stage(
    name="mix",
    about="lays the clips of an arranged dialogue out on two channels, with noise and echo on the user's side",
    settings=MixSettings,
    apply=mix,
    reads=frozenset({"timeline", "turns.start_sample", "take.audio"}),
    writes=frozenset({"timeline", "take.reason"}),
    spoils=frozenset({"take.watermark", "take.hearing", "take.speaker_similarity"}),
    pool="voices",
    after=("arrange",),
    engines=_engines,
    resources=_resources,
    check=_check_recipe,
)
