"""The engine: speaks requests one at a time, so a clip depends on its request alone."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from manifests.reasons import Reason
from manifests.schema import WordTimes
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.shared.word_times import bounded, word_times
from pipeline.engines.tts._prosody import shift_pitch, vary_prosody
from pipeline.engines.tts.kokoro import NAME, KokoroModel
from pipeline.engines.tts.kokoro.checkpoint import read_directory
from pipeline.engines.tts.kokoro.graph import LEAD_SAMPLES, SAMPLE_RATE, KokoroGraph, SpokenTokens
from pipeline.engines.tts.kokoro.names import own_voice, parent_names
from pipeline.engines.tts.kokoro.phonemes import Phonemizer
from pipeline.engines.tts.kokoro.pieces import cut
from pipeline.engines.tts.kokoro.styles import Styles, is_british
from pipeline.engines.tts.kokoro.word_spans import TimedPhoneme, word_spans
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
        pieces = cut(phonemes)
        spoken = [self._say(piece, style, prosody.rate / pitch) for piece in pieces]
        samples = np.concatenate([each.samples for each in spoken])
        if not samples.size or not np.isfinite(samples).all():
            return Failure(Reason.SYNTHESIS_FAILED, "kokoro gave no samples, or NaN")
        samples = unclipped(samples)
        times = self._times(request, pieces, spoken, samples) if request.word_times else None
        clip = Clip(samples, SAMPLE_RATE, times)
        return clip if pitch == 1 else shift_pitch(clip, pitch)

    def _times(
        self, request: SpeechRequest, pieces: Sequence[str], spoken: Sequence[SpokenTokens], samples: Samples
    ) -> WordTimes | None:
        """Return when the words are spoken; None if the graph does not tell.

        A word's last phoneme lasts through the silence behind it, which is cut off.
        """
        text, language = request.text, request.language
        timed: list[TimedPhoneme] = []
        before = 0
        for piece, each in zip(pieces, spoken, strict=True):
            if each.borders is None:
                return None
            borders = pairwise(before + max(0, border - LEAD_SAMPLES) for border in each.borders)
            timed += [TimedPhoneme(phoneme, *border) for phoneme, border in zip(piece, borders, strict=True)]
            before += len(each.samples)
            timed.append(TimedPhoneme(" ", before, before))  # a cut is between words
        units = self._phonemizer.phonemize_units(text, language, is_british(request.voice))
        if units is None:
            return None
        spans = word_spans(units, timed, has_blanks=language == "en")
        spans = bounded(spans, samples, SAMPLE_RATE)
        return word_times(f"{NAME} {self.version}", text, language, spans)

    def _say(self, piece: str, style: Samples, speed: float) -> SpokenTokens:
        tokens = [self._vocabulary[phoneme] for phoneme in piece]
        return self._graph.speak(tokens, style[len(tokens) - 1], speed)


def unclipped(samples: Samples) -> Samples:
    """Scale a clip whose peak is over 1, which the vocoder does not keep to; the others stay as they are."""
    peak = float(np.abs(samples).max())
    return samples if peak <= 1 else samples / np.float32(peak)
