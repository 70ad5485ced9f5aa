"""Lets WavLM's x-vector network take clips of several lengths at once, as if each were alone.

transformers masks the attention, and zeros the padding before the convolution over positions. Two places are left in
which padding leaks into a shorter clip, and both are mended here: the group norm of the first convolution, whose mean
and variance are over time, and the pooling, whose lengths forget that the layers before it are dilated.
"""

from collections.abc import Sequence
from typing import Any


def mend_padding(torch: Any, network: Any) -> Any:
    """Mend a `WavLMForXVector` in place.

    Return a function that embeds float32 tensors [T], each clip's, as a tensor [clips, D].
    """
    config = network.config
    features = network.wavlm.feature_extractor
    norms = [
        layer for layer in features.conv_layers if isinstance(getattr(layer, "layer_norm", None), torch.nn.GroupNorm)
    ]
    lengths: list[Any] = []

    for layer in norms:
        layer.layer_norm = _group_norm(torch, layer.layer_norm, config, lengths)

    def pooled_frames(frames: Any) -> Any:
        for kernel, dilation in zip(config.tdnn_kernel, config.tdnn_dilation, strict=True):
            frames = frames - (kernel - 1) * dilation
        return frames

    network._get_tdnn_output_lengths = pooled_frames

    def embed(clips: Sequence[Any]) -> Any:
        if len(clips) == 1:
            return network(clips[0][None]).embeddings
        samples = torch.tensor([len(clip) for clip in clips], device=clips[0].device)
        padded = torch.nn.utils.rnn.pad_sequence(list(clips), batch_first=True)
        mask = torch.arange(padded.shape[1], device=padded.device) < samples[:, None]
        lengths.append(samples)
        try:
            return network(padded, attention_mask=mask.long()).embeddings
        finally:
            lengths.clear()

    return embed


def _group_norm(torch: Any, norm: Any, config: Any, lengths: list[Any]) -> Any:
    """Return a module that norms each channel over the frames of its own clip, where `lengths` holds the clips'."""
    kernel, stride = config.conv_kernel[0], config.conv_stride[0]

    class MaskedGroupNorm(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.whole = norm

        def forward(self, values: Any) -> Any:
            """Take and return [clips, channels, frames]; channels are groups of their own."""
            if not lengths:
                return self.whole(values)
            frames = ((lengths[0] - kernel) // stride + 1)[:, None, None]
            mask = torch.arange(values.shape[2], device=values.device) < frames
            mean = (values * mask).sum(-1, keepdim=True) / frames
            variance = ((values - mean).square() * mask).sum(-1, keepdim=True) / frames
            normed = (values - mean) * (variance + norm.eps).rsqrt()
            return normed * norm.weight[:, None] + norm.bias[:, None]

    return MaskedGroupNorm()
