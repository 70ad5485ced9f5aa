"""AudioSeal: the true package on small checkpoints of its format. Their weights are random: nothing is ever found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("audioseal")

import torch
from audioseal import AudioSeal

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Detection, Failure, Samples
from pipeline.engines.registry import load_engine
from pipeline.engines.watermark import audioseal
from pipeline.engines.watermark._message import embed_channels, message_bits
from pipeline.engines.watermark.audioseal import AudioSealModel, AudioSealWatermarker
from tests.pipeline.engines.watermark import tiny_audioseal as tiny
from tests.tables import each_row

MESSAGE = 0xA3F1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AudioSealModel:
    return tiny.tiny_model(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def engine(model: AudioSealModel) -> AudioSealWatermarker:
    made = load_engine("watermark", "seal", {"seal": model})
    assert isinstance(made, AudioSealWatermarker)
    return made


def clip(seconds: float = 0.5, rate: int = 16_000, seed: int = 0, level: float = 0.1) -> Clip:
    noise = np.random.default_rng(seed).normal(0, level, round(seconds * rate))
    return Clip(np.clip(noise, -1, 1).astype(np.float32), rate)


def marked(engine: AudioSealWatermarker, given: Clip, message: int = MESSAGE) -> Clip:
    (result,) = engine.embed([given], [message])
    assert isinstance(result, Clip)
    return result


def reference_network(kind: str, path: str) -> Any:
    """As the package itself loads it."""
    return {"generator": AudioSeal.load_generator, "detector": AudioSeal.load_detector}[kind](path, nbits=16).eval()


def followed_by_silence(samples: Samples) -> torch.Tensor:
    whole = -(-len(samples) // 320) * 320 + audioseal.SPARE_HOPS * 320
    return torch.from_numpy(np.pad(samples, (0, whole - len(samples))))[None, None]


# what it computes


@pytest.mark.parametrize("message", [0, 1, MESSAGE, 0xFFFF])
def test_the_mark_is_the_packages(engine: AudioSealWatermarker, model: AudioSealModel, message: int) -> None:
    given = clip(0.61)
    with torch.inference_mode(), engine._compiling.no_compile():
        network = reference_network("generator", model.generator)
        mark = network.get_watermark(
            followed_by_silence(given.samples), message=torch.tensor([message_bits(message, 16)])
        )[0, 0, : len(given.samples)].numpy()
    assert np.std(mark) > 1e-3
    assert np.allclose(marked(engine, given, message).samples - given.samples, mark, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_score_and_bits_are_the_packages(engine: AudioSealWatermarker, model: AudioSealModel, seed: int) -> None:
    """Its score takes in the silence that follows, and the end of that; ours does not."""
    given = clip(0.61, seed=seed)
    network, length = reference_network("detector", model.detector), len(given.samples)
    with torch.inference_mode(), engine._compiling.no_compile():
        outputs = network.detector(followed_by_silence(given.samples))[..., :length]
        alone, _ = network.detect_watermark(torch.from_numpy(given.samples)[None, None])
    (found,) = engine.detect([given])
    assert isinstance(found, Detection) and found.message is not None
    assert 0.1 < found.score < 0.9
    assert found.score == pytest.approx(float((outputs[0, :2].softmax(0)[1] > 0.5).float().mean()), abs=1e-4)
    assert found.score == pytest.approx(float(alone), abs=0.05)
    bits = (network.decode_message(outputs[:, 2:])[0] > 0.5).int().tolist()
    assert message_bits(int(found.message, 16), 16) == tuple(bits)


def test_a_message_changes_the_mark_and_only_the_mark(engine: AudioSealWatermarker) -> None:
    given = clip()
    one, other = (marked(engine, given, message).samples for message in (MESSAGE, MESSAGE ^ 1))
    assert 1e-4 < np.std(one - other) < 0.1
    assert np.array_equal(marked(engine, given).samples, one)


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_strength_multiplies_the_mark(engine: AudioSealWatermarker, model: AudioSealModel, strength: float) -> None:
    given = clip()
    changed = AudioSealWatermarker(model.model_copy(update={"strength": strength}))
    usual = marked(engine, given).samples - given.samples
    assert np.allclose(marked(changed, given).samples - given.samples, strength * usual, atol=1e-6)


@each_row("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@each_row("seconds", [0.1, 0.5001])
def test_a_clip_of_any_rate_keeps_its_length_and_rate(engine: AudioSealWatermarker, rate: int, seconds: float) -> None:
    given = clip(seconds, rate)
    before = given.samples.copy()
    result = marked(engine, given)
    assert (result.sample_rate, result.samples.shape, result.samples.dtype) == (rate, before.shape, np.float32)
    assert np.isfinite(result.samples).all() and np.std(result.samples - before) > 1e-4
    assert np.array_equal(given.samples, before), "and is left alone"
    assert all(isinstance(found, Detection) for found in engine.detect([given, result]))


def test_above_8_khz_a_clip_is_as_it_was(engine: AudioSealWatermarker) -> None:
    given = clip(1.0, 48_000)
    power = np.abs(np.fft.rfft(marked(engine, given).samples - given.samples)) ** 2
    assert power[8_400:].sum() < 1e-4 * power.sum()


def test_at_24_khz_the_mark_is_that_of_the_clip_at_16_khz(engine: AudioSealWatermarker) -> None:
    """Up to 7 kHz; what a mark has just below 8 kHz is lost on the way to another rate."""
    given = clip(0.5, 24_000)
    low = Clip(resample(given.samples, 24_000, 16_000), 16_000)
    mark = np.fft.rfft(resample(marked(engine, given).samples - given.samples, 24_000, 16_000)[200:-200])
    expected = np.fft.rfft((marked(engine, low).samples - low.samples)[200:-200])
    audible = slice(0, len(mark) * 7 // 8)
    assert np.linalg.norm((mark - expected)[audible]) < 0.02 * np.linalg.norm(expected[audible])


def test_full_scale_clips_do_not_wrap(engine: AudioSealWatermarker) -> None:
    given = clip(level=2.0)
    result = marked(engine, given).samples
    assert np.abs(result).max() <= 1
    assert np.abs(result - given.samples).max() < 0.5


def test_channels_are_marked_one_by_one(engine: AudioSealWatermarker) -> None:
    given = [clip(seed=1), clip(seed=2)]
    both = embed_channels(engine, np.stack([one.samples for one in given]), 16_000, MESSAGE)
    assert isinstance(both, np.ndarray)
    assert [c.tobytes() for c in both] == [marked(engine, one).samples.tobytes() for one in given]


# batches

CLIPS = [clip(0.3, seed=1), clip(1.1, 24_000, seed=2), Clip(np.zeros(8_000, np.float32), 16_000), clip(0.02, seed=3)]
MESSAGES = [1, 0xFFFF, 2, MESSAGE]


def test_on_the_cpu_a_result_is_the_same_to_the_last_bit_in_any_batch(engine: AudioSealWatermarker) -> None:
    together = engine.embed(CLIPS, MESSAGES)
    alone = [engine.embed([one], [message])[0] for one, message in zip(CLIPS, MESSAGES, strict=True)]
    assert [_bytes(one) for one in together] == [_bytes(one) for one in alone]
    assert engine.detect(CLIPS) == [engine.detect([one])[0] for one in CLIPS]


def _bytes(result: Clip | Failure) -> bytes:
    return b"" if isinstance(result, Failure) else result.samples.tobytes()


def test_in_padded_batches_results_differ_by_rounding_alone(
    engine: AudioSealWatermarker, model: AudioSealModel
) -> None:
    batching = AudioSealWatermarker(model)
    batching._batch_s = 240
    batches: list[tuple[int, ...]] = []
    run = batching._generator.get_watermark
    batching._generator.get_watermark = lambda waves, message: (
        batches.append(waves.shape) or run(waves, message=message)
    )
    for given, one, many in zip(CLIPS, engine.embed(CLIPS, MESSAGES), batching.embed(CLIPS, MESSAGES), strict=True):
        if isinstance(one, Failure):
            assert many == one
            continue
        assert isinstance(many, Clip)
        mark = np.abs(one.samples - given.samples).max()
        assert np.abs(one.samples - many.samples).max() < 2e-5 * mark + 1e-7
    assert [shape[0] for shape in batches] == [3]
    for one, many in zip(engine.detect(CLIPS), batching.detect(CLIPS), strict=True):
        assert isinstance(one, Detection) and isinstance(many, Detection)
        assert (many.message, many.score) == (one.message, pytest.approx(one.score, abs=1e-3))


@pytest.mark.parametrize("kind", ["generator", "detector"])
def test_eight_hops_of_silence_hide_all_further_padding(kind: str) -> None:
    """With networks of the published layers; seven hops would not do for the generator."""
    network: Any = tiny.make_network(kind, tiny.architecture(kind, n_filters=4, dimension=16))
    network.double()
    given = torch.from_numpy(clip(0.7).samples).double()[None, None]
    message = torch.tensor([message_bits(MESSAGE, 16)])

    def run(hops: int) -> torch.Tensor:
        waves = torch.nn.functional.pad(given, (0, hops * 320))
        made = network.get_watermark(waves, message=message) if kind == "generator" else network.detector(waves)
        return made[..., : given.shape[-1]]  # type: ignore[no-any-return]

    with torch.inference_mode(), tiny.no_compile():
        enough = run(40)
        assert audioseal.SPARE_HOPS >= 8
        assert torch.allclose(run(8), enough, rtol=0, atol=1e-12)
        too_few = 7 if kind == "generator" else 3
        assert not torch.allclose(run(too_few), enough, rtol=0, atol=1e-6)


def test_nothing_is_compiled_behind_our_back(engine: AudioSealWatermarker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", None)
    assert isinstance(engine.embed([clip()], [1])[0], Clip)
    assert isinstance(engine.detect([clip()])[0], Detection)


# clips that cannot be marked


@pytest.mark.parametrize(
    ("samples", "words", "found"),
    [
        (np.zeros(0), "too short", None),
        (np.ones(319), "too short", None),
        (np.zeros(8_000), "silent", Detection(0.0)),
        (np.full(8_000, np.nan), "NaN", None),
        (np.full(8_000, np.inf), "NaN", None),
    ],
    ids=["empty", "under 20 ms", "silence", "nan", "infinite"],
)
def test_what_cannot_be_marked_is_a_failure_among_clips(
    engine: AudioSealWatermarker, samples: Any, words: str, found: Detection | None
) -> None:
    bad = Clip(samples.astype(np.float32), 16_000)
    failed, good = engine.embed([bad, clip()], [1, 1])
    assert isinstance(failed, Failure) and failed.reason is Reason.WATERMARK_FAILED and words in failed.detail
    assert isinstance(good, Clip)
    assert engine.detect([bad])[0] == (found or failed)


@pytest.mark.parametrize("kind", ["generator", "detector"])
def test_what_the_network_cannot_compute_is_a_failure(model: AudioSealModel, kind: str) -> None:
    broken = AudioSealWatermarker(model)
    for value in getattr(broken, f"_{kind}").parameters():
        value.data.fill_(torch.nan)
    (result,) = broken.embed([clip()], [1]) if kind == "generator" else broken.detect([clip()])
    assert isinstance(result, Failure) and f"the {kind} gave NaN" in result.detail


@pytest.mark.parametrize("message", [-1, 1 << 16])
def test_a_message_that_does_not_fit_is_our_bug(engine: AudioSealWatermarker, message: int) -> None:
    with pytest.raises(ValueError, match="does not fit into 16 bits"):
        engine.embed([clip()], [message])


def test_a_broken_network_is_a_dead_engine(model: AudioSealModel, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = AudioSealWatermarker(model)

    def out_of_memory(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory\nmore of it")

    monkeypatch.setattr(broken._generator, "get_watermark", out_of_memory)
    with pytest.raises(EngineDied, match=r"^audioseal stopped: CUDA out of memory$"):
        broken.embed([clip()], [1])


def test_both_networks_carry_as_many_bits(model: AudioSealModel, tmp_path: Path) -> None:
    of_ten = tiny.save(tmp_path / "ten.pth", "generator", bits=10)
    with pytest.raises(EngineUnavailable, match="the generator has 10 bits and the detector 16"):
        AudioSealWatermarker(model.model_copy(update={"generator": str(of_ten)}))
    detector = tiny.save(tmp_path / "detector.pth", "detector", bits=10)
    short = AudioSealWatermarker(model.model_copy(update={"generator": str(of_ten), "detector": str(detector)}))
    (found,) = short.detect([marked(short, clip(), 1023)])
    assert short.bits == 10 and isinstance(found, Detection) and found.message is not None
    assert len(found.message) == 3 and int(found.message, 16) < 1024
