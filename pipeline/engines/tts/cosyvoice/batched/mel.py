"""From speech tokens to samples: the flow, in batches of like length where that changes nothing, then the vocoder.

The encoder of the flow looks at one piece at a time: it costs little, and sees padding. Its estimator is run ten times
for a piece, twice at each, and takes most of the time. That of versions 2 and 3 is causal or masks its padding, and
starts from the same noise for all, so pieces of like length go through it together. That of version 1 normalizes over
time, padding included, and starts from noise that is drawn: its pieces go one by one, through upstream's own code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipeline.engines.contract import Samples

_STEPS = 10
"""Euler steps, as upstream takes them."""
_PADDED = 1.15
"""A batch may be so many times as long as its own frames."""


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
        encoded = [self._encoded(piece) for piece in pieces]
        for batch in _batches([frames.shape[2] for frames, _, _ in encoded], self._most_frames):
            made = self._estimated([encoded[number] for number in batch])
            yield from zip(batch, made, strict=True)

    def samples(self, mel: Any, speed: float) -> Samples:
        """Return the samples [T] of a spectrogram. Draws from the generators of the process, as the vocoder does."""
        import numpy as np
        from torch.nn import functional

        if speed != 1.0:
            mel = functional.interpolate(mel, size=int(mel.shape[2] / speed), mode="linear")
        given = {"finalize": True} if self._version == 3 else {}
        speech, _ = self._inner.hift.inference(speech_feat=mel, **given)
        return np.ascontiguousarray(speech.detach().float().cpu().numpy().reshape(-1))

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

    def _encoded(self, spoken: SpokenPiece) -> tuple[Any, Any, Any]:
        """Return what the estimator is given for one piece: mu [1, 80, T], voice [1, 80], known frames [1, 80, T]."""
        import torch
        from torch.nn import functional

        flow, given = self._inner.flow, self._flow_inputs(spoken)
        token = torch.cat([given["prompt_token"], given["token"]], dim=1).clamp(min=0)
        voice = flow.spk_embed_affine_layer(functional.normalize(given["embedding"], dim=1))
        hidden = flow.input_embedding(token)
        if self._version == 3:
            mu = flow.pre_lookahead_layer(hidden).repeat_interleave(flow.token_mel_ratio, dim=1)
        else:
            length = given["prompt_token_len"] + given["token_len"]
            mu = flow.encoder_proj(flow.encoder(hidden, length, streaming=False)[0])
        known = torch.zeros_like(mu[..., :80])
        known[:, : given["prompt_feat"].shape[1]] = given["prompt_feat"]
        return mu.transpose(1, 2), voice, known.transpose(1, 2)

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


def _batches(lengths: Sequence[int], most_frames: int) -> Iterator[list[int]]:
    """Yield the numbers of the pieces in batches of like length, longest first, each within `most_frames` frames."""
    batch: list[int] = []
    longest = total = 0
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        frames = longest * (len(batch) + 1)
        if batch and (frames > most_frames or frames > _PADDED * (total + lengths[number])):
            yield batch
            batch, total = [], 0
        longest = longest if batch else lengths[number]
        batch.append(number)
        total += lengths[number]
    if batch:
        yield batch
