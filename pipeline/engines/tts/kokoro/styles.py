"""What the graph speaks with: the style of a voice, or the average of several voices' styles.

A style is float32 [510, 256]: row n - 1 is for a text of n tokens. The first 128 numbers of a row condition the
vocoder (the timbre), the others the predictor of durations and pitch (the manner of speaking). The timbre is the
voice's own in every language. How long a vowel is and how a tone goes belong to the language: where a voice speaks one
that is not its own, its manner is the mean of that language's own voices of its gender. A virtual voice is the
weighted average of its parents' styles in the language. Styles are used as they are: their length is part of the
voice.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, Samples
from pipeline.engines.tts.kokoro.names import gender_of, is_name, language_of, natives
from voicebank.voice import Voice

ROWS, WIDTH, TIMBRE = 510, 256, 128

_KEPT = 64


class Styles:
    """The styles of a model's voices, read when they are needed; those of the last voices are kept (0.5 MB each)."""

    def __init__(self, directory: Path) -> None:
        self._files = {path.stem: path for path in sorted(directory.glob("*.bin")) if is_name(path.stem)}
        self._made: OrderedDict[tuple[object, ...], Samples] = OrderedDict()
        self.names = tuple(self._files)

    def of(self, voice: Voice, language: str) -> Samples | Failure:
        """Return the style [510, 256] with which a voice speaks a language."""
        parents = parents_of(voice)
        if strange := [name for name in parents if name not in self._files]:
            return Failure(Reason.SYNTHESIS_FAILED, f"kokoro has no voice {', '.join(strange)}")
        key = (language, *parents.items())
        if key not in self._made:
            try:
                self._made[key] = self._average(parents, language)
            except ValueError as error:
                return Failure(Reason.SYNTHESIS_FAILED, str(error))
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def _average(self, parents: dict[str, float], language: str) -> Samples:
        total = sum(parents.values())
        styles = [self._in_language(name, language) * (weight / total) for name, weight in parents.items()]
        average: Samples = np.sum(styles, axis=0).astype(np.float32)
        return average

    def _in_language(self, name: str, language: str) -> Samples:
        own = self._read(name)
        speakers = natives(self.names, language, gender_of(name))
        if language_of(name) == language or not speakers:
            return own
        manner = np.mean([self._read(native)[:, TIMBRE:] for native in speakers], axis=0)
        return np.concatenate([own[:, :TIMBRE], manner], axis=1)

    def _read(self, name: str) -> Samples:
        """Read a style as float64. Raises ValueError for a file that is none."""
        values = np.fromfile(self._files[name], "<f4")
        if values.size != ROWS * WIDTH or not np.isfinite(values).all():
            raise ValueError(f"the style of {name} is not {ROWS} rows of {WIDTH} numbers")
        return values.reshape(ROWS, WIDTH).astype(np.float64)


def parents_of(voice: Voice) -> dict[str, float]:
    """Return Kokoro's own voices in a voice, with their weights: its parents, or the one that it is.

    The parents' ids in a bank begin with a data set: "kokoro-af_heart".
    """
    if not voice.parents:
        return {voice.speaker: 1.0}
    names = [parent.rpartition("-")[2] for parent in voice.parents]
    return dict(zip(names, voice.weights, strict=True))


def is_british(voice: Voice) -> bool:
    """Tell which English a voice speaks: that of its heaviest English parent, or its own."""
    english = {name: weight for name, weight in parents_of(voice).items() if language_of(name) == "en"}
    return bool(english) and max(english, key=lambda name: (english[name], name)).startswith("b")
