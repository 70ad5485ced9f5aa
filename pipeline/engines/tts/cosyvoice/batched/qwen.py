"""A step of the language model of versions 2 and 3, Qwen2 in transformers' modules, for all slots at once."""

from collections.abc import Sequence
from typing import Any

from pipeline.engines.tts.cosyvoice.batched.cache import Slots


class QwenSteps:
    """Runs the prompt through transformers' own code, and each step through its layers one by one: its caches hold
    rows of one length only."""

    def __init__(self, language_model: Any) -> None:
        self._encoder = language_model.llm
        self._model = language_model.llm.model.model
        self._head = language_model.llm_decoder
        self._embedding = language_model.speech_embedding

    def begin(self, read: Any, slots: Slots, slot: int) -> Any:
        """Fill a slot with the prompt `read`, [1, T, D]; return the scores of its first token, [V]."""
        import torch

        mask = torch.ones((1, read.shape[1], read.shape[1]), dtype=torch.bool, device=read.device).tril()
        seen, cache = self._encoder.forward_one_step(read, masks=mask, cache=None)
        slots.fill(slot, *_of_cache(cache))
        return self._head(seen[:, -1])[0].log_softmax(dim=-1)

    def step(self, tokens: Any, positions: Any, slots: Slots) -> Any:
        """Return the scores [B, V] after the tokens, int64 [B], which stand at `positions`, int64 [B], of their slots.

        Slots without a piece take part too, at position 0, where nobody looks.
        """
        import torch
        from torch.nn import functional

        rows = torch.arange(slots.count, device=tokens.device)
        visible = torch.arange(slots.capacity, device=tokens.device) <= positions[:, None]
        hidden = self._embedding(tokens)[:, None]
        cosine, sine = self._model.rotary_emb(hidden, positions[:, None])
        for layer, keys, values in zip(self._model.layers, slots.keys, slots.values, strict=True):
            attention = layer.self_attn
            normal = layer.input_layernorm(hidden)
            query, key, value = (
                part(normal).view(slots.count, 1, -1, attention.head_dim).transpose(1, 2)
                for part in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            keys[rows, :, positions] = _rotated(key, cosine, sine)[:, :, 0]
            values[rows, :, positions] = value[:, :, 0]
            heard = functional.scaled_dot_product_attention(
                _rotated(query, cosine, sine), keys, values, attn_mask=visible[:, None, None], enable_gqa=True
            )
            hidden = hidden + attention.o_proj(heard.transpose(1, 2).reshape(slots.count, 1, -1))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        return self._head(self._model.norm(hidden)[:, 0]).log_softmax(dim=-1)


def _of_cache(cache: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return keys and values by layer, of transformers 5's cache or 4's."""
    if layers := getattr(cache, "layers", None):
        return [layer.keys for layer in layers], [layer.values for layer in layers]
    return cache.key_cache, cache.value_cache


def _rotated(heads: Any, cosine: Any, sine: Any) -> Any:
    """Apply the rotary embedding to heads [B, H, 1, D], for cosines and sines [B, 1, D]."""
    import torch

    low, high = heads.chunk(2, dim=-1)
    return heads * cosine[:, None] + torch.cat([-high, low], dim=-1) * sine[:, None]
