"""assess, and what render records for it, with predictors and encoders that say what the test wants."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manifests.audio import decode
from manifests.errors import RecipeError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Hearing, Quality, Style, Take
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take, take_of
from pipeline.audio.levels import peak_dbfs
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.recipe import Recipe
from pipeline.stages.assess import REFERENCES
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.registry import find_stage
from tests.tables import each_row

pytest.importorskip("pyloudnorm", reason="needs the extra 'quality'")

RATE = 16_000
SPEECH = ("cast", "synthesize", "render", "watermark", "transcribe", "assess", "gate")
START = make_dialogue(("How are you?", "I am fine."), spoken=True)


class Hears:
    """Rates a clip by its peak, and places a voice by it; clips under 0.5 s cannot be measured."""

    name, version, scores, dimension = "hears", "1", ("dnsmos_ovrl", "dnsmos_p808"), 2

    def __init__(self) -> None:
        self.clips = 0

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        self.clips += len(clips)
        return [
            {"dnsmos_ovrl": 4 * peak, "dnsmos_p808": 5 * peak, "unheard_of": 1.0} if peak else _failure()
            for peak in map(_peak, clips)
        ]

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [
            np.array([peak, np.sqrt(1 - peak**2)], np.float32) if peak else _failure() for peak in map(_peak, clips)
        ]


def _peak(clip: Clip) -> float:
    return float(np.abs(clip.samples).max()) if len(clip.samples) >= 0.5 * clip.sample_rate else 0.0


def _failure() -> Failure:
    return Failure(Reason.RECOGNITION_FAILED, "too short")


def recipe_with(assess: str, *overrides: str) -> Recipe:
    return tone_recipe(f"assess={assess}", "gate.ladder=[]", *overrides)


def context_of(assess: str, *overrides: str, hears: Hears | None = None, reference_embeddings: Any = None) -> Context:
    engine = hears or Hears()
    engines = {("quality", "dnsmos"): engine, ("encoder", "resemblyzer"): engine}
    resources = {REFERENCES.name: reference_embeddings or {}}
    return make_context(recipe_with(assess, *overrides), SPEECH, engines=engines, **resources)


def tone(peak: float, seconds: float = 1.0, lead_s: float = 0.0, trail_s: float = 0.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    padding = (round(lead_s * RATE), round(trail_s * RATE))
    return np.pad((peak * np.sin(2 * np.pi * 500 * time)).astype(np.float32), padding)


def delivered(*clips: Samples, voice: str = "v", dialogue_id: str = "test-1", **known: Any) -> Dialogue:
    """A dialogue whose turns carry these clips, heard and not yet assessed."""
    pairs = [("How are you?", "I am fine.")] * ((len(clips) + 1) // 2)
    start = make_dialogue(*pairs, spoken=True, dialogue_id=dialogue_id)
    values = {"hearing": Hearing("test", "x")} | known
    turns = [
        replace(turn, take=make_take(1, voice, audio=encode(clip, RATE, "flac"), **values))
        for turn, clip in zip(start.turns, clips, strict=False)
    ]
    return replace(start, turns=(*turns, *start.turns[len(turns) :]))


def assessed(dialogue: Dialogue, assess: str, **known: Any) -> Take:
    (result,) = run_stage(find_stage("assess"), [dialogue], context_of(assess, **known))
    return take_of(result.turns[0])


def test_what_is_not_asked_is_not_computed() -> None:
    take = assessed(delivered(tone(0.5, lead_s=0.25, trail_s=0.125)), "{}")
    assert take.quality is not None and take.reason is None and take.speaker_similarity is None
    assert take.quality.loudness_lufs == pytest.approx(-9.9, abs=0.9)
    assert take.quality.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert take.quality.leading_silence_s == pytest.approx(0.25, abs=0.001)
    assert take.quality.trailing_silence_s == pytest.approx(0.125, abs=0.001)
    assert take.quality.clipped_share == 0.0
    asked = ("dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "dnsmos_p808", "utmos")
    assert [getattr(take.quality, name) for name in asked] == [None] * 5


def test_a_predictor_fills_its_scores_and_no_others() -> None:
    quality = assessed(delivered(tone(0.5)), "{quality: dnsmos}").quality
    assert quality is not None
    assert (quality.dnsmos_ovrl, quality.dnsmos_p808) == (pytest.approx(2, abs=0.01), pytest.approx(2.5, abs=0.01))
    assert quality.dnsmos_sig is None and quality.utmos is None


@each_row(
    ("assess", "reason"),
    [
        ("{quality: dnsmos, minimum: {dnsmos_ovrl: 1.9}}", None),
        ("{quality: dnsmos, minimum: {dnsmos_ovrl: 2.1}}", "low_quality"),
        ("{quality: dnsmos, minimum: {dnsmos_ovrl: 1.9, dnsmos_p808: 2.6}}", "low_quality"),
        ("{speaker: resemblyzer, speaker_similarity: 0.49}", None),
        ("{speaker: resemblyzer, speaker_similarity: 0.51}", "voice_drift"),
        ("{max_edge_silence_s: 0.31}", None),
        ("{max_edge_silence_s: 0.29}", "long_silence"),
        ("{max_clipped_share: 0}", None),
        ("{max_end_level_db: -40}", None),
        ("{min_bandwidth_hz: 300}", None),
        ("{min_bandwidth_hz: 4000}", "narrow_band"),
        ("{max_edge_silence_s: 0.29, min_bandwidth_hz: 4000}", "long_silence"),
    ],
)
def test_a_limit_that_is_crossed_is_the_reason(assess: str, reason: str | None) -> None:
    reference_embeddings = {"v": np.array([1, 0], np.float32)}
    take = assessed(delivered(tone(0.5, lead_s=0.2, trail_s=0.3)), assess, reference_embeddings=reference_embeddings)
    assert take.reason == reason
    assert take.quality is not None


def test_each_clip_is_held_against_its_own_voice() -> None:
    reference_embeddings = {"v": np.array([1, 0], np.float32), "w": np.array([0, 1], np.float32)}
    rows = [delivered(tone(0.6), voice=voice, dialogue_id=voice) for voice in ("v", "w")]
    context = context_of("{speaker: resemblyzer}", reference_embeddings=reference_embeddings)
    found = [take_of(row.turns[0]).speaker_similarity for row in run_stage(find_stage("assess"), rows, context)]
    assert found == [pytest.approx(0.6, abs=0.001), pytest.approx(0.8, abs=0.001)]


def test_cut_off_tops_are_clipped() -> None:
    clip = np.clip(tone(1.5), -1, 1)
    take = assessed(delivered(clip), "{max_clipped_share: 0.4}")
    assert take.reason == "clipped"
    assert take.quality is not None and take.quality.clipped_share == pytest.approx(0.5, abs=0.1)
    assert assessed(delivered(clip), "{max_clipped_share: 0.7}").reason is None


def test_a_clip_that_cannot_be_measured_crosses_no_limit() -> None:
    assess = "{quality: dnsmos, minimum: {dnsmos_ovrl: 5}, speaker: resemblyzer, speaker_similarity: 1}"
    take = assessed(
        delivered(tone(0.5, seconds=0.3)), assess, reference_embeddings={"v": np.array([1, 0], np.float32)}
    )
    assert (take.reason, take.speaker_similarity) == (None, None)
    assert take.quality is not None and take.quality.dnsmos_ovrl is None and take.quality.loudness_lufs is None


def test_silence_is_all_edge_and_has_no_level() -> None:
    take = assessed(delivered(np.zeros(RATE, np.float32)), "{max_edge_silence_s: 0.9}")
    assert take.reason == "long_silence"
    assert take.quality == Quality(clipped_share=0.0, leading_silence_s=1.0, trailing_silence_s=1.0)


def test_silence_has_neither_bandwidth_nor_end_and_crosses_neither_limit() -> None:
    take = assessed(delivered(np.zeros(RATE, np.float32)), "{min_bandwidth_hz: 4000, max_end_level_db: -40}")
    assert take.reason is None


def test_takes_with_a_reason_and_takes_assessed_before_are_left_alone() -> None:
    hears = Hears()
    done = Quality(leading_silence_s=0.0)
    rows = [
        delivered(tone(0.5), reason="hallucination_loop"),
        delivered(tone(0.5), quality=done, dialogue_id="test-2"),
    ]
    result = run_stage(find_stage("assess"), rows, context_of("{quality: dnsmos}", hears=hears))
    assert [row.turns for row in result] == [row.turns for row in rows]
    assert hears.clips == 0


def test_the_result_depends_on_the_row_alone() -> None:
    rows = [
        delivered(tone(0.1 * k, 0.3 + 0.2 * k), tone(0.9), dialogue_id=f"test-{k}", reason="x" if k == 3 else None)
        for k in range(1, 6)
    ]
    assess = "{quality: dnsmos, minimum: {dnsmos_ovrl: 1}, speaker: resemblyzer, speaker_similarity: 0.2}"
    context = context_of(assess, reference_embeddings={"v": np.array([1, 0], np.float32)})
    audit_stage(find_stage("assess"), rows, context)
    reasons = {row.turns[0].reason for row in run_stage(find_stage("assess"), rows, context)}
    assert reasons == {None, "x", "low_quality"} | {"voice_drift"}


class Says(ToneSynthesizer):
    def __init__(self, samples: Samples) -> None:
        super().__init__()
        self.clip = Clip(samples, RATE)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self.clip for _ in requests]


def through(recipe: Recipe, samples: Samples, *stages: str) -> Take:
    rows = [START]
    engines = {("tts", "tone"): Says(samples)}
    for stage in stages:
        known = tuple(name for name in SPEECH if name in recipe.stages)
        rows = run_stage(find_stage(stage), rows, make_context(recipe, known, engines=engines))
    return take_of(rows[0].turns[0])


def test_clipping_of_the_synthesizer_is_seen_though_its_level_is_lowered() -> None:
    recipe = recipe_with("{max_clipped_share: 0.01}", "render.peak_dbfs=-6")
    take = through(recipe, 1.5 * tone(1.0), "cast", "synthesize", "render", "watermark", "assess")
    assert take.reason == "clipped"
    assert take.quality is not None and take.quality.clipped_share == pytest.approx(0.5, abs=0.1)
    assert take.quality.peak_dbfs == pytest.approx(-6, abs=0.5)


@each_row(("trail_s", "reason"), [(0.0, "cut_off"), (0.1, None)])
def test_an_end_inside_speech_is_seen_though_silence_is_put_behind_it(trail_s: float, reason: str | None) -> None:
    recipe = recipe_with("{max_end_level_db: -40}")
    samples = np.concatenate([tone(0.5), tone(0.05, seconds=0.2), np.zeros(round(trail_s * RATE), np.float32)])
    take = through(recipe, samples, "cast", "synthesize", "render", "watermark", "assess")
    assert take.reason == reason
    assert take.quality is not None
    assert take.quality.end_level_db == pytest.approx(-120 if trail_s else -20, abs=0.5)


def test_without_render_the_end_of_the_delivered_clip_counts() -> None:
    assert assessed(delivered(tone(0.5)), "{max_end_level_db: -40}").reason == "cut_off"
    assert assessed(delivered(tone(0.5, trail_s=0.1)), "{max_end_level_db: -40}").reason is None


@pytest.mark.parametrize(
    ("overrides", "loudness", "peak"),
    [
        (["render.loudness_lufs=-23"], -23.0, None),
        (["render.loudness_lufs=-1", "render.peak_dbfs=-3"], None, -3.0),
        ([], None, -3.0),
    ],
    ids=["by loudness", "as loud as the peak allows", "by peak"],
)
def test_render_sets_the_level(overrides: list[str], loudness: float | None, peak: float | None) -> None:
    take = through(tone_recipe(*overrides), tone(0.05), "cast", "synthesize", "render")
    assert take.audio is not None
    samples, rate = decode(take.audio)
    if loudness is not None:
        assert loudness_lufs(samples, rate) == pytest.approx(loudness, abs=0.1)
    if peak is not None:
        assert peak_dbfs(samples) == pytest.approx(peak, abs=0.01)
    if not overrides:
        assert take.quality is None, "what is not asked is not recorded"
        return
    assert take.quality is not None
    assert take.quality.loudness_lufs == pytest.approx(loudness_lufs(samples, rate), abs=0.1)
    assert take.quality.peak_dbfs == pytest.approx(peak_dbfs(samples), abs=0.01)


def test_a_clip_under_a_block_is_leveled_by_its_peak() -> None:
    recipe = tone_recipe("render.loudness_lufs=-30", "render.edge_silence_ms=0")
    take = through(recipe, tone(0.05, seconds=0.2), "cast", "synthesize", "render")
    assert take.quality is not None and take.quality.loudness_lufs is None
    assert take.quality.peak_dbfs == pytest.approx(-3, abs=0.01)


@pytest.mark.parametrize("ladder", ["[]", "[{}]"])
def test_gate_keeps_the_reason_and_a_retake_is_measured_anew(ladder: str) -> None:
    recipe = recipe_with("{max_edge_silence_s: 0.2}", "render.edge_silence_ms=150", f"gate.ladder={ladder}")
    context = make_context(recipe, SPEECH)
    measured = {"quality": Quality(leading_silence_s=0.0), "speaker_similarity": 0.1}
    before = delivered(tone(0.5), reason="voice_drift", **measured)
    (row,) = run_stage(find_stage("gate"), [before], context)
    if ladder == "[]":
        assert (row.status, row.reason) == ("rejected", "voice_drift")
        assert take_of(row.turns[0]).speaker_similarity == 0.1, "the number stays beside the reason"
        return
    assert row.status == "live" and row.turns[0].attempts[0].reason == "voice_drift"
    assert row.turns[0].take is None


@each_row(
    ("assess", "message"),
    [
        ("{speaker_similarity: 0.8}", "speaker_similarity needs a speaker encoder"),
        ("{minimum: {dnsmos_ovrl: 3}}", "no predictor of assess.quality gives dnsmos_ovrl"),
        ("{quality: dnsmos, minimum: {utmos: 3}}", "no predictor of assess.quality gives utmos"),
        ("{quality: dnsmos, minimum: {mos: 3}}", "assess.minimum.mos"),
        ("{quality: [dnsmos, dnsmos]}", "would write the same scores"),
        ("{max_edge_silence_s: 0.1}", "render alone puts 0.15 s of silence"),
        ("{max_clipped_share: 2}", "assess.max_clipped_share"),
        ("{max_end_level_db: 1}", "assess.max_end_level_db"),
        ("{min_bandwidth_hz: 8000.5}", "render.sample_rate=16000 allows no bandwidth above 8000 Hz"),
        ("{loudness: 2}", "assess.loudness: there is no such key"),
    ],
)
def test_what_cannot_be_is_said_with_the_recipe(assess: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_with(assess)


def test_a_model_that_is_utmos_gives_utmos() -> None:
    recipe = recipe_with("{quality: mos, minimum: {utmos: 3.5}}", "models.mos={engine: utmos, model: utmos.pt}")
    assert find_stage("assess").engines(recipe) == (("quality", "mos"),)


class Moods(Hears):
    """Finds a clip the happier the louder it is."""

    labels = ("happy", "sad")

    def classify(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        self.clips += len(clips)
        return [{"happy": peak, "sad": 1 - peak} if peak else _failure() for peak in map(_peak, clips)]


STYLED = "{style: moods, style_probability: 0.6, style_labels: {cheerful: happy, gloomy: sad, 难过: sad}}"


@each_row(
    "style, peak, probability, reason",
    [
        (Style(label="Cheerful"), 0.75, 0.75, None),
        (Style(label="gloomy"), 0.75, 0.25, "off_style"),
        (Style("in a gloomy voice"), 0.25, 0.75, None),
        (Style("cheerful, not gloomy"), 0.25, None, None),
        (Style("用难过的语气说"), 0.75, 0.25, "off_style"),
        (Style("uncheerfully"), 0.25, None, None),
        (None, 0.25, None, None),
    ],
)
def test_a_style_is_held_against_the_sound(
    style: Style | None, peak: float, probability: float | None, reason: str | None
) -> None:
    moods = Moods()
    recipe = recipe_with(STYLED, "models.moods={engine: style-classifier, model: m}")
    dialogue = delivered(tone(peak))
    styled = replace(dialogue, turns=(replace(dialogue.turns[0], style=style), *dialogue.turns[1:]))
    (found,) = run_stage(find_stage("assess"), [styled], make_context(recipe, engines={("style", "moods"): moods}))
    take = take_of(found.turns[0])
    assert take.quality is not None and take.reason == reason
    assert take.quality.style_probability == (None if probability is None else pytest.approx(probability, abs=0.01))
    assert moods.clips == (probability is not None), "what asks for nothing is not classified"


def test_a_label_that_the_classifier_does_not_have_is_named() -> None:
    recipe = recipe_with(
        "{style: moods, style_labels: {cheerful: joyful}}", "models.moods={engine: style-classifier, model: m}"
    )
    dialogue = delivered(tone(0.5))
    styled = replace(dialogue, turns=(replace(dialogue.turns[0], style=Style(label="cheerful")), *dialogue.turns[1:]))
    with pytest.raises(RecipeError, match="moods has no label 'joyful'; it has happy, sad"):
        run_stage(find_stage("assess"), [styled], make_context(recipe, engines={("style", "moods"): Moods()}))
