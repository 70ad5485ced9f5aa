"""mix, and the marks after it: where every sample lies, what is drawn, and what becomes of a turn's clip."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.audio import decode
from manifests.errors import UserError
from manifests.schema import Audio, Dialogue, Event, Turn
from manifests.timeline import TrackKind
from parley.testing import tone_recipe
from parley.testing.stages import take_of, with_take
from pipeline.audio.active import active_dbfs
from pipeline.audio.levels import level_dbfs
from pipeline.audio.samples import encode
from pipeline.audio.sound_files import find_sounds
from pipeline.engines.contract import Clip, Detection, Failure, Samples
from pipeline.engines.watermark.tone_mark import ToneWatermarker
from pipeline.stages._marking import detect_channels, mark_channels
from pipeline.stages._order import order_problems
from pipeline.stages.contract import Context, audit_stage, run_stage
from pipeline.stages.mix import MixSettings
from pipeline.stages.registry import find_stage
from tests.arranged import RATE, arranged, mix_context, said

SIDES: tuple[TrackKind, ...] = ("user", "agent")
EVERYTHING: dict[str, Any] = {
    "gain": {"share": 0.7, "db": [-6, 3]},
    "echo": {"share": 0.7},
    "noise": {"share": 0.7, "made": ["pink", "white"]},
    "telephone": {"share": 0.3, "lines": ["band", "mu-law", "gsm"]},
}


def run(name: str, dialogue: Dialogue, context: Context) -> Dialogue:
    return run_stage(find_stage(name), [dialogue], context)[0]


def mixed(dialogue: Dialogue, **settings: Any) -> Dialogue:
    return run("mix", dialogue, mix_context(**settings))


def track(dialogue: Dialogue, kind: TrackKind, is_clean: bool = False) -> Samples:
    assert dialogue.timeline is not None
    found = dialogue.timeline.track(kind, is_clean)
    assert found is not None
    return decode(found.audio)[0]


def audio_of(turn: Turn) -> Audio:
    audio = take_of(turn).audio
    assert audio is not None
    return audio


def draws(dialogue: Dialogue) -> dict[str, float]:
    assert dialogue.timeline is not None
    return {draw.name: draw.value for draw in dialogue.timeline.draws}


def events(dialogue: Dialogue, kind: str) -> list[tuple[int, int, str | None]]:
    assert dialogue.timeline is not None
    return [(e.start_sample, e.end_sample, e.cause) for e in dialogue.timeline.events if e.kind == kind]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 20_000), min_size=4, max_size=4), st.booleans())
def test_every_sample_of_every_turn_lies_where_its_start_says(starts: list[int], mono: bool) -> None:
    """Turns of the two sides may overlap in any way; those of one side add up."""
    dialogue = arranged(("hi", "ho"), ("and", "oh"), starts=starts)
    made = mixed(dialogue, mono=mono)
    assert made.timeline is not None and dialogue.timeline is not None
    for role in SIDES:
        whole = np.zeros(dialogue.timeline.num_samples)
        for turn in (turn for turn in dialogue.turns if turn.role == role):
            samples, start = decode(audio_of(turn))[0], turn.start_sample or 0
            whole[start : start + len(samples)] += samples
        limit = 10 ** (-1 / 20) / np.abs(whole).max() if np.abs(whole).max() > 1 else 1.0
        assert np.abs(track(made, role) - whole * limit).max() <= 1 / 32768
    assert {track.audio.num_samples for track in made.timeline.tracks} == {made.timeline.num_samples}
    assert (made.timeline.track("mono") is not None) == mono


def test_effects_are_the_users_alone_and_a_row_depends_on_no_other() -> None:
    context = mix_context(**EVERYTHING, mono=True, keep_clean=True)
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(8)]
    audit_stage(find_stage("mix"), rows, context)
    made = run_stage(find_stage("mix"), rows, context)
    plain = mixed(rows[0])
    for row in made:
        assert np.array_equal(track(row, "agent"), track(plain, "agent"))
        assert np.array_equal(track(row, "user", True), track(plain, "user"))
    names = {name for row in made for name in draws(row)}
    assert names == {"gain_db", "echo_delay_ms", "echo_scale", "noise_snr_db"}
    assert len({frozenset(draws(row)) for row in made}) > 1, "the shares leave some effects out"
    assert {cause for row in made for _, _, cause in events(row, "telephone")} <= {"band", "mu-law", "gsm"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_noise_is_as_loud_as_was_drawn_over_the_whole_channel(seed: int) -> None:
    dialogue = arranged(gap=30_000, dialogue_id=f"test-{seed}")
    made = mixed(dialogue, noise={"made": ["white", "pink"], "snr_db": [0, 30]}, keep_clean=True)
    clean = track(made, "user", True)
    noise = track(made, "user") - clean
    measured = active_dbfs(clean, RATE) - level_dbfs(noise)
    assert measured == pytest.approx(draws(made)["noise_snr_db"], abs=0.1)
    assert [span[:2] for span in events(made, "noise")] == [(0, len(clean))]
    halves = [level_dbfs(part) for part in np.array_split(noise, 4)]
    assert max(halves) - min(halves) < 3, "also while the agent speaks"


def test_an_echo_is_the_agent_later_and_quieter() -> None:
    made = mixed(arranged(), echo={"share": 1}, keep_clean=True)
    delay, scale = round(draws(made)["echo_delay_ms"] * RATE / 1000), draws(made)["echo_scale"]
    assert 1600 <= delay <= 8000 and 0 < scale <= 0.2
    added, agent = track(made, "user") - track(made, "user", True), track(made, "agent")
    assert np.abs(added[delay:] - scale * agent[:-delay]).max() < 2 / 32768 and not added[:delay].any()
    first = made.turns[1]
    assert events(made, "echo")[0][0] == (first.start_sample or 0) + delay


def test_recordings_of_noise_and_rooms_come_from_directories(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for name, rate, length in (("music/a/one", 44_100, 5_000), ("noise/b/two", 8_000, 200_000)):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / f"{name}.wav", rng.uniform(-0.5, 0.5, (length, 2)), rate)
    (tmp_path / "rooms").mkdir()
    response = np.zeros(3_000)
    response[[10, 1_000]] = 1.0, 0.5
    soundfile.write(tmp_path / "rooms" / "hall.flac", response, RATE)
    noise = {"files": str(tmp_path), "kinds": ["noise", "music"], "snr_db": [10, 10]}
    context = mix_context(noise=noise, room={"files": str(tmp_path / "rooms")}, keep_clean=True)
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(6)]
    audit_stage(find_stage("mix"), rows, context)
    made = run_stage(find_stage("mix"), rows, context)
    assert {events(row, "noise")[0][2] for row in made} == {"noise/b/two.wav", "music/a/one.wav"}
    assert events(made[0], "room")[0][2] == "hall.flac"
    clean = track(made[0], "user", True)
    roomy = (clean + 0.5 * np.pad(clean[:-990], (990, 0))) * 10 ** (draws(made[0])["limited_db"] / 20)
    left = track(made[0], "user") - roomy
    assert active_dbfs(roomy, RATE) - level_dbfs(left) == pytest.approx(10, abs=0.1)
    assert context.recipe.content()["stages"]["mix"]["noise"]["files"] == tmp_path.name, "no private path in manifests"


def test_voices_in_the_background_are_quieter() -> None:
    dialogue = arranged()
    behind = replace(dialogue.turns[2], kind="background")
    made = mixed(replace(dialogue, turns=(*dialogue.turns[:2], behind, *dialogue.turns[3:])), background={})
    (draw,) = (d for d in made.timeline.draws if d.name == "background_level_db")  # type: ignore[union-attr]
    start, clip = behind.start_sample or 0, said(behind.text or "", 2)
    assert draw.turn == 2 and -24 <= draw.value <= -12
    heard = track(made, "user")[start : start + len(clip)]
    assert np.abs(heard - clip * 10 ** (draw.value / 20)).max() < 2 / 32768


def test_what_cannot_be_mixed_gets_a_reason_and_no_channel() -> None:
    dialogue = arranged()
    other_rate = encode(said("and what is the time", 2), 24_000, "wav")
    silent = encode(np.zeros(9_000, np.float32), RATE, "wav")
    cases = {
        "another rate": (replace(dialogue, turns=_with(dialogue, 2, audio=other_rate)), [2], "unmixable"),
        "beyond the end": (replace(dialogue, turns=_with(dialogue, 3, start=80_000)), [3], "unmixable"),
        "a silent side": (
            replace(dialogue, turns=_with(replace(dialogue, turns=_with(dialogue, 0, audio=silent)), 2, audio=silent)),
            [0, 2],
            "silent_channel",
        ),
    }
    for name, (row, faulty, reason) in cases.items():
        made = mixed(row, noise={"made": ["white"]})
        assert made.timeline is not None and not made.timeline.tracks, name
        assert {i: t.reason for i, t in enumerate(made.turns) if t.reason} == dict.fromkeys(faulty, reason), name


def _with(dialogue: Dialogue, number: int, start: int | None = None, **changes: Any) -> tuple[Any, ...]:
    turns = list(dialogue.turns)
    turns[number] = with_take(turns[number], **changes)
    if start is not None:
        turns[number] = replace(turns[number], start_sample=start)
    return tuple(turns)


def test_a_dialogue_without_a_timeline_is_left_as_it_is() -> None:
    plain = replace(arranged(), timeline=None)
    made = mixed(plain, noise={"made": ["white"]})
    assert (made.turns, made.timeline) == (plain.turns, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"noise": {}}, "noise needs recordings or a kind that is made"),
        ({"noise": {"made": ["pink"], "kinds": ["music"]}}, "which is not given"),
        ({"noise": {"made": ["pink"], "snr_db": [9, 3]}}, "the smaller number first"),
        ({"room": {}}, "room needs one of the two"),
        ({"room": {"files": "rooms", "made": {}}}, "room needs one of the two"),
        ({"room": {"made": {"height_m": [1, 3]}}}, "a room has 1.5 to 50 m"),
        ({"noise": {"made": ["pink"], "talkers": [3, 7]}}, "recordings of noise.files, which is not given"),
        ({"noise": {"made": ["pink"], "alternating": {"noise_s": [0, 1]}}}, "noise_s must be 0.1 at least"),
        ({"echo": {"scale": [-1, 0]}}, "cannot be negative"),
    ],
)
def test_settings_that_cannot_be_meant(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixSettings.model_validate(given)


def test_directories_without_sounds_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for files, message in (
        ({"files": str(tmp_path / "nowhere")}, "mix.noise.files: nowhere: there is no such directory"),
        ({"files": str(tmp_path)}, "no sound files"),
        ({"files": str(tmp_path), "kinds": ["speech"]}, "has no folder speech"),
    ):
        with pytest.raises(UserError, match=message):
            mix_context(noise=files)
    (tmp_path / "bad.wav").write_bytes(b"RIFF of nothing")
    with pytest.raises(UserError, match=r"/bad\.wav cannot be read"):
        mixed(arranged(), noise={"files": str(tmp_path)})


def delivered(dialogue: Dialogue, engine: ToneWatermarker | None = None, **settings: Any) -> Dialogue:
    context = mix_context({("watermark", "tone-mark"): engine} if engine else None, **settings)
    for name in ("mix", "watermark", "transcribe", "gate"):
        dialogue = run(name, dialogue, context)
    return dialogue


def test_a_turns_clip_is_its_stretch_of_the_marked_channel_bit_by_bit() -> None:
    made = delivered(arranged(), noise={"made": ["white"]}, mono=True, keep_clean=True)
    assert (made.status, made.wer) == ("kept", 0.0), "the turns are heard through the noise"
    assert made.timeline is not None
    assert [track.watermark.score for track in made.timeline.tracks if track.watermark] == pytest.approx(
        [1] * 5, abs=0.2
    )
    for turn in made.turns:
        start, samples = turn.start_sample or 0, decode(audio_of(turn))[0]
        assert np.array_equal(samples, track(made, turn.role)[start : start + len(samples)])
        assert take_of(turn).watermark is not None


class DeafToOneSide(ToneWatermarker):
    """Finds nothing in the whole channel that has speech before 10,000 samples, but does in clips cut out of it."""

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [
            Detection(0.0) if len(clip.samples) > 50_000 and clip.samples[:10_000].max() > 0.1 else found
            for clip, found in zip(clips, super().detect(clips), strict=True)
        ]


def test_a_channel_without_its_mark_condemns_the_turns_on_it() -> None:
    made = delivered(arranged(), DeafToOneSide())
    reasons = [turn.attempts[0].reason for turn in made.turns]
    assert reasons == ["watermark_missing", None, "watermark_missing", None]


class Seen(ToneWatermarker):
    """Remembers the longest clip, and says the message that most pieces carry."""

    bits = 4

    def __init__(self) -> None:
        self.longest, self.messages = 0, iter("f3")

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        self.longest = max(self.longest, *(len(clip.samples) for clip in clips))
        return super().embed(clips, messages)

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [Detection(len(clip.samples) / RATE / 100, next(self.messages)) for clip in clips]


def test_long_channels_are_marked_in_pieces() -> None:
    """90.5 s: a silent second piece, and half a second that joins the third."""
    samples = np.tile(said("hello"), 300)[: 90 * RATE + RATE // 2]
    samples[30 * RATE : 60 * RATE] = 0
    engine = Seen()
    silent = Clip(np.zeros(RATE, np.float32), RATE)
    (made, unmarked) = mark_channels(engine, [Clip(samples, RATE), silent], 3)
    assert isinstance(made, Clip) and isinstance(unmarked, Clip)
    assert engine.longest == 30.5 * RATE and not made.samples[30 * RATE : 60 * RATE].any()
    mark = np.abs(made.samples - samples)
    assert min(mark[start * RATE : end * RATE].max() for start, end in ((0, 30), (60, 90), (90, 91))) > 0.001
    found, nothing = detect_channels(engine, [made, silent])
    assert nothing is None and isinstance(found, Detection)
    assert found.message == "3", "half a second more for this one"
    assert found.score == pytest.approx((30 * 0.3 + 30.5 * 0.305) / 60.5)


def test_a_stretch_of_a_recording_is_as_long_as_it_is_asked_for(tmp_path: Path) -> None:
    written = np.arange(10_000) / 20_000
    soundfile.write(tmp_path / "a.wav", written, RATE, subtype="FLOAT")
    files = find_sounds(str(tmp_path))
    assert files.read("a.wav", RATE, 0.0, 4_000) == pytest.approx(written[:4_000])
    assert files.read("a.wav", RATE, 1.0, 4_000) == pytest.approx(written[-4_001:-1])
    assert files.read("a.wav", 2 * RATE, 0.5).shape == (20_000,)


def test_a_directory_of_noise_leads_to_no_other_place(tmp_path: Path) -> None:
    for name in ("noise/a.wav", "private/mine.wav"):
        (tmp_path / name).parent.mkdir()
        soundfile.write(tmp_path / name, np.zeros(100), RATE)
    (tmp_path / "noise" / "inside.wav").symlink_to("a.wav")
    assert find_sounds(str(tmp_path / "noise")).names == ("a.wav", "inside.wav")
    (tmp_path / "noise" / "b.wav").symlink_to(tmp_path / "private" / "mine.wav")
    with pytest.raises(UserError, match=r"'b.wav' is a symbolic link out of the directory"):
        find_sounds(str(tmp_path / "noise"))


@pytest.mark.parametrize(
    ("order", "problems"),
    [
        ("render arrange mix watermark transcribe assess gate", []),
        (
            "render arrange watermark mix transcribe gate",
            ["mix must stand before watermark: it would spoil take.watermark"],
        ),
        (
            "render mix arrange watermark transcribe gate",
            [
                "mix reads timeline and turns.start_sample, which no stage before it writes "
                "(arrange does, and stands too late)"
            ],
        ),
        (
            "render mix watermark transcribe gate",
            ["mix reads timeline and turns.start_sample, which no stage before it writes (arrange does)"],
        ),
        (
            "arrange render mix watermark transcribe gate",
            ["render must stand before arrange: it would spoil timeline"],
        ),
    ],
)
def test_orders_that_cannot_be_meant(order: str, problems: list[str]) -> None:
    stages = [find_stage(name) for name in ("rewrite", "respond", "cast", "synthesize", *order.split())]
    assert order_problems(stages) == problems


def test_channels_that_nobody_marks_are_refused() -> None:
    """Without watermark, nothing would cut the turns' clips out of the channels, and other clips would be heard."""
    with pytest.raises(ValueError, match="mix: list watermark behind it"):
        find_stage("mix").check(tone_recipe("watermark=null"))


def test_pauses_that_were_put_in_do_not_make_speech_too_long() -> None:
    """Half a minute of silence within a turn: run-away speech, unless a label asked for it."""
    dialogue = arranged(("hello there my friend", "i am fine"), gap=100_000)
    samples, start = said("hello there my friend"), dialogue.turns[0].start_sample or 0
    paused = np.concatenate([samples[:9_600], np.zeros(30 * RATE, np.float32), samples[9_600:]])
    dialogue = replace(dialogue, turns=_with(dialogue, 0, audio=encode(paused, RATE, "wav")))
    context = mix_context()
    unlabeled = run("transcribe", dialogue, context)
    assert unlabeled.turns[0].reason == "too_long_speech"
    assert dialogue.timeline is not None
    pause = Event("pause", "user", start + 9_600, start + 9_600 + 30 * RATE, 0)
    labeled = replace(dialogue, timeline=replace(dialogue.timeline, events=(pause,)))
    assert run("transcribe", labeled, context).turns[0].hypothesis is not None


def test_takes_that_are_mixed_again_are_not_rendered_again() -> None:
    dialogue = arranged()  # 50 ms of silence at the edges, where the recipe asks for 150
    assert run("render", dialogue, mix_context()).turns == dialogue.turns
