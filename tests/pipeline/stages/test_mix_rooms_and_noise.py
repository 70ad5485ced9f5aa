"""mix: rooms that are computed, many talkers at once, noise that comes and goes, and noise behind a codec."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.audio import decode
from manifests.errors import RecipeError, UserError
from manifests.schema import Dialogue
from pipeline.audio.active import active_dbfs
from pipeline.audio.levels import level_dbfs
from pipeline.audio.noise import made_noise
from pipeline.audio.shoebox import Shoebox, absorbed, lasting, response_of
from pipeline.engines.contract import Clip, Samples
from pipeline.engines.tokenizer.tone import ToneTokenizer
from pipeline.stages._noise import _streamed
from pipeline.stages._rooms import MadeRoom, drawn_room
from pipeline.stages.contract import audit_stage, run_stage
from pipeline.stages.mix import MIX
from tests.arranged import RATE, arranged, mix_context


def sides(row: Dialogue) -> tuple[Samples, Samples]:
    """The user's channel before the effects, and what they added."""
    assert row.timeline is not None
    clean, heard = row.timeline.track("user", True), row.timeline.track("user")
    assert clean is not None and heard is not None
    before = decode(clean.audio)[0]
    limited = 10 ** (draws(row).get("limited_db", 0) / 20)
    return before, decode(heard.audio)[0] / np.float32(limited) - before


def draws(row: Dialogue) -> dict[str, float]:
    assert row.timeline is not None
    return {draw.name: draw.value for draw in row.timeline.draws}


def noises(row: Dialogue) -> list[tuple[int, int, str]]:
    assert row.timeline is not None
    return [(e.start_sample, e.end_sample, e.cause or "") for e in row.timeline.events if e.kind == "noise"]


@pytest.fixture(scope="module")
def talkers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six recordings of a second, each a tone of its own, of very different levels."""
    root, times = tmp_path_factory.mktemp("speech"), np.arange(RATE) / RATE
    for number in range(6):
        soundfile.write(root / f"{number}.wav", 0.5**number * np.sin(2 * np.pi * 500 * (number + 1) * times), RATE)
    return root


def test_babble_is_several_recordings_at_once_each_as_loud_as_the_others(talkers: Path) -> None:
    noise = {"files": str(talkers), "talkers": [3, 5], "snr_db": [10, 10]}
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(6)]
    context = mix_context(noise=noise, keep_clean=True)
    audit_stage(MIX, rows, context)
    counts = set()
    for row in run_stage(MIX, rows, context):
        clean, added = sides(row)
        [(start, end, cause)] = noises(row)
        count, names = int(cause[0]), cause.split(": ")[1].split(", ")
        counts.add(count)
        assert cause[1:] == f" at once: {', '.join(names)}" and len(set(names)) == len(names) == count
        assert (start, end) == (0, len(clean))
        assert active_dbfs(clean, RATE) - level_dbfs(added) == pytest.approx(10, abs=0.1)
        spectrum = np.abs(np.fft.rfft(added))
        strength = [spectrum[round(500 * (n + 1) * len(added) / RATE) + np.arange(-9, 10)].max() for n in range(6)]
        heard = sorted(range(6), key=lambda n: -strength[n])
        assert {f"{n}.wav" for n in heard[:count]} == set(names)
        assert strength[heard[count - 1]] > 0.5 * strength[heard[0]] > 4 * strength[heard[count]]
    assert len(counts) > 1


def test_noise_that_takes_turns_with_silence_is_where_its_events_say() -> None:
    turns = {"share": 1, "silence_s": [0.2, 0.6], "noise_s": [0.2, 0.6]}
    context = mix_context(noise={"made": ["white"], "alternating": turns}, keep_clean=True)
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(4)]
    audit_stage(MIX, rows, context)
    firsts = set()
    for row in run_stage(MIX, rows, context):
        _, added = sides(row)
        spans = noises(row)
        assert len(spans) > 2
        firsts.add(spans[0][0] == 0)
        covered = np.zeros(len(added), bool)
        for start, end, _ in spans:
            assert end == len(added) or 0.2 * RATE <= end - start <= 0.6 * RATE + 1
            assert level_dbfs(added[start:end]) > level_dbfs(added) - 3
            covered[start:end] = True
        assert np.abs(added[~covered]).max() < 2 / 32768
    assert firsts == {True, False}


def test_a_channel_has_noise_though_its_first_silence_would_outlast_it() -> None:
    turns = {"share": 1, "silence_s": [900, 900], "noise_s": [1, 1]}
    context = mix_context(noise={"made": ["white"], "alternating": turns})
    found = {noises(row)[0][:2] for row in run_stage(MIX, [arranged(dialogue_id=f"t-{i}") for i in range(4)], context)}
    length = arranged().timeline.num_samples  # type: ignore[union-attr]
    assert found == {(0, length), (0, RATE)}


class Deaf(ToneTokenizer):
    decodes = False


def test_noise_behind_a_codec_is_decoded_piece_by_piece_and_keeps_its_ratio() -> None:
    settings = {"made": ["white"], "snr_db": [12, 12], "streamed": {"engine": "tone", "piece_s": 0.5}}
    context = mix_context({("tokenizer", "tone"): ToneTokenizer()}, noise=settings, keep_clean=True)
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(3)]
    audit_stage(MIX, rows, context)
    (row, *_) = run_stage(MIX, rows, context)
    clean, added = sides(row)
    assert active_dbfs(clean, RATE) - level_dbfs(added) == pytest.approx(12, abs=0.1)
    assert (row.provenance[-1].stage, row.provenance[-1].engine) == ("mix", "tone")
    noise = made_noise("white", 20_500, RATE, np.random.default_rng(1))
    heard = _streamed(noise, RATE, ToneTokenizer(), 0.51)  # 25.5 frames: whole ones are taken
    codec, loud = ToneTokenizer(), np.pad(noise * np.float32(0.1), (0, 3 * 8_320 - 20_500))
    pieces = [codec.tokenize([Clip(loud[at : at + 8_320], RATE)])[0] for at in (0, 8_320, 16_640)]
    wanted = np.concatenate([clip.samples for clip in codec.decode(pieces)])[:20_500]  # type: ignore[arg-type]
    assert np.allclose(heard, wanted, atol=1e-6)
    with pytest.raises(UserError, match=r"mix\.noise\.streamed: tone does not decode"):
        _streamed(noise, RATE, Deaf(), 1.0)


def test_a_room_that_goes_with_the_echo_is_exactly_where_that_is(tmp_path: Path) -> None:
    response = np.zeros(2_000)
    response[[0, 900]] = 1.0, 0.5
    soundfile.write(tmp_path / "hall.wav", response, RATE)
    room: dict[str, Any] = {"files": str(tmp_path), "share": 0.0, "with_echo": True}
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(12)]
    made = run_stage(MIX, rows, mix_context(room=room, echo={"share": 0.5}))
    kinds = [{e.kind for e in row.timeline.events} & {"room", "echo"} for row in made if row.timeline]
    assert {frozenset(each) for each in kinds} == {frozenset(), frozenset({"room", "echo"})}
    with pytest.raises(RecipeError, match=r"there is no mix\.echo"):
        mix_context(room=room)


def test_rooms_are_drawn_inside_their_walls() -> None:
    settings = MadeRoom(distance_m=(0.3, 20))
    for seed in range(200):
        room = drawn_room(settings, np.random.default_rng(seed))
        for place in (room.mouth_m, room.microphone_m):
            assert all(0.3 - 1e-9 <= at <= side - 0.3 + 1e-9 for at, side in zip(place, room.size_m, strict=True))
        assert absorbed(room.size_m, room.rt60_s) < 1
    assert lasting((50, 50, 50), 0.2) > 1 and lasting((4, 3, 2.5), 0.5) == 0.5
    near = drawn_room(MadeRoom(distance_m=(0.5, 0.5)), np.random.default_rng(1))
    assert np.linalg.norm(np.subtract(near.mouth_m, near.microphone_m)) <= 0.5 + 1e-9


def test_a_computed_response_rings_as_long_as_it_should() -> None:
    pytest.importorskip("pyroomacoustics")
    for rt60_s in (0.2, 0.4):
        room = Shoebox((5.0, 4.0, 3.0), rt60_s, (1.0, 1.2, 1.5), (3.5, 2.5, 1.3))
        response = response_of(room, RATE)
        assert np.array_equal(response, response_of(room, RATE))
        left = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
        decay_db = 10 * np.log10(left / left[0])
        fall_s = (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / RATE
        assert 3 * fall_s == pytest.approx(rt60_s, rel=0.3)


def test_a_computed_room_is_recorded_in_the_row() -> None:
    pytest.importorskip("pyroomacoustics")
    context = mix_context(room={"made": {}}, keep_clean=True)
    rows = [arranged(dialogue_id=f"test-{i}") for i in range(3)]
    audit_stage(MIX, rows, context)
    names = {
        *(f"room_{side}_m" for side in ("length", "width", "height")),
        "room_rt60_s",
        *(f"room_{what}_{axis}_m" for what in ("mouth", "microphone") for axis in "xyz"),
    }
    for row in run_stage(MIX, rows, context):
        assert draws(row).keys() >= names
        clean, added = sides(row)
        assert -20 < level_dbfs(added) - level_dbfs(clean) < 15, "all that is no direct sound"
