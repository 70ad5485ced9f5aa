"""Tokenizers of every kind on tiny checkpoints in the true formats: frames by the formulas, one clip at a time."""

import contextlib
import json
import math
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_checkpoints

from manifests.errors import EngineDied, EngineUnavailable
from parley.testing import audit_engine
from pipeline.engines.contract import Clip, Codes, Failure
from pipeline.engines.registry import load_engine, model_settings
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.engines.tokenizer._checkpoint import TokenizerCheckpoint, state_of
from pipeline.engines.tokenizer._encoding import tokenize_each

with contextlib.suppress(ImportError):
    import_torchaudio()
torch = pytest.importorskip("torch", reason="needs the extra 'tokens'")
pytest.importorskip("transformers", reason="needs the extra 'tokens'")


@pytest.fixture(autouse=True)
def _the_same_random_weights() -> Iterator[None]:
    with random_state_kept(0):
        yield


def noise(seconds: float, rate: int, seed: int = 0) -> Clip:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate))
    return Clip(samples.astype(np.float32), rate)


def load(engine: str, model: Path, **keys: Any) -> Any:
    settings = model_settings(engine)
    assert settings is not None
    values = {"engine": engine, "model": str(model), "serving": {"device": "cpu"}, **keys}
    return load_engine("tokenizer", "tiny", {"tiny": settings.model_validate(values)})


Make = Callable[[Path], None]
Frames = Callable[[int], tuple[int, ...]]


def _ceil(samples: int, hop: int) -> int:
    return math.ceil(samples / hop)


CASES: dict[str, tuple[Make, dict[str, Any], str, Frames]] = {
    "mimi": (tiny_checkpoints.mimi, {}, "mimi", lambda n: (_ceil(n, 1920),) * 8),
    "encodec": (
        tiny_checkpoints.encodec,
        {"kbit_per_s": 6},
        "encodec-24khz",
        lambda n: (_ceil(n, 320),) * 8,
    ),
    "hubert": (
        tiny_checkpoints.hubert,
        {"layer": 11, "centers": "centers.npz"},
        "hubert-l11-km60",
        lambda n: ((n - 400) // 320 + 1,),
    ),
    "glm-4-voice": (tiny_checkpoints.glm4_voice, {}, "glm-4-voice", lambda n: (_ceil(n, 1280),)),
    "snac": (
        tiny_checkpoints.snac,
        {},
        "snac-24khz",
        lambda n: tuple(_ceil(n, 2048) * each for each in (1, 2, 4)),
    ),
    "speechtokenizer": (tiny_checkpoints.speechtokenizer, {}, "speechtokenizer", lambda n: (_ceil(n, 320),) * 8),
}


@pytest.fixture(params=CASES, scope="module")
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, str, Frames]]:
    name = request.param
    if name in ("snac", "speechtokenizer"):
        pytest.importorskip(name, reason="needs the extra 'tokens'") if name == "snac" else _speechtokenizer()
    make, keys, tokenizer, frames = CASES[name]
    directory = tmp_path_factory.mktemp(name)
    torch.manual_seed(0)
    make(directory)
    if "centers" in keys:
        keys = {**keys, "centers": str(directory / keys["centers"])}
    yield load(name, directory, revision="r7", license="MIT", **keys), tokenizer, frames


def _speechtokenizer() -> None:
    from importlib.util import find_spec

    if find_spec("speechtokenizer") is None:
        pytest.skip("needs speechtokenizer")


def test_frames_follow_the_formula_and_codes_depend_on_the_clip_alone(case: tuple[Any, str, Frames]) -> None:
    engine, tokenizer, frames = case
    seconds = (1.0, 0.73, 0.05)
    clips = [noise(each, engine.sample_rate, seed) for seed, each in enumerate(seconds)]
    audit_engine(engine.tokenize, clips)
    found: list[Codes | Failure] = engine.tokenize(clips)
    for codes, clip in zip(found, clips, strict=True):
        assert not isinstance(codes, Failure)
        assert tuple(map(len, codes)) == frames(len(clip.samples))
        assert all(0 <= code < engine.codebook_size for book in codes for code in book)
    assert engine.tokenizer == tokenizer and engine.revision.endswith("r7" if tokenizer[:6] != "hubert" else "=true")
    assert engine.license == "MIT"
    assert found[0] != found[1], "the codes say something about the clip"


def test_bad_clips_are_failures_and_other_rates_are_resampled(case: tuple[Any, str, Frames]) -> None:
    engine, _, frames = case
    rate = engine.sample_rate
    bad = [Clip(np.zeros(0, np.float32), rate), Clip(np.full(rate, np.nan, np.float32), rate)]
    other = 22_050
    *failures, codes = engine.tokenize([*bad, noise(0.5, other)])
    assert [failure.detail for failure in failures] == ["the clip is empty", "the clip holds NaN or infinite samples"]
    assert len(codes[0]) == frames(round(0.5 * rate))[0]


def test_codes_decode_to_whole_frames(case: tuple[Any, str, Frames]) -> None:
    engine, _, _ = case
    if not engine.decodes:
        pytest.skip("it does not decode")
    (codes,) = engine.tokenize([noise(0.5, engine.sample_rate)])
    first, again = engine.decode([codes]), engine.decode([codes])
    assert first[0].sample_rate == engine.sample_rate and np.isfinite(first[0].samples).all()
    assert 0 <= len(first[0].samples) - 0.5 * engine.sample_rate < engine.hop_length
    assert np.array_equal(first[0].samples, again[0].samples)


def test_hubert_guards_its_receptive_field_and_says_whether_it_scales(tmp_path: Path) -> None:
    tiny_checkpoints.hubert(tmp_path, do_normalize=False)
    keys = {"layer": 11, "centers": str(tmp_path / "centers.npz")}
    engine, scaled = load("hubert", tmp_path, **keys), load("hubert", tmp_path, do_normalize=True, **keys)
    short, shortest = engine.tokenize([noise(399 / 16_000, 16_000), noise(400 / 16_000, 16_000)])
    assert "shorter than the 0.025 s" in short.detail and len(shortest[0]) == 1
    assert "do_normalize=false" in engine.revision and "do_normalize=true" in scaled.revision
    clip = noise(1, 16_000)
    quiet = Clip(clip.samples * 1e-3, 16_000)
    assert _same(*scaled.tokenize([clip, quiet])) > 0.9 > 0.7 > _same(*engine.tokenize([clip, quiet]))


def _same(one: Codes, other: Codes) -> float:
    """The share of equal codes in the first book."""
    return float(np.mean(np.array(one[0]) == np.array(other[0])))


def test_hubert_takes_the_nearest_center_of_its_layer(tmp_path: Path) -> None:
    import transformers

    tiny_checkpoints.hubert(tmp_path, do_normalize=False)
    clip = noise(0.5, 16_000)

    network = transformers.HubertModel.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        states = network(torch.from_numpy(clip.samples)[None], output_hidden_states=True).hidden_states
    centers = states[5][0].numpy()[[3, 9, 14, 20]]
    np.savez(tmp_path / "centers.npz", centers)
    engine = load("hubert", tmp_path, layer=5, centers=str(tmp_path / "centers.npz"))
    distances = np.linalg.norm(states[5][0].numpy()[:, None] - centers[None], axis=2)
    (codes,) = engine.tokenize([clip])[0]
    assert list(codes) == distances.argmin(axis=1).tolist() and [codes[i] for i in (3, 9, 14, 20)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: {"layer": 13}, "has hidden states 0 to 12, not 13"),
        (lambda d: {"centers": str(d / "none.npz")}, "finds no file of centers none.npz"),
        (lambda d: np.savez(d / "centers.npz", np.zeros((3, 7))), "have 7 numbers, but .* gives 24"),
        (lambda d: np.savez(d / "centers.npz", np.array([{}], object)), "not a NumPy archive .* with one plain array"),
        (lambda d: (d / "centers.npz").write_bytes(pickle.dumps([1])), "not a NumPy archive .* with one plain array"),
        (lambda d: (d / "preprocessor_config.json").write_text('{"sampling_rate": 8000}'), "wants 8000 Hz, not 16000"),
        (lambda d: (d / "preprocessor_config.json").write_text('{"sampling_rate": 1e999}'), "cannot be read"),
        (lambda d: (d / "preprocessor_config.json").unlink(), "set do_normalize of the model"),
        (lambda d: (d / "model.safetensors").write_bytes(b"no"), "cannot load the model"),
    ],
)
def test_hubert_refuses_what_does_not_fit(spoil: Callable[[Path], Any], says: str, tmp_path: Path) -> None:
    tiny_checkpoints.hubert(tmp_path)
    keys = {"layer": 11, "centers": str(tmp_path / "centers.npz")}
    changed = spoil(tmp_path)
    with pytest.raises(EngineUnavailable, match=says):
        load("hubert", tmp_path, **{**keys, **(changed if isinstance(changed, dict) else {})})


@pytest.mark.parametrize(
    ("engine", "keys", "says"),
    [
        ("mimi", {"codebooks": 11}, "has 10 books, not 11"),
        ("encodec", {"kbit_per_s": 7}, "has bandwidths of 1.5, 3, 6, 12, 24 kbit/s, not 7"),
    ],
)
def test_what_a_checkpoint_does_not_have_is_refused(engine: str, keys: Any, says: str, tmp_path: Path) -> None:
    CASES[engine][0](tmp_path)
    with pytest.raises(EngineUnavailable, match=says):
        load(engine, tmp_path, **keys)
    with pytest.raises(EngineUnavailable, match=r"lacks weights of a|cannot load the model"):
        load("mimi" if engine == "encodec" else "encodec", tmp_path)


def test_glm4_voice_hears_the_end_of_its_block_and_no_further(tmp_path: Path) -> None:
    tiny_checkpoints.glm4_voice(tmp_path, quantize_causal_block_size=4)
    engine = load("glm-4-voice", tmp_path)
    seen = engine._network._mask(8, 7, torch.zeros(1))[0, 0] == 0  # of 8 frames 7 are speech
    assert [int(row.sum()) for row in seen] == [4] * 4 + [7] * 4 and not seen[:, 7].any()
    (long,) = engine.tokenize([noise(31, 16_000)])[0]
    assert len(long) == 388
    (config := json.loads((tmp_path / "config.json").read_text()))["d_model"] = 32
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineUnavailable, match=r"weights of the model .* do not fit"):
        load("glm-4-voice", tmp_path)


class _Touch:
    """A pickle that leaves a file where it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_no_code_in_a_file_of_weights_is_run(tmp_path: Path) -> None:
    torch.save({"weight": _Touch(tmp_path / "ran")}, tmp_path / "pytorch_model.bin")
    model = TokenizerCheckpoint(model=str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"cannot load the model .* \(UnpicklingError\)"):
        state_of(torch, tmp_path, "pytorch_model.bin", "snac", model)
    assert not (tmp_path / "ran").exists()


def test_a_code_beyond_the_codebook_stops_the_job() -> None:
    with pytest.raises(EngineDied, match="gave the code 8 in book 1, but its codebook has 8"):
        tokenize_each([noise(0.1, 16_000)], lambda s: [np.array([7]), np.array([8])], "odd", 16_000, 8)
