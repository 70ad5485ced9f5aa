"""The network of GLM-4-Voice's tokenizer: half of a Whisper encoder, pooled, with a codebook (inference only).

It differs from Whisper in convolutions that do not look ahead, and in attention that looks ahead only to the end of a
block. Imports PyTorch and transformers: import it where they are needed.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoderLayer

_KERNEL = 3
_PREFIX = "model.encoder."


class VqEncoder(nn.Module):
    """Gives a code for each `pooling` frames of 20 ms.

    `config` is that of a checkpoint's config.json, with `quantize_position` layers behind which frames are pooled and
    quantized.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        whisper = WhisperConfig(**config)
        whisper._attn_implementation = "sdpa"
        depth, self.pooling = int(config["quantize_position"]), int(config["pooling_kernel_size"])
        if int(config["pooling_position"]) != depth or config.get("pooling_type", "avg") != "avg":
            raise ValueError("frames are not averaged right before they are quantized")
        self.looks_ahead = not config.get("encoder_causal_convolution", False)
        self.block_frames = int(config["quantize_causal_block_size"] or 0)
        padding = _KERNEL // 2 if self.looks_ahead else 0
        width = whisper.d_model
        self.conv1 = nn.Conv1d(whisper.num_mel_bins, width, _KERNEL, padding=padding)
        self.conv2 = nn.Conv1d(width, width, _KERNEL, stride=2, padding=padding)
        self.embed_positions = nn.Embedding(whisper.max_source_positions, width)
        self.layers = nn.ModuleList(WhisperEncoderLayer(whisper) for _ in range(depth))
        self.codebook = nn.Embedding(int(config["quantize_vocab_size"]), width)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load weights of a checkpoint, which may hold more than these. Raises RuntimeError if some are missing."""
        found = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}
        self.load_state_dict({name: found[name] for name in self.state_dict() if name in found})

    def forward(self, features: Tensor, frames: int) -> Tensor:
        """Return the codes, int64 [frames / 2 / pooling, rounded up], of log mel energies [bins, T].

        The first `frames` of the T are speech; T is a multiple of 2 * pooling.
        """
        hidden = nn.functional.gelu(self._convolve(self.conv1, features[None]))
        hidden = nn.functional.gelu(self._convolve(self.conv2, hidden)).transpose(1, 2)
        length = hidden.shape[1]
        hidden = hidden + self.embed_positions.weight[:length]
        mask = self._mask(length, -(-frames // 2), hidden)
        for layer in self.layers:
            hidden = layer(hidden, mask)
        pooled = nn.functional.avg_pool1d(hidden.transpose(1, 2), self.pooling)[0].T
        codebook = self.codebook.weight
        distances = codebook.square().sum(dim=1) - 2 * pooled @ codebook.T
        return distances.argmin(dim=1)[: -(-frames // (2 * self.pooling))]

    def _convolve(self, convolution: nn.Conv1d, values: Tensor) -> Tensor:
        left = 0 if self.looks_ahead else _KERNEL - 1
        convolved: Tensor = convolution(nn.functional.pad(values, (left, 0)))
        return convolved

    def _mask(self, length: int, speech: int, like: Tensor) -> Tensor:
        """Return what is added to attention, [1, 1, length, length]: nobody looks at padding, or beyond the block."""
        places = torch.arange(length, device=like.device)
        seen = (places < speech)[None, :].expand(length, length)
        if self.block_frames:
            last = (places // self.block_frames + 1) * self.block_frames
            seen = seen & (places[None, :] < last[:, None])
        mask = torch.zeros(length, length, dtype=like.dtype, device=like.device)
        return mask.masked_fill(~seen, torch.finfo(like.dtype).min)[None, None]
