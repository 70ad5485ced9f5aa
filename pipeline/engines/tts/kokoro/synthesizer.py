"""The engine: speaks requests one at a time, so a clip depends on its request alone."""

from collections.abc import Sequence

import numpy as np

from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.tts._prosody import shift_pitch, vary_prosody
from pipeline.engines.tts.kokoro import NAME, KokoroModel
from pipeline.engines.tts.kokoro.checkpoint import read_directory
from pipeline.engines.tts.kokoro.graph import SAMPLE_RATE, KokoroGraph
from pipeline.engines.tts.kokoro.names import own_voice, parent_names
from pipeline.engines.tts.kokoro.phonemes import Phonemizer
from pipeline.engines.tts.kokoro.pieces import cut
from pipeline.engines.tts.kokoro.styles import Styles, is_british
from voicebank.voice import Voice


def load(model: KokoroModel, version: str) -> "Kokoro":
    """Load a model. Raises EngineUnavailable where that fails."""
    found = read_directory(model)
    return Kokoro(KokoroGraph(found.graph, model), Styles(found.voices), found.vocabulary, version)


class Kokoro:
    """Speaks English and Chinese at 24 kHz with Kokoro's voices and averages of them (`Styles`).

    The graph has no randomness: the seed varies a take's speaking rate by some percent, and nothing else.
    """

    name = NAME

    def __init__(self, graph: KokoroGraph, styles: Styles, vocabulary: dict[str, int], version: str) -> None:
        self.version = version
        self._graph, self._styles, self._vocabulary = graph, styles, vocabulary
        self._phonemizer = Phonemizer(vocabulary)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._speak(request) for request in requests]

    def own_voices(self) -> list[Voice]:
        """Return the voices from which virtual voices may be averaged, each in its own language."""
        return [own_voice(name) for name in parent_names(self._styles.names)]

    def _speak(self, request: SpeechRequest) -> Clip | Failure:
        prosody = vary_prosody(request)
        if isinstance(prosody, Failure):
            return prosody
        style = self._styles.of(request.voice, request.language)
        if isinstance(style, Failure):
            return style
        phonemes = self._phonemizer.phonemize(request.text, request.language, is_british(request.voice))
        if isinstance(phonemes, Failure):
            return phonemes
        pitch = request.voice.pitch
        pieces = [self._say(piece, style, prosody.rate / pitch) for piece in cut(phonemes)]
        samples = np.concatenate(pieces)
        if not samples.size or not np.isfinite(samples).all():
            return Failure(Reason.SYNTHESIS_FAILED, "kokoro gave no samples, or NaN")
        clip = Clip(unclipped(samples), SAMPLE_RATE)
        return clip if pitch == 1 else shift_pitch(clip, pitch)

    def _say(self, piece: str, style: Samples, speed: float) -> Samples:
        tokens = [self._vocabulary[phoneme] for phoneme in piece]
        return self._graph.speak(tokens, style[len(tokens) - 1], speed)


def unclipped(samples: Samples) -> Samples:
    """Scale a clip whose peak is over 1, which the vocoder does not keep to; the others stay as they are."""
    peak = float(np.abs(samples).max())
    return samples if peak <= 1 else samples / np.float32(peak)
