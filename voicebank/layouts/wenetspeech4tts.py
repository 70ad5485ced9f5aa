"""WenetSpeech4TTS: lists of clips, DNSMOS scores, and a wav and a txt for each clip, in three tiers.

::

    filelists/Basic_filelist.lst          UTTERANCE  ../Premium/WenetSpeech4TTS_Premium_3/wavs/UTTERANCE.wav  ...
    DNSMOS_P808Scores/Basic_DNSMOS.lst    UTTERANCE  4.07
    Premium/WenetSpeech4TTS_Premium_3/txts/UTTERANCE.txt      first line: UTTERANCE <tab> text

The tiers are nested: the list of Basic also names the clips of Standard and Premium, with paths in their own tier. So
only the widest list that exists is read, and the score decides what is good enough. The long recording is the
utterance's id up to "_S"; the corpus does not say who speaks in it.
"""

import math
import posixpath
import re
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from manifests.storage import Place
from voicebank.layouts._files import (
    fitting,
    inside,
    is_inner_path,
    is_label,
    key,
    lines,
    numbered_lines,
    text_of,
    unusable,
)
from voicebank.layouts.clip import SourceClip

LANGUAGE = "zh"

_LISTS = "filelists"
_SCORES = "DNSMOS_P808Scores"
_WIDEST_FIRST = ("Basic_filelist.lst", "Standard_filelist.lst", "Premium_filelist.lst")
_RECORDING = re.compile(r"(.+?)_S[0-9]+.*")


def read(corpus: Place) -> Iterator[SourceClip]:
    return fitting(_clips(corpus), f"{corpus.name} is not WenetSpeech4TTS: it lists no clips in {_LISTS}/*.lst")


def _clips(corpus: Place) -> Iterator[SourceClip]:
    lists = _lists(corpus / _LISTS)
    scores = _QualityScores(corpus / _SCORES)
    for file in lists:
        for number, line in numbered_lines(file):
            if line is None or line.strip():
                yield _clip(corpus, f"{file.name}:{number}", line or "", scores)


def _lists(directory: Place) -> list[Place]:
    """Return the widest of the corpus's own lists or, where none of them exists, all lists of other names."""
    there = [file for file in inside(directory) if file.name.endswith(".lst")]
    for name in _WIDEST_FIRST:
        if widest := [file for file in there if file.name == name]:
            return widest
    return there


def _clip(corpus: Place, where: str, line: str, scores: "_QualityScores") -> SourceClip:
    utterance, *paths = line.split() or [""]
    if not paths or not is_label(utterance):
        return unusable(where, LANGUAGE)
    path = posixpath.normpath(f"{_LISTS}/{paths[0]}")
    recording = _RECORDING.fullmatch(utterance)
    if paths[0].startswith("/") or not is_inner_path(path) or recording is None:
        return unusable(utterance, LANGUAGE)
    quality = scores.get(utterance)
    return SourceClip(
        clip_id=utterance,
        path=path,
        group=recording[1],
        language=LANGUAGE,
        text=_text(corpus, path, utterance),
        quality=quality,
        quality_scale=None if quality is None else "dnsmos_p808",
    )


def _text(corpus: Place, path: str, utterance: str) -> str | None:
    """Read the text in txts/, beside wavs/; None where it is missing or belongs to another clip."""
    wavs, _, _ = path.rpartition("/")
    folder = posixpath.join(posixpath.dirname(wavs), "txts")
    named, _, text = next(lines(corpus / f"{folder}/{utterance}.txt"), "").partition("\t")
    return text_of(text) if named.strip() == utterance else None


class _QualityScores:
    """Quality scores by utterance, in 12 bytes each: the corpus has more than ten million clips.

    Of several scores of one utterance the first counts. Numbers outside 1..5 are ignored.
    """

    def __init__(self, directory: Place) -> None:
        keys, scores = array("Q"), array("d")
        for file in inside(directory):
            if file.name.endswith(".lst"):
                for row in lines(file):
                    if scored := _score_of(row):
                        keys.append(key(scored[0]))
                        scores.append(scored[1])
        found: tuple[npt.NDArray[np.uint64], npt.NDArray[np.intp]] = np.unique(
            np.asarray(keys, np.uint64), return_index=True
        )
        self._keys, first = found
        self._scores = np.asarray(scores, np.float64)[first]

    def get(self, utterance: str) -> float | None:
        wanted = np.uint64(key(utterance))
        at = int(np.searchsorted(self._keys, wanted))
        return float(self._scores[at]) if at < len(self._keys) and self._keys[at] == wanted else None


def _score_of(line: str) -> tuple[str, float] | None:
    utterance, *rest = line.split() or [""]
    try:
        score = float(rest[0]) if rest else math.nan
    except ValueError:
        return None
    return (utterance, score) if 1 <= score <= 5 else None
