"""What the language model reads before it speaks: upstream's order of embeddings, for each version.

=========  ======================================================================================================
version    order
=========  ======================================================================================================
1          start, voice (one vector, or none), encoded prompt text and text, task, prompt's speech tokens
2, 3       start, prompt text and text, task, prompt's speech tokens
=========  ======================================================================================================
"""

from dataclasses import dataclass
from typing import Any

from pipeline.engines.tts.cosyvoice.modes import END_OF_PROMPT

_MIN_RATIO, _MAX_RATIO = 2, 20
"""Upstream's bounds on speech tokens for each token of the text."""
_END_OF_PROMPT_TOKEN = 151_646
"""That of `END_OF_PROMPT` in version 3's tokenizer, as upstream has it."""


@dataclass(frozen=True)
class PiecePrompt:
    """Holds what is read, [1, T, D], how many speech tokens may follow, and the seed of the piece's random numbers."""

    read: Any
    shortest: int
    longest: int
    seed: tuple[int, ...]


def prompt_of(
    language_model: Any, version: int, inputs: dict[str, Any], device: Any, seed: tuple[int, ...]
) -> PiecePrompt:
    """Make the prompt of a piece from upstream's inputs of it. Raises ValueError if version 3's marker is missing."""
    import torch

    text = inputs["text"].to(device)
    before = inputs.get("prompt_text", text[:, :0]).to(device)
    speech = inputs.get("llm_prompt_speech_token", text[:, :0]).to(device)
    both = torch.cat([before, text], dim=1)
    if version == 3 and _END_OF_PROMPT_TOKEN not in both:
        raise ValueError(f"neither the text nor the prompt has {END_OF_PROMPT}")
    spoken = language_model.speech_embedding(speech)
    if version == 1:
        parts = _first(language_model, both, inputs.get("llm_embedding"), spoken)
    else:
        # Version 3 took the two markers into the table of the speech tokens.
        markers = language_model.speech_embedding if version == 3 else language_model.llm_embedding
        start, task = (markers.weight[mark][None, None] for mark in (language_model.sos, language_model.task_id))
        parts = [start, language_model.llm.model.model.embed_tokens(both), task, spoken]
    tokens = text.shape[1]
    return PiecePrompt(torch.cat(parts, dim=1), tokens * _MIN_RATIO, tokens * _MAX_RATIO, seed)


def _first(language_model: Any, text: Any, voice: Any, spoken: Any) -> list[Any]:
    import torch
    from torch.nn import functional

    length = torch.tensor([text.shape[1]], dtype=torch.int32, device=text.device)
    encoded, _ = language_model.encode(language_model.text_embedding(text), length)
    start, task = (
        language_model.llm_embedding.weight[mark][None, None] for mark in (language_model.sos, language_model.task_id)
    )
    heard = encoded[:, :0]
    if voice is not None and voice.shape[0]:
        normal = functional.normalize(voice.to(text.device), dim=1)
        heard = language_model.spk_embed_affine_layer(normal)[:, None]
    return [start, heard, encoded, task, spoken]
