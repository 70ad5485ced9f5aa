"""Lets voices speak, and measures what they sound like: error rate, predicted quality, x-vector.

Each voice speaks the sentences of its language, one clip each. What was measured is kept in `measured.jsonl` as it
comes, so that a broken-off audition goes on; the decision is `voicebank.audition`'s.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.bank.speaker import mean_direction
from pipeline.engines.contract import (
    Clip,
    Failure,
    QualityPredictor,
    SpeakerEncoder,
    SpeechRecognizer,
    SpeechRequest,
    SpeechSynthesizer,
    Transcript,
)
from pipeline.scoring.rates import pooled, score
from pipeline.seeds import derive_seed
from voicebank.audition import VoiceClip
from voicebank.voice import Voice

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": ("The bakery on the corner sells warm bread and good coffee.",),
    "zh": ("街角的面包店卖热面包和好喝的咖啡。",),
}
"""One sentence: it is enough to hear that a voice is clear and whose it is not, and a bank has many voices."""

BATCH = 8


@dataclass(frozen=True)
class Panel:
    """The engines that speak and judge. `scale` is the score of the predictor that counts."""

    synthesizers: Mapping[str, SpeechSynthesizer]
    recognizers: Mapping[str, SpeechRecognizer]
    encoder: SpeakerEncoder
    predictor: QualityPredictor
    scale: str

    @property
    def versions(self) -> str:
        """Return the versions of all engines: what was measured with others is measured again."""
        loaded: list[Any] = [*self.synthesizers.values(), *self.recognizers.values(), self.encoder, self.predictor]
        return " | ".join(engine.version for engine in loaded)


def audition(
    voices: Sequence[Voice],
    panel: Panel,
    record: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[VoiceClip]:
    """Measure voices, in order; `record` is the file of what was measured before, and grows."""
    known = _recorded(record)
    keys = [_key(voice, panel) for voice in voices]
    missing = [index for index, key in enumerate(keys) if key not in known]
    progress(len(voices) - len(missing), len(voices))
    with record.open("a", encoding="utf-8") as file:
        for begin in range(0, len(missing), BATCH):
            part = missing[begin : begin + BATCH]
            for index, heard in zip(part, _measure([voices[index] for index in part], panel), strict=True):
                known[keys[index]] = _row(keys[index], heard)
                file.write(json.dumps(known[keys[index]]) + "\n")
            file.flush()
            progress(len(voices) - len(missing) + begin + len(part), len(voices))
    return [_heard(voice, known[key]) for voice, key in zip(voices, keys, strict=True)]


def _measure(voices: Sequence[Voice], panel: Panel) -> Iterator[VoiceClip]:
    for voice in voices:
        texts = SENTENCES.get(voice.language, ())
        requests = [_request(voice, text, index) for index, text in enumerate(texts)]
        clips = panel.synthesizers[voice.engine].synthesize(requests)
        failures = [clip for clip in clips if isinstance(clip, Failure)]
        if failures or not clips:
            why = failures[0].detail if failures else f"no sentence for {voice.language}"
            yield VoiceClip(voice, problem=why)
        else:
            yield _listen(voice, texts, [clip for clip in clips if isinstance(clip, Clip)], panel)


def _request(voice: Voice, text: str, index: int) -> SpeechRequest:
    return SpeechRequest(text, voice.language, voice, 1.0, derive_seed(0, "audition", voice.voice_id, index))


def _listen(voice: Voice, texts: Sequence[str], clips: Sequence[Clip], panel: Panel) -> VoiceClip:
    recognizer = panel.recognizers.get(voice.language) or panel.recognizers["*"]
    heard = recognizer.transcribe(clips, [voice.language] * len(clips))
    vectors, scores = panel.encoder.encode(clips), panel.predictor.predict(clips)
    for result in (*heard, *vectors, *scores):
        if isinstance(result, Failure):
            return VoiceClip(voice, problem=result.detail or result.reason.value)
    pairs = [(text, result) for text, result in zip(texts, heard, strict=True) if isinstance(result, Transcript)]
    rates = [score(text, transcript.text, voice.language) for text, transcript in pairs]
    return VoiceClip(
        voice,
        error_rate=pooled(rates),
        quality=float(np.mean([one[panel.scale] for one in scores if not isinstance(one, Failure)])),
        xvector=mean_direction([vector for vector in vectors if not isinstance(vector, Failure)]),
    )


def _key(voice: Voice, panel: Panel) -> str:
    spoken = (voice.engine, voice.speaker, voice.language, voice.rate, voice.pitch, voice.parents, voice.weights)
    embedding = b"" if voice.embedding is None else voice.embedding.tobytes()
    text = repr((voice.voice_id, spoken, SENTENCES.get(voice.language), panel.versions, panel.scale))
    return hashlib.sha256(text.encode() + embedding).hexdigest()[:32]


def _recorded(record: Path) -> dict[str, dict[str, Any]]:
    """Read what was measured before; a line that broke off is left out."""
    rows = {}
    for line in record.read_text(encoding="utf-8").splitlines() if record.is_file() else []:
        try:
            row = json.loads(line)
            rows[str(row["key"])] = row
        except (ValueError, TypeError, KeyError):
            continue
    return rows


def _row(key: str, heard: VoiceClip) -> dict[str, Any]:
    vector = None if heard.xvector is None else [round(float(value), 7) for value in heard.xvector]
    return {
        "key": key,
        "voice_id": heard.voice.voice_id,
        "error_rate": heard.error_rate,
        "quality": heard.quality,
        "problem": heard.problem,
        "xvector": vector,
    }


def _heard(voice: Voice, row: Mapping[str, Any]) -> VoiceClip:
    vector = None if row["xvector"] is None else np.array(row["xvector"], np.float32)
    return VoiceClip(voice, row["error_rate"], row["quality"], vector, row["problem"])
