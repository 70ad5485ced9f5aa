"""A step of the language model of version 1, a transformer with relative positions, for all slots at once."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

from pipeline.engines.tts.cosyvoice.batched.cache import Slots


class RelativeSteps:
    """Runs the prompt through upstream's own code, and each step through its layers one by one.

    What a position adds to the score of a key depends on the distance alone, so the projections of all distances are
    made once for a length of the slots.
    """

    def __init__(self, language_model: Any) -> None:
        self._encoder = language_model.llm
        self._head = language_model.llm_decoder
        self._embedding = language_model.speech_embedding
        self._distances: list[Any] = []

    def begin(self, read: Sequence[Any], slots: Slots, numbers: Sequence[int]) -> Any:
        """Fill these slots with the prompts `read`, [1, T, D] each; return the scores of their first tokens, [B, V].

        Upstream's code takes one prompt at a time.
        """
        import torch

        scores = [self._begin(prompt, slots, number) for prompt, number in zip(read, numbers, strict=True)]
        return torch.stack(scores)

    def _begin(self, read: Any, slots: Slots, slot: int) -> Any:
        import torch

        nothing = torch.zeros((0, 0, 0, 0), device=read.device)
        mask = torch.ones((1, read.shape[1], read.shape[1]), dtype=torch.bool, device=read.device).tril()
        seen, cache, _ = self._encoder.forward_chunk(
            read, offset=0, required_cache_size=-1, att_cache=nothing, cnn_cache=nothing, att_mask=mask
        )
        keys, values = cache.chunk(2, dim=-1)
        slots.fill([slot], [read.shape[1]], list(keys.split(1)), list(values.split(1)))
        return self._head(seen[:, -1])[0].log_softmax(dim=-1)

    def step(self, tokens: Any, positions: Any, slots: Slots, reach: int) -> Any:
        """Return the scores [B, V] after the tokens, int64 [B], which stand at `positions`, int64 [B], of their slots.

        Looks at the first `reach` tokens of the slots. Slots without a piece take part too, at position 0, where
        nobody looks.
        """
        import torch

        rows = torch.arange(slots.count, device=tokens.device)
        places = torch.arange(reach, device=tokens.device)
        hidden_keys = places > positions[:, None]
        distance = (positions[:, None] - places).clamp(min=0)
        hidden = self._encoder.embed.out(self._embedding(tokens)[:, None]) * self._encoder.embed.pos_enc.xscale
        projected = self._projected(slots.capacity)
        for layer, keys, values, far in zip(self._encoder.encoders, slots.keys, slots.values, projected, strict=True):
            attention = layer.self_attn
            query, key, value = attention.forward_qkv(*[layer.norm1(hidden)] * 3)  # each [B, H, 1, D]
            keys[rows, :, positions] = key[:, :, 0]
            values[rows, :, positions] = value[:, :, 0]
            content = (query + attention.pos_bias_u[:, None]) @ keys[:, :, :reach].transpose(-2, -1)
            placed = (query + attention.pos_bias_v[:, None]) @ far[..., :reach]
            placed = placed.gather(-1, distance[:, None, None].expand_as(content))
            scores = ((content + placed) / sqrt(attention.d_k)).masked_fill(hidden_keys[:, None, None], -torch.inf)
            heard = scores.softmax(dim=-1) @ values[:, :, :reach]
            hidden = hidden + attention.linear_out(heard.transpose(1, 2).reshape(slots.count, 1, -1))
            hidden = hidden + layer.feed_forward(layer.norm2(hidden))
        return self._head(self._encoder.after_norm(hidden)[:, 0]).log_softmax(dim=-1)

    def _projected(self, capacity: int) -> list[Any]:
        """Return for each layer the projections of the distances 0..capacity-1, [H, D, capacity]."""
        if not self._distances or self._distances[0].shape[-1] < capacity:
            encoding = self._encoder.embed.pos_enc
            like = self._embedding.weight.new_zeros((1, capacity, 1))
            encoding.extend_pe(like)
            middle = encoding.pe.shape[1] // 2
            known = encoding.pe[0, middle - capacity + 1 : middle + 1].flip(0)
            self._distances = [
                layer.self_attn.linear_pos(known)
                .view(capacity, layer.self_attn.h, layer.self_attn.d_k)
                .permute(1, 2, 0)
                .contiguous()
                for layer in self._encoder.encoders
            ]
        return [far[..., :capacity] for far in self._distances]


def suits(language_model: Any) -> bool:
    """Tell whether the model has the parts that a step takes: relative positions, norms before each part."""
    encoder = language_model.llm
    return (
        bool(getattr(encoder, "normalize_before", False))
        and getattr(encoder, "global_cmvn", None) is None
        and hasattr(encoder.embed, "out")
        and hasattr(encoder.embed.pos_enc, "xscale")
        and all(hasattr(layer.self_attn, "pos_bias_u") for layer in encoder.encoders)
    )
