"""AISHELL-3: train/ and test/, each with wav/SSBxxxx/SSBxxxxnnnn.wav and a content.txt of characters and pinyin.

Most speakers are in both parts, and one speaker is one group. The corpus may also be given as one part. The genders
are in spk-info.txt, beside the parts.
"""

import re
from collections.abc import Iterator, Mapping

from manifests.storage import Place
from voicebank.layouts._files import AUDIO_MISSING, fitting, inside, lines, unusable
from voicebank.layouts.clip import SourceClip
from voicebank.voice import Gender

LANGUAGE = "zh"

_SPEAKER_LIST = "spk-info.txt"
_CLIP_ID = re.compile(r"(SSB[0-9]{4})[0-9]+")
_GENDERS: dict[str, Gender] = {"female": "female", "male": "male"}
_AUDIO = ".wav"


def read(corpus: Place) -> Iterator[SourceClip]:
    return fitting(
        _clips(corpus),
        f"{corpus.name} is not AISHELL-3: it holds no SSBxxxx/*.wav in train/wav, test/wav or wav",
    )


def _clips(corpus: Place) -> Iterator[SourceClip]:
    genders = _read_genders(corpus)
    for prefix in ("train/", "test/", ""):
        yield from _clips_of_part(corpus, prefix, genders)


def _clips_of_part(corpus: Place, prefix: str, genders: Mapping[str, Gender]) -> Iterator[SourceClip]:
    texts = dict(map(_transcript, lines(corpus / f"{prefix}content.txt")))
    texts.pop("", None)
    unheard = set(texts)
    for folder in inside(corpus / f"{prefix}wav"):
        for stem in (file.name.removesuffix(_AUDIO) for file in inside(folder) if file.name.endswith(_AUDIO)):
            path = f"{prefix}wav/{folder.name}/{stem}{_AUDIO}"
            unheard.discard(stem)
            yield _clip(stem, path, folder.name, texts.get(stem), genders)
    for stem in sorted(unheard):
        yield _clip(stem, f"{prefix}wav/{stem[:7]}/{stem}{_AUDIO}", stem[:7], texts[stem], genders, AUDIO_MISSING)


def _clip(
    stem: str, path: str, folder: str, text: str | None, genders: Mapping[str, Gender], reason: str | None = None
) -> SourceClip:
    match = _CLIP_ID.fullmatch(stem)
    if match is None or match[1] != folder:
        return unusable(stem, LANGUAGE, "" if reason else path)
    gender = genders.get(folder)
    return SourceClip(stem, path, folder, LANGUAGE, speaker=folder, gender=gender, text=text, reason=reason)


def _transcript(line: str) -> tuple[str, str | None]:
    """Read a line such as "SSB00050001.wav<tab>广 guang3 州 zhou1", whose text is 广州.

    There is no text where characters and pinyin do not come in pairs.
    """
    name, _, tokens = line.partition("\t")
    pairs = tokens.split()
    return name.strip().removesuffix(_AUDIO), "".join(pairs[::2]) or None if len(pairs) % 2 == 0 else None


def _read_genders(corpus: Place) -> dict[str, Gender]:
    """Read each speaker's gender from rows of speaker, age group, gender and accent; empty where there is no list."""
    parent = Place(corpus.filesystem, corpus.path.rstrip("/").rpartition("/")[0])
    for file in (corpus / _SPEAKER_LIST, parent / _SPEAKER_LIST):
        rows = [line.split("\t") for line in lines(file) if not line.startswith("#")]
        if rows:
            return {r[0].strip(): _GENDERS[r[2].strip()] for r in rows if len(r) > 2 and r[2].strip() in _GENDERS}
    return {}
