"""tokenize: gives the clips of a dialogue, or its tracks, speech tokens, taken from the delivered bytes.

It stands before gate, behind which no row is live any more, and asks what gate will say: only a dialogue that gate
will keep costs anything. A clip that the tokenizer cannot encode has no tokens; the row is kept all the same, and
exporters that need tokens refuse it. Tokens carry no watermark: a codec removes it (docs/tokens.md).

Tokens can be made of a finished corpus as well, beside it: `parley corpus tokenize`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, field_validator

from manifests.audio import decode
from manifests.schema import Audio, Dialogue, Role, SpeechTokens, Timeline
from pipeline.engines.contract import Clip, Failure, SpeechTokenizer
from pipeline.engines.shared.speech_tokens import tokens_of
from pipeline.recipe import Recipe
from pipeline.settings import EngineList, Section
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.stages.gate import would_be_kept


class TokenizeSettings(Section):
    """Writes speech tokens, raw: never merged, shifted or offset."""

    engine: EngineList = Field(description="tokenizers, or names of models; each adds its tokens")
    of: Literal["turns", "tracks", "both"] = Field(
        "turns", description="what gets tokens: the turns' clips, the tracks of a mixed dialogue, or both"
    )
    role: Literal["both", "user", "agent"] = Field("both", description="whose turns get tokens")

    @field_validator("engine")
    @classmethod
    def _names_some(cls, engine: tuple[str, ...]) -> tuple[str, ...]:
        if not engine or len(set(engine)) < len(engine):
            raise ValueError("name at least one tokenizer, and each once")
        return engine


def tokenize(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_tokenized(each, context) if would_be_kept(each, context.recipe) else each for each in dialogues]


def _tokenized(dialogue: Dialogue, context: Context) -> Dialogue:
    settings = context.recipe.section(TokenizeSettings)
    for name in settings.engine:
        engine: SpeechTokenizer = context.engines["tokenizer", name]
        if settings.of in ("turns", "both"):
            dialogue = _with_turns(dialogue, engine, settings.role)
        if settings.of in ("tracks", "both") and dialogue.timeline is not None:
            dialogue = replace(dialogue, timeline=_with_tracks(dialogue.timeline, engine))
    return dialogue


def _with_turns(dialogue: Dialogue, engine: SpeechTokenizer, role: Role | Literal["both"]) -> Dialogue:
    wanted = [
        turn.take is not None and role in ("both", turn.role) and not dialogue.leaves_out(turn)
        for turn in dialogue.turns
    ]
    audios = [turn.audio if want else None for turn, want in zip(dialogue.turns, wanted, strict=True)]
    takes = (turn.take for turn in dialogue.turns)
    before = [take.tokens if take is not None else () for take in takes]
    turns = [
        turn
        if turn.take is None or tokens == turn.take.tokens
        else replace(turn, take=replace(turn.take, tokens=tokens))
        for turn, tokens in zip(dialogue.turns, _added(before, audios, engine), strict=True)
    ]
    return replace(dialogue, turns=tuple(turns))


def _with_tracks(timeline: Timeline, engine: SpeechTokenizer) -> Timeline:
    tracks = timeline.tracks
    tokens = _added([track.tokens for track in tracks], [track.audio for track in tracks], engine)
    pairs = zip(tracks, tokens, strict=True)
    return replace(timeline, tracks=tuple(replace(track, tokens=each) for track, each in pairs))


def _added(
    before: Sequence[tuple[SpeechTokens, ...]], audios: Sequence[Audio | None], engine: SpeechTokenizer
) -> Iterator[tuple[SpeechTokens, ...]]:
    """Yield the tokens of each clip with those of the engine, in the place of older ones of the same tokenizer."""
    clips = [None if audio is None else Clip(*decode(audio)) for audio in audios]
    found = iter(tokens_of([clip for clip in clips if clip is not None], engine))
    for tokens, clip in zip(before, clips, strict=True):
        if clip is None:
            yield tokens
            continue
        made = next(found)
        others = tuple(each for each in tokens if each.tokenizer != engine.tokenizer)
        yield others if isinstance(made, Failure) else (*others, made)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return tuple(("tokenizer", name) for name in recipe.section(TokenizeSettings).engine)


TOKENIZE = Stage(
    name="tokenize",
    about="gives the clips or tracks of dialogues that gate will keep their speech tokens",
    settings=TokenizeSettings,
    apply=tokenize,
    reads=frozenset({"take.audio", "take.hearing"}),
    writes=frozenset({"take.tokens", "timeline"}),
    pool="proof",
    after=("assess", "transcribe"),
    engines=_engines,
)
