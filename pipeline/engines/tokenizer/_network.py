"""What tokenizers that are networks of PyTorch share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pipeline.engines.contract import Clip, Codes, Failure, Samples
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.tokenizer._checkpoint import INSTALL, TokenizerCheckpoint, license_of, revision_of
from pipeline.engines.tokenizer._encoding import Books, tokenize_each


class NetworkTokenizer(ABC):
    """A tokenizer whose network takes a tensor of samples. The constructors of its classes set the fields below."""

    name: ClassVar[str]
    decodes: ClassVar[bool] = True
    tokenizer: str
    sample_rate: int
    hop_length: int
    codebook_size: int
    min_samples: int = 1

    def __init__(self, model: TokenizerCheckpoint, version: str) -> None:
        """Find PyTorch and the device; raises EngineUnavailable where one is not there."""
        self.version = version
        self.revision, self.license = revision_of(model, self.name), license_of(model)
        self._torch, self._device = torch_on(model.serving.device, self.name, INSTALL)

    @abstractmethod
    def _encode(self, wave: Any) -> Books:
        """Return the codes of a tensor, float32 [T], at the tokenizer's rate."""

    def _decode(self, codes: Any) -> Any:
        """Return the samples, float32 [T], of one clip's codes, a tensor int64 [frames] for each book."""
        raise NotImplementedError(f"{self.name} does not decode")

    def tokenize(self, clips: Sequence[Clip]) -> list[Codes | Failure]:
        """Encode clips; one that is empty, too short for a token, or holds NaN or infinite samples is a `Failure`."""

        def encode(samples: Samples) -> Books:
            return self._encode(self._torch.from_numpy(samples).to(self._device))

        with self._torch.inference_mode():
            return tokenize_each(clips, encode, self.name, self.sample_rate, self.codebook_size, self.min_samples)

    def decode(self, codes: Sequence[Codes]) -> list[Clip]:
        """Decode whole frames."""
        with self._torch.inference_mode():
            return [Clip(self._samples(each), self.sample_rate) for each in codes]

    def _samples(self, codes: Codes) -> Samples:
        tensors = [self._torch.tensor(book, device=self._device) for book in codes]
        samples: Samples = self._decode(tensors).float().cpu().numpy()
        return samples
