"""Resemblyzer's speaker encoder (PyPI resemblyzer 0.1.4): GE2E, 256 values, weights inside its package.

It is used as upstream uses it: the level is raised to -30 dBFS, long pauses are cut out (webrtcvad), and the rest is
encoded in windows of 1.6 s, 1.3 of them a second, whose embeddings are averaged. All values are 0 or more, so that no
two voices are further apart than cosine 0, and in practice than 0.4.

Its traps, and what is done about them:

- a clip without speech still gets an embedding, that of its zero padding: here it is a `Failure`;
- it divides by the level of silence: here silence is refused before;
- it asks for `webrtcvad`, which must be compiled: `webrtcvad-wheels` is the same module;
- it prints while it loads, and stdout is for data: here that is switched off;
- it resamples with librosa: here clips are resampled before, by the library that librosa uses too (soxr);
- its weights are a pickle, loaded by PyTorch's default: since release 2.6 that is weights only; older ones are
  refused.
"""

import warnings
from collections.abc import Sequence

from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.shared.clips import MIN_S, SAMPLE_RATE, UNMEASURABLE, encode_each
from pipeline.engines.shared.torch_device import torch_on

NAME = "resemblyzer"

_INSTALL = f"{extra('voicebank')} && pip install --no-deps resemblyzer==0.1.4"


def version() -> str:
    """Return the installed package's version. Raises EngineUnavailable where it is missing."""
    return library_version(NAME, NAME, _INSTALL)


class Resemblyzer:
    """Embeddings of 256 values. Runs on a GPU where there is one."""

    name = NAME
    dimension = 256

    def __init__(self, device: str = "auto") -> None:
        self.version = version()
        _, device = torch_on(device, NAME, _INSTALL)
        with warnings.catch_warnings():
            # It imports a name that scipy has moved elsewhere.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._library = library(NAME, NAME, _INSTALL)
        self._encoder = self._library.VoiceEncoder(device, verbose=False).eval()

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Encode clips; those with less than 0.5 s of speech are a `Failure`."""
        return encode_each(clips, self._embed)

    def _embed(self, samples: Samples) -> Samples | Failure:
        speech = self._library.preprocess_wav(samples)
        if len(speech) < MIN_S * SAMPLE_RATE:
            return Failure(UNMEASURABLE, f"{len(speech) / SAMPLE_RATE:.2f} s of speech; it needs {MIN_S:g} s")
        embedding: Samples = self._encoder.embed_utterance(speech)
        return embedding


ENGINE = Engine(
    "encoder", "resemblyzer", "tells people apart, weights in its package", open=Resemblyzer, version=version
)
