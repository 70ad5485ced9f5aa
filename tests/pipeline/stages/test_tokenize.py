"""tokenize: tokens for what gate will keep and for nothing else, of turns, roles and tracks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from manifests.errors import RecipeError
from manifests.schema import Dialogue, Timeline, Track
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.corpora import make_audio, with_take
from parley.testing.stages import make_hearing, take_of
from pipeline.engines.contract import Clip, Codes, Failure
from pipeline.engines.tokenizer.tone import ToneTokenizer
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.registry import find_stage

BEFORE = ("cast", "synthesize", "render", "watermark", "transcribe")
TOKENIZE, GATE = find_stage("tokenize"), find_stage("gate")


class Counting(ToneTokenizer):
    """Counts the clips; those of more than `limit` samples cannot be encoded."""

    def __init__(self, limit: int = 10**9) -> None:
        self.clips, self.limit = 0, limit

    def tokenize(self, clips: Sequence[Clip]) -> list[Codes | Failure]:
        self.clips += len(clips)
        short = [
            clip if len(clip.samples) <= self.limit else Clip(clip.samples[:0], clip.sample_rate) for clip in clips
        ]
        return super().tokenize(short)


def context_of(engine: ToneTokenizer, *overrides: str) -> Context:
    recipe = tone_recipe("tokenize.engine=tone", *overrides)
    return make_context(recipe, recipe.stages, engines={("tokenizer", "tone"): engine})


@pytest.fixture(scope="module")
def spoken() -> list[Dialogue]:
    """Three dialogues before gate: one will be kept, one was misheard, one has a faulty take."""
    rows = [make_dialogue(("How are you?", "I am fine."), spoken=True, dialogue_id=f"row-{i}") for i in range(3)]
    context = context_of(ToneTokenizer())
    for name in BEFORE:
        rows = run_stage(find_stage(name), rows, context)
    (question, misheard), (faulty, answer) = rows[1].turns, rows[2].turns
    misheard = with_take(misheard, hearing=make_hearing("something else", "I am fine."))
    rows[1] = replace(rows[1], turns=(question, misheard))
    rows[2] = replace(rows[2], turns=(with_take(faulty, reason="clipped"), answer))
    return rows


def test_only_what_gate_will_keep_costs_anything(spoken: list[Dialogue]) -> None:
    engine = Counting()
    context = context_of(engine)
    made = run_stage(TOKENIZE, spoken, context)
    assert engine.clips == 2
    assert [[len(take_of(turn).tokens) for turn in row.turns] for row in made] == [[1, 1], [0, 0], [0, 0]]
    kept = run_stage(GATE, made, context)
    assert [row.status == "kept" for row in kept] == [True, False, False]
    for turn in kept[0].turns:
        (tokens,) = take_of(turn).tokens
        samples = take_of(turn).audio
        assert samples is not None and tokens.num_frames == -(-samples.num_samples // tokens.hop_length)
        assert (tokens.tokenizer, tokens.derivation, tokens.license) == ("tone", "wav2token", "Apache-2.0")
        assert not turn.attempts[-1].tokens
    audit_stage(TOKENIZE, spoken, context)


def test_again_gives_the_same_and_not_twice(spoken: list[Dialogue]) -> None:
    context = context_of(ToneTokenizer())
    once = run_stage(TOKENIZE, spoken[:1], context)
    twice = run_stage(TOKENIZE, once, context)
    assert twice[0].turns == once[0].turns


def test_one_role_and_clips_that_cannot_be_encoded(spoken: list[Dialogue]) -> None:
    (agent,) = run_stage(TOKENIZE, spoken[:1], context_of(ToneTokenizer(), "tokenize.role=agent"))
    assert [len(take_of(turn).tokens) for turn in agent.turns] == [0, 1]
    context = context_of(Counting(limit=0))
    (row,) = run_stage(GATE, run_stage(TOKENIZE, spoken[:1], context), context)
    assert row.status == "kept" and [take_of(turn).tokens for turn in row.turns] == [(), ()]


def test_tracks_of_a_mixed_dialogue(spoken: list[Dialogue]) -> None:
    tracks = (Track("user", False, make_audio(1, 4000)), Track("agent", False, make_audio(2, 4000)))
    first, second = spoken[0].turns
    mixed = replace(
        spoken[0],
        timeline=Timeline("made-up", 16_000, 4000, tracks=tracks),
        turns=(replace(first, start_sample=0), second),  # the second has no place
    )
    (made,) = run_stage(TOKENIZE, [mixed], context_of(ToneTokenizer(), "tokenize.of=both"))
    assert made.timeline is not None
    assert [[each.num_frames for each in track.tokens] for track in made.timeline.tracks] == [[13], [13]]
    assert made.timeline.tracks[0].tokens != made.timeline.tracks[1].tokens
    assert [len(take_of(turn).tokens) for turn in made.turns] == [1, 0]
    (alone,) = run_stage(TOKENIZE, [mixed], context_of(ToneTokenizer(), "tokenize.of=tracks"))
    assert not any(take_of(turn).tokens for turn in alone.turns) and alone.timeline == made.timeline
    (unmixed,) = run_stage(TOKENIZE, spoken[:1], context_of(ToneTokenizer(), "tokenize.of=tracks"))
    assert unmixed.turns == spoken[0].turns


def test_where_it_stands_and_what_it_is_told() -> None:
    recipe = tone_recipe("tokenize.engine=tone")
    assert list(recipe.stages)[-3:] == ["transcribe", "tokenize", "gate"]
    with pytest.raises(RecipeError, match="name at least one tokenizer, and each once"):
        tone_recipe("tokenize.engine=[tone, tone]")


def test_the_tone_tokenizer_hears_and_says_its_bands() -> None:
    engine, times = ToneTokenizer(), np.arange(1600) / 16_000
    clip = Clip((0.1 * np.sin(2 * np.pi * (500 + 31.25 * 5) * times)).astype(np.float32), 16_000)
    (codes,) = engine.tokenize([clip])
    assert not isinstance(codes, Failure) and codes[0] == (5,) * 5
    (decoded,) = engine.decode([codes])
    (again,) = engine.tokenize([decoded])
    assert not isinstance(again, Failure) and again[0] == codes[0] and len(decoded.samples) == 1600
