"""The two backends of Whisper, as they lay the tokens of a known text along clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.engines.aligner._attention_path import token_path
from pipeline.engines.asr._whisper_ct2 import FRAMES_PER_S, CTranslate2Backend
from pipeline.engines.asr._whisper_transformers import TransformersBackend
from pipeline.engines.asr._windows import WINDOW_S
from pipeline.engines.contract import Samples
from pipeline.engines.shared.silence_guard import SAMPLE_RATE

STEPS_PER_S = 50
"""The encoder's steps."""


@dataclass(frozen=True, slots=True, eq=False)
class AlignedTokens:
    """Holds pairs (token, step), in order, in which the end of the text is the last token; and the probability of each
    token of the text, 0..1."""

    path: Sequence[tuple[int, int]]
    probabilities: Sequence[float] | npt.NDArray[np.float32]


class AligningBackend(Protocol):
    languages: frozenset[str]

    def encode_text(self, text: str, language: str) -> list[int]:
        """Return the tokens of a text, without marks around them."""

    def align_tokens(
        self, windows: Sequence[Samples], language: str, tokens: Sequence[list[int]]
    ) -> list[AlignedTokens]:
        """Lay the tokens of a text along each window (float32 [T], 16 kHz, at most 30 s)."""


class AligningCTranslate2(CTranslate2Backend):
    def encode_text(self, text: str, language: str) -> list[int]:
        tokens: list[int] = self._tokenizers[language].encode(text)
        return tokens

    def align_tokens(
        self, windows: Sequence[Samples], language: str, tokens: Sequence[list[int]]
    ) -> list[AlignedTokens]:
        features = np.stack([self._mel(samples, WINDOW_S) for samples in windows])
        frames = [len(samples) * FRAMES_PER_S // SAMPLE_RATE for samples in windows]
        start = [*self._tokenizers[language].sot_sequence]
        results = self._model.align(self._storage.from_array(features), start, list(tokens), frames)
        return [AlignedTokens(result.alignments, result.text_token_probs) for result in results]


class AligningTransformers(TransformersBackend):
    """Takes one window at a time: attention of several would take the memory of as many."""

    attention: ClassVar[str] = "eager"

    def encode_text(self, text: str, language: str) -> list[int]:
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def align_tokens(
        self, windows: Sequence[Samples], language: str, tokens: Sequence[list[int]]
    ) -> list[AlignedTokens]:
        with self._torch.inference_mode():
            return [self._align(samples, language, own) for samples, own in zip(windows, tokens, strict=True)]

    def _align(self, samples: Samples, language: str, tokens: list[int]) -> AlignedTokens:
        settings = self._model.generation_config
        prompt = self._prompt(language)
        mel, _ = self._log_mel([samples])
        ids = self._torch.tensor([[*prompt, *tokens, settings.eos_token_id]], device=self._device)
        found = self._model(
            input_features=mel.to(self._dtype), decoder_input_ids=ids, output_attentions=True, use_cache=False
        )
        first = len(prompt) - 1  # the row of the last mark before the text foretells its first token
        chances = found.logits[0, first:-2].float().softmax(-1)
        likely: Any = chances.gather(1, ids[0, len(prompt) : -1, None])[:, 0].cpu().numpy()
        heads = getattr(settings, "alignment_heads", None) or self._later_heads()
        seen = self._torch.stack([found.cross_attentions[layer][0, head] for layer, head in heads])
        steps = len(samples) * STEPS_PER_S // SAMPLE_RATE
        return AlignedTokens(token_path(seen[:, first:-1, :steps].float().cpu().numpy()), likely)

    def _later_heads(self) -> list[tuple[int, int]]:
        """Return all heads of the later half of the layers, for checkpoints that do not name the heads that align."""
        layers, heads = self._model.config.decoder_layers, self._model.config.decoder_attention_heads
        return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
