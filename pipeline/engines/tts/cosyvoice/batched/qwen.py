"""A step of the language model of versions 2 and 3, Qwen2 in transformers' modules, for all slots at once."""

from collections.abc import Sequence
from typing import Any

from pipeline.engines.tts.cosyvoice.batched.cache import Slots


class QwenSteps:
    """Runs prompts through transformers' own code, and each step through its layers one by one: its caches hold
    rows of one length only.

    The layers are kept in `dtype`. What goes into them and the scores that come out are float32: in bfloat16 many
    scores would be equal.
    """

    def __init__(self, language_model: Any, dtype: Any = None) -> None:
        self._model = language_model.llm.model.model
        # Not the whole model: the frequencies of its rotary embedding must stay as they are.
        self._model.layers.to(dtype)
        self._model.norm.to(dtype)
        self._dtype = self._model.norm.weight.dtype
        self._head = language_model.llm_decoder
        self._embedding = language_model.speech_embedding

    def begin(self, read: Sequence[Any], slots: Slots, numbers: Sequence[int]) -> Any:
        """Fill these slots with the prompts `read`, [1, T, D] each; return the scores of their first tokens, [B, V].

        The prompts go through the model together, padded at their ends: each token sees those before it alone.
        """
        import torch
        from torch.nn.utils.rnn import pad_sequence

        lengths = [prompt.shape[1] for prompt in read]
        padded = pad_sequence([prompt[0] for prompt in read], batch_first=True).to(self._dtype)
        out = self._model(inputs_embeds=padded, use_cache=True)
        slots.fill(numbers, lengths, *_of_cache(out.past_key_values))
        rows, last = torch.tensor([[*range(len(read))], [length - 1 for length in lengths]], device=padded.device)
        return self._scores(out.last_hidden_state[rows, last])

    def step(self, tokens: Any, positions: Any, slots: Slots, reach: int) -> Any:
        """Return the scores [B, V] after the tokens, int64 [B], which stand at `positions`, int64 [B], of their slots.

        Looks at the first `reach` tokens of the slots. Slots without a piece take part too, at position 0, where
        nobody looks.
        """
        import torch
        from torch.nn import functional

        rows = torch.arange(slots.count, device=tokens.device)
        hidden = self._embedding(tokens)[:, None].to(self._dtype)
        unseen = torch.arange(reach, device=tokens.device) > positions[:, None]
        mask = hidden.new_zeros(unseen.shape).masked_fill(unseen, -torch.inf)[:, None, None]
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
            # The heads that share keys and values ask as if they were tokens one after the other: no key is copied.
            asking = _rotated(query, cosine, sine).view(slots.count, key.shape[1], -1, attention.head_dim)
            heard = functional.scaled_dot_product_attention(
                asking, keys[:, :, :reach], values[:, :, :reach], attn_mask=mask
            )
            hidden = hidden + attention.o_proj(heard.reshape(slots.count, 1, -1))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        return self._scores(self._model.norm(hidden)[:, 0])

    def _scores(self, hidden: Any) -> Any:
        return self._head(hidden.float()).log_softmax(dim=-1)


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
