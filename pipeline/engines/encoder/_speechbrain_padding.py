"""Lets SpeechBrain's x-vector and ECAPA-TDNN networks take clips of several lengths at once, as if each were alone.

Features are made clip by clip, so that none has a frame of another's padding. In the network, convolutions reflect at
the end of the tensor, where shorter clips have padding: here they reflect at each clip's own end. The noise that the
x-vector's pooling adds is the same for every clip. What else a network may hold is not known here: the batch is tried
before it is trusted.
"""

from collections.abc import Sequence
from typing import Any


def mend_padding(torch: Any, encoder: Any) -> Any:
    """Mend a SpeechBrain `EncoderClassifier` in place.

    Return a function that embeds float32 tensors [T], each clip's, as a tensor [clips, D].
    """
    from speechbrain.nnet.CNN import Conv1d
    from speechbrain.nnet.pooling import StatisticsPooling

    frames: list[Any] = []
    for module in encoder.mods.embedding_model.modules():
        if isinstance(module, Conv1d) and module.padding_mode == "reflect":
            module._manage_padding = _reflecting(torch, module._manage_padding, frames)
        if isinstance(module, StatisticsPooling):
            module._get_gauss_noise = _same_noise(module._get_gauss_noise)

    def embed(clips: Sequence[Any]) -> Any:
        if len(clips) == 1:
            return encoder.encode_batch(clips[0][None]).reshape(1, -1)
        features = [_features(torch, encoder, clip) for clip in clips]
        counts = torch.tensor([len(one) for one in features], device=encoder.device)
        padded = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
        frames.append(counts)
        try:
            # A quarter of a frame less: SpeechBrain multiplies by the longest again, and must not round up.
            made = encoder.mods.embedding_model(padded, (counts - 0.25) / padded.shape[1])
        finally:
            frames.clear()
        return made.reshape(len(clips), -1)

    return embed


def _features(torch: Any, encoder: Any, clip: Any) -> Any:
    """Return the features of one clip, [frames, bins], as `encode_batch` makes them."""
    whole = torch.ones(1, device=encoder.device)
    return encoder.mods.mean_var_norm(encoder.mods.compute_features(clip[None].to(encoder.device)), whole)[0]


def _reflecting(torch: Any, whole: Any, frames: list[Any]) -> Any:
    def padded(values: Any, kernel_size: int, dilation: int, stride: int) -> Any:
        """Pad [clips, channels, frames] on both sides; each clip is reflected at its own end."""
        edge = (kernel_size - 1) * dilation // 2
        if not frames or not edge or stride != 1 or values.shape[2] == 1:
            return whole(values, kernel_size, dilation, stride)
        last = (frames[0] - 1)[:, None]
        place = torch.arange(-edge, values.shape[2] + edge, device=values.device).abs()[None]
        place = torch.where(place > last, 2 * last - place, place).clamp(0, values.shape[2] - 1)
        return values.gather(2, place[:, None].expand(-1, values.shape[1], -1))

    return padded


def _same_noise(whole: Any) -> Any:
    def noise(shape: Any, device: Any = "cpu") -> Any:
        return whole((1, *shape[1:]), device=device).expand(shape)

    return noise
