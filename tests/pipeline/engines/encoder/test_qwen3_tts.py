"""The speaker encoder of Qwen3-TTS, on a tiny checkpoint in the published format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_laws import (
    check_bad_clips_are_failures,
    check_results_depend_on_the_clip_alone,
    check_voices_differ,
)
from speech_doubles import voice

from manifests.errors import EngineUnavailable, RecipeError
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip
from pipeline.engines.encoder import qwen3_tts
from pipeline.engines.encoder.qwen3_tts import Qwen3TTSEncoder, Qwen3TTSModel
from pipeline.engines.registry import load_verifier

torch = pytest.importorskip("torch", reason="needs the extra 'voicebank'")
filters = pytest.importorskip("librosa.filters", reason="needs the extra 'voicebank'")
pytest.importorskip("transformers", reason="needs the extra 'voicebank'")

WIDTH = 24
PUBLISHED_TENSORS = 76
"""The tensors `speaker_encoder.*` of the published checkpoints."""

TINY: dict[str, Any] = {
    "enc_dim": WIDTH,
    "sample_rate": 24_000,
    "enc_channels": [16, 16, 16, 16, 48],
    "enc_attention_channels": 8,
    "enc_res2net_scale": 2,
    "enc_se_channels": 8,
}


def network(settings: dict[str, Any]) -> Any:
    from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

    prepare_torchaudio()
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniDiTConfig
    from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import ECAPA_TimeDelayNet

    torch.manual_seed(0)
    known = {key: value for key, value in settings.items() if key != "sample_rate"}
    return ECAPA_TimeDelayNet(Qwen2_5OmniDiTConfig(**{**qwen3_tts._DEFAULTS, **known}))


def checkpoint(directory: Path, settings: Any = TINY, drop: str = "", shards: bool = False) -> Path:
    """Write config.json and safetensors in bfloat16, the encoder's tensors among others of the synthesizer."""
    from safetensors.torch import save_file

    directory.mkdir()
    config = {"model_type": "qwen3_tts", "tts_model_type": "base", "talker_config": {"hidden_size": WIDTH}}
    if settings is not None:
        config["speaker_encoder_config"] = settings
    (directory / "config.json").write_text(json.dumps(config))
    state = network(TINY).state_dict()
    tensors = {f"speaker_encoder.{name}": value.bfloat16() for name, value in state.items() if name != drop}
    others = {"talker.model.norm.weight": torch.full((WIDTH,), float("nan"), dtype=torch.bfloat16)}
    if shards:
        save_file(tensors, str(directory / "model-00002-of-00002.safetensors"))
        names = {**dict.fromkeys(tensors, "model-00002-of-00002.safetensors"), "talker.model.norm.weight": "lost"}
        (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    else:
        save_file({**tensors, **others}, str(directory / "model.safetensors"))
    return directory


def model(directory: Path) -> Qwen3TTSModel:
    return Qwen3TTSModel(engine="qwen3-tts", model=str(directory), serving={"device": "cpu"})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Qwen3TTSEncoder:
    return Qwen3TTSEncoder(model(checkpoint(tmp_path_factory.mktemp("models") / "Qwen3-TTS-Base")))


def test_laws(encoder: Qwen3TTSEncoder) -> None:
    check_results_depend_on_the_clip_alone(encoder)
    check_voices_differ(encoder)
    check_bad_clips_are_failures(encoder)


def test_the_vector_is_what_the_network_gives(encoder: Qwen3TTSEncoder) -> None:
    """In single precision, from a spectrogram by librosa's filters, and never scaled to length 1."""
    clip = voice(1.5, rate=24_000)
    edge = (1024 - 256) // 2
    padded = np.pad(clip.samples.astype(np.float64), edge, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    magnitudes = np.abs(np.fft.rfft(frames * 0.5 * (1 - np.cos(2 * np.pi * np.arange(1024) / 1024))))
    mel = filters.mel(sr=24_000, n_fft=1024, n_mels=128, fmin=0, fmax=12_000) @ magnitudes.T
    rounded = network(TINY).bfloat16().float().eval()
    with torch.inference_mode():
        want = rounded(torch.from_numpy(np.log(np.maximum(mel, 1e-5)).T[None].astype(np.float32)))[0].numpy()
    (made,) = encoder.encode([clip])
    assert (made.shape, made.dtype, encoder.dimension) == ((WIDTH,), np.float32, WIDTH)
    assert np.allclose(made, want, atol=1e-3)
    assert abs(float(np.linalg.norm(made)) - 1) > 0.05


def test_clips_are_heard_at_24_khz(encoder: Qwen3TTSEncoder) -> None:
    clip = voice(2.0, rate=24_000)
    doubled = resample(clip.samples, 24_000, 48_000)
    want, made, taken_for_24_khz = encoder.encode([clip, Clip(doubled, 48_000), Clip(doubled, 24_000)])
    assert np.linalg.norm(made - want) < 0.2 * np.linalg.norm(taken_for_24_khz - want)


def test_only_the_shards_of_the_encoder_are_read(encoder: Qwen3TTSEncoder, tmp_path: Path) -> None:
    sharded = Qwen3TTSEncoder(model(checkpoint(tmp_path / "sharded", shards=True)))
    (want,), (made,) = encoder.encode([voice(1.0)]), sharded.encode([voice(1.0)])
    assert np.array_equal(want, made)


def test_the_defaults_are_those_of_the_published_checkpoints() -> None:
    with torch.device("meta"):
        published = network({"enc_dim": 2048})
    assert len(published.state_dict()) == PUBLISHED_TENSORS
    assert tuple(published.fc.weight.shape) == (2048, 3072, 1)


@pytest.mark.parametrize(
    "spoil, why",
    [
        ({"settings": None}, "has no speaker encoder"),
        ({"settings": {**TINY, "sample_rate": 16_000}}, "hears 16000 Hz"),
        ({"settings": {**TINY, "enc_dim": 32}}, "are not those that its config.json describes"),
        ({"settings": {**TINY, "enc_channels": "wide"}}, "are not those that its config.json describes"),
        ({"drop": "fc.bias"}, "its tensors are missing"),
    ],
)
def test_other_checkpoints_are_refused(spoil: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=why) as error:
        Qwen3TTSEncoder(model(checkpoint(tmp_path / "model", **spoil)))
    assert "\n" not in str(error.value) and str(tmp_path) not in str(error.value)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path / "model")
    torch.save({}, directory / "pytorch_model.bin")
    (directory / "model.safetensors").write_bytes((directory / "pytorch_model.bin").read_bytes())
    with pytest.raises(EngineUnavailable, match="cannot load the speaker encoder"):
        Qwen3TTSEncoder(model(directory))
    with pytest.raises(EngineUnavailable, match=r"no readable config\.json"):
        Qwen3TTSEncoder(model(tmp_path / "nowhere"))


def test_it_tells_nobody_apart(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="name one that tells people apart"):
        load_verifier("mine", {"mine": model(tmp_path)})
