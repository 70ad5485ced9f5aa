"""The device that an engine runs on is the one that was asked for, or an error."""

import pytest

from manifests.errors import EngineUnavailable
from pipeline.engines.shared.torch_device import find_device, torch_on

torch = pytest.importorskip("torch")
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def test_a_device_that_is_there_is_taken() -> None:
    assert find_device(torch, "cpu", "wavlm") == "cpu"


@WITHOUT_GPU
def test_auto_is_the_cpu_without_a_gpu() -> None:
    assert find_device(torch, "auto", "wavlm") == "cpu"


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"^wavlm cannot run on '{device}'"):
        find_device(torch, device, "wavlm")


def test_an_engine_computes_on_one_thread() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch_on("cpu", "wavlm", "pip install x") == (torch, "cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def test_an_old_pytorch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(EngineUnavailable, match=r"wavlm needs PyTorch 2\.6 or newer"):
        torch_on("cpu", "wavlm", "pip install x")
