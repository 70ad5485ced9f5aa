"""A model directory of funasr is data: what describes the network is taken, what would act is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.engines.asr._funasr_directory import read_directory
from tests.tables import each_row

CONFIG: dict[str, Any] = {
    "model": "SenseVoiceSmall",
    "model_conf": {"sos": 1},
    "encoder": "SenseVoiceEncoderSmall",
    "encoder_conf": {"output_size": 64},
    "tokenizer": "SentencepiecesTokenizer",
    "tokenizer_conf": {"bpemodel": None, "unk_symbol": "<unk>"},
    "frontend": "WavFrontend",
    "frontend_conf": {"fs": 16000, "cmvn_file": None},
    "ctc_weight": 0.5,
}
METAS = {
    "config": "config.yaml",
    "init_param": "model.pt",
    "tokenizer_conf": {"bpemodel": "bpe.model"},
    "frontend_conf": {"cmvn_file": "am.mvn"},
}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def make_(config: dict[str, Any] | str = CONFIG, metas: Any = None, **files: str) -> Path:
        directory = tmp_path / "model"
        directory.mkdir(exist_ok=True)
        for file in directory.iterdir():
            file.unlink()
        for name in ("model.pt", "bpe.model", "am.mvn"):
            (directory / name).write_bytes(b"")
        text = config if isinstance(config, str) else yaml.safe_dump(config)
        (directory / "config.yaml").write_text(text, "utf-8")
        if metas is not None:
            (directory / "configuration.json").write_text(json.dumps({"file_path_metas": metas}))
        return directory

    return make_


@pytest.mark.parametrize("metas", [None, METAS], ids=["standard names", "configuration.json"])
def test_the_network_is_described_by_plain_values(make: Callable[..., Path], metas: Any) -> None:
    directory = make(metas=metas)
    assert read_directory(directory) == CONFIG | {
        "tokenizer_conf": {"bpemodel": str(directory / "bpe.model"), "unk_symbol": "<unk>"},
        "frontend_conf": {"fs": 16000, "cmvn_file": str(directory / "am.mvn")},
        "init_param": str(directory / "model.pt"),
    }


def test_what_describes_no_network_is_left_out(make: Callable[..., Path]) -> None:
    trained = {"optim": "adam", "train_conf": {"max_epoch": 9}, "dataset": "AudioDataset", "init_param": []}
    assert read_directory(make(CONFIG | trained)) == read_directory(make())


def test_numbers_are_those_of_the_package(make: Callable[..., Path]) -> None:
    assert read_directory(make("model: Paraformer\nencoder_conf: {eps: 1e-5, name: e5}\n"))["encoder_conf"] == {
        "eps": 1e-5,
        "name": "e5",
    }


@each_row(
    ("change", "complaint"),
    [
        ({"trust_remote_code": True}, "it sets trust_remote_code"),
        ({"remote_code": "payload.py"}, "it sets remote_code"),
        ({"model_path": "/elsewhere"}, "it sets model_path"),
        ({"init_param": "/elsewhere/model.pt"}, "it sets init_param"),
        ({"vad_model": "fsmn-vad"}, "it sets vad_model"),
        ({"output_dir": "/tmp/x"}, "it sets output_dir"),
        ({"hotword": "http://host/x"}, "it sets hotword"),
        ({"model_conf": {"a": {"trust_remote_code": True}}}, "it sets model_conf.a.trust_remote_code"),
        ({"llm_conf": {"load_kwargs": {"attn_implementation": "a/b"}}}, "it sets llm_conf.load_kwargs"),
        ({"audio_encoder_conf": {"hub": "ms"}}, "it sets audio_encoder_conf.hub"),
        ({"encoder_conf": {"x": "${oc.env:HOME}"}}, "it sets encoder_conf.x"),
        ({"encoder": "Data2VecEncoder"}, "its encoder Data2VecEncoder is none of"),
        ({"frontend": "S3prlFrontend"}, "its frontend S3prlFrontend is none of"),
        ({"tokenizer": ["CharTokenizer"]}, "its tokenizer ['CharTokenizer'] is none of"),
        ({"tokenizer_conf": {"bpemodel": "/etc/hostname"}}, "it names hostname, which is not in the directory"),
        ({"tokenizer_conf": {"init_param_path": "Qwen/Qwen3-0.6B"}}, "Qwen/Qwen3-0.6B is missing"),
        ({"tokenizer_conf": {"token_list": "../model.pt"}}, "it names model.pt, which is not in the directory"),
        ({"encoder_conf": {"where": "~/x"}}, "its where leads out of the directory"),
        ({"encoder_conf": {"where": "https://host/x"}}, "its where leads out of the directory"),
        ({"encoder_conf": [1]}, "its settings are not in the package's form"),
    ],
)
def test_what_would_act_is_refused(make: Callable[..., Path], change: dict[str, Any], complaint: str) -> None:
    directory = make(CONFIG | change)
    (directory / "bpe.model").unlink()  # or it would take the place of the one that is named
    with pytest.raises(ValueError) as caught:
        read_directory(directory)
    assert str(caught.value).startswith(complaint)


@each_row(
    ("metas", "complaint"),
    [
        ({"config": "../config.yaml"}, "it names config.yaml, which is not in the directory"),
        ({"config": "/etc/hostname"}, "it names hostname, which is not in the directory"),
        ({"init_param": "../../model.pt"}, "it names model.pt, which is not in the directory"),
        ({"frontend_conf": {"cmvn_file": "/etc/hostname"}}, "it names hostname, which is not in the directory"),
        ({"frontend_conf": "am.mvn"}, "its settings are not in the package's form"),
        (["config.yaml"], "its settings are not in the package's form"),
    ],
)
def test_configuration_json_leads_nowhere_else(make: Callable[..., Path], metas: Any, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_directory(make(metas=metas))
    assert str(caught.value).startswith(complaint)


def test_a_language_model_with_code_of_its_own_is_refused(make: Callable[..., Path]) -> None:
    directory = make(CONFIG | {"llm_conf": {"init_param_path": "Qwen3"}})
    (directory / "Qwen3").mkdir()
    (directory / "Qwen3" / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "payload.Model"}}))
    with pytest.raises(ValueError, match=r"Qwen3/config\.json names code of its own \(auto_map\)"):
        read_directory(directory)


@each_row(
    ("text", "complaint"),
    [
        ("a: !!python/object/apply:os.system [ls]", "its config.yaml is broken"),
        ("a: [", "its config.yaml is broken"),
        ("[" * 5000, "its config.yaml is broken"),
        ("just text", "its settings are not in the package's form"),
        ("1: 2", "its settings are not in the package's form"),
    ],
)
def test_a_broken_file_is_one_sentence(make: Callable[..., Path], text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_directory(make(text))
    assert str(caught.value) == complaint
