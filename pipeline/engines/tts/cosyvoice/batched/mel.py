"""From speech tokens to spectrograms: the flow, in batches of like length where that changes nothing.

The flow has an encoder, and an estimator that is run ten times for a piece, twice at each. Those of versions 2 and 3
are causal or mask their padding, but for the encoder's first convolution, which is kept from seeing it; and all pieces
start from the same noise. So pieces of like length go through them together. Those of version 1 normalize over time,
padding included, and start from noise that is drawn: its pieces go one by one, through upstream's own code.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipeline.engines.tts.cosyvoice.batched.batches import batches

_STEPS = 10
"""Euler steps, as upstream takes them."""
_MOST_ENCODED = 4000
"""Tokens in one batch of the encoder. Its memory grows with the square of their lengths too: a hundred pieces of 20 s
would take gigabytes."""


@dataclass(frozen=True)
class SpokenPiece:
    """Holds the speech tokens of a piece, with upstream's inputs of it and its speed."""

    tokens: Sequence[int]
    inputs: dict[str, Any]
    speed: float


class MelMaker:
    """Makes spectrograms with one loaded model, `most_frames` of them at once at most."""

    def __init__(self, inner: Any, version: int, most_frames: int) -> None:
        self._inner, self._version, self._most_frames = inner, version, most_frames

    @property
    def is_batched(self) -> bool:
        return self._version > 1

    def one(self, spoken: SpokenPiece) -> Any:
        """Return the spectrogram [1, 80, T] of a piece, by upstream's own way through the flow."""
        import torch

        device = self._inner.device
        inputs = self._flow_inputs(spoken)
        if self._version == 1:
            inputs["flow_cache"] = torch.zeros(1, 80, 0, 2, device=device)
        else:
            inputs.update(streaming=False, finalize=True)
        return self._inner.flow.inference(**inputs)[0]

    def many(self, pieces: Sequence[SpokenPiece]) -> Iterator[tuple[int, Any]]:
        """Yield the number and the spectrogram [1, 80, T] of each piece, in batches of like length."""
        encoded = self._encoded([self._flow_inputs(piece) for piece in pieces])
        for batch in batches([frames.shape[2] for frames, _, _ in encoded], self._most_frames):
            made = self._estimated([encoded[number] for number in batch])
            yield from zip(batch, made, strict=True)

    def _flow_inputs(self, spoken: SpokenPiece) -> dict[str, Any]:
        import torch

        device, inputs = self._inner.device, spoken.inputs
        token = torch.tensor([list(spoken.tokens)], dtype=torch.int32, device=device)
        before = inputs.get("flow_prompt_speech_token", token[:, :0]).to(device)
        feature = inputs.get("prompt_speech_feat", torch.zeros(1, 0, 80)).to(device)
        return {
            "token": token,
            "token_len": torch.tensor([token.shape[1]], dtype=torch.int32, device=device),
            "prompt_token": before,
            "prompt_token_len": torch.tensor([before.shape[1]], dtype=torch.int32, device=device),
            "prompt_feat": feature,
            "prompt_feat_len": torch.tensor([feature.shape[1]], dtype=torch.int32, device=device),
            "embedding": inputs["flow_embedding"].to(device),
        }

    def _encoded(self, given: Sequence[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
        """Return what the estimator is given for each piece: mu [1, 80, T], voice [1, 80], known frames [1, 80, T]."""
        import torch
        from torch.nn import functional

        flow = self._inner.flow
        tokens = [torch.cat([one["prompt_token"], one["token"]], dim=1)[0].clamp(min=0) for one in given]
        encoded: dict[int, tuple[Any, Any, Any]] = {}
        for batch in batches([len(piece) for piece in tokens], _MOST_ENCODED):
            for number, mu in zip(batch, self._mus([tokens[number] for number in batch]), strict=True):
                voice = flow.spk_embed_affine_layer(functional.normalize(given[number]["embedding"], dim=1))
                known, prompt = torch.zeros_like(mu[..., :80]), given[number]["prompt_feat"]
                known[:, : prompt.shape[1]] = prompt
                encoded[number] = mu.transpose(1, 2), voice, known.transpose(1, 2)
        return [encoded[number] for number in range(len(given))]

    def _mus(self, tokens: Sequence[Any]) -> list[Any]:
        """Encode pieces of tokens, int [T] each, together; return [1, T * ratio, 80] of each."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        flow = self._inner.flow
        hidden = pad_sequence([flow.input_embedding(piece) for piece in tokens], batch_first=True)
        lengths = torch.tensor([len(piece) for piece in tokens], dtype=torch.int32, device=hidden.device)
        if self._version == 3:
            # It sees zeros after the end, as upstream's own padding.
            mu = flow.pre_lookahead_layer(hidden).repeat_interleave(flow.token_mel_ratio, dim=1)
        else:
            with _zeros_after(lengths, flow.encoder.pre_lookahead_layer):
                mu = flow.encoder_proj(flow.encoder(hidden, lengths, streaming=False)[0])
        return [row[None, : len(piece) * flow.token_mel_ratio] for row, piece in zip(mu, tokens, strict=True)]

    def _estimated(self, pieces: Sequence[tuple[Any, Any, Any]]) -> list[Any]:
        """Solve the flow for pieces that are padded to the longest; return the frames [1, 80, T] after each prompt."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        decoder = self._inner.flow.decoder
        lengths = [mu.shape[2] for mu, _, _ in pieces]
        mu, known = (
            pad_sequence([piece[part][0].T for piece in pieces], batch_first=True).transpose(1, 2) for part in (0, 2)
        )
        voice = torch.cat([piece[1] for piece in pieces])
        frames = torch.arange(mu.shape[2], device=mu.device)
        mask = (frames < torch.tensor(lengths, device=mu.device)[:, None])[:, None].to(mu)
        times = torch.linspace(0, 1, _STEPS + 1, device=mu.device, dtype=mu.dtype)
        if decoder.t_scheduler == "cosine":
            times = 1 - torch.cos(times * 0.5 * torch.pi)
        x = decoder.rand_noise[:, :, : mu.shape[2]].to(mu).repeat(len(pieces), 1, 1)
        for now, then in pairwise(times):
            # The second half is the guidance: the same, told neither text nor voice nor known frames.
            slope = decoder.forward_estimator(
                torch.cat([x, x]),
                torch.cat([mask, mask]),
                torch.cat([mu, torch.zeros_like(mu)]),
                now.repeat(2 * len(pieces)),
                torch.cat([voice, torch.zeros_like(voice)]),
                torch.cat([known, torch.zeros_like(known)]),
                False,
            )
            led, free = slope.chunk(2)
            rate = decoder.inference_cfg_rate
            x = x + (then - now) * ((1.0 + rate) * led - rate * free)
        return [row[None, :, :length].float() for row, length in zip(x, lengths, strict=True)]


@contextmanager
def _zeros_after(lengths: Any, layer: Any) -> Iterator[None]:
    """Let a layer, in the block, see zeros after the end of each row of its input [B, T, D]; `lengths` are int [B].

    It looks ahead, and after the end of a piece alone upstream gives it zeros; in a batch there is padding, which has
    been through a bias by then.
    """

    import torch

    def zeros(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        after = torch.arange(inputs[0].shape[1], device=lengths.device) >= lengths[:, None]
        return (inputs[0].masked_fill(after[..., None], 0.0), *inputs[1:])

    hook = layer.register_forward_pre_hook(zeros)
    try:
        yield
    finally:
        hook.remove()
