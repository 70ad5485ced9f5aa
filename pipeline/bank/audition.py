"""Lets voices speak, and measures what they sound like: error rate, predicted quality, x-vector.

Each voice speaks the sentences of its language, one clip each. What was measured is kept in `measured.jsonl` as it
comes, so that a broken-off audition goes on; the decision is `voicebank.audition`'s.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.audio.samples import encode
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
from pipeline.job.directory import WORK, JobDirectory, end_torn_line
from pipeline.scoring.rates import pooled, score
from pipeline.seeds import derive_seed
from voicebank.audition import VoiceClip
from voicebank.ranking import likeness_to_itself
from voicebank.voice import Voice

MEASURED_FILE = "measured.jsonl"

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": ("The bakery on the corner sells warm bread and good coffee.",),
    "zh": ("街角的面包店卖热面包和好喝的咖啡。",),
}
"""One sentence: it is enough to hear that a voice is clear and whose it is not, and a bank has many voices."""

Sentences = Mapping[str, Sequence[str]]

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


@contextmanager
def owned_record(out: Place, names: Collection[str]) -> Iterator[Path]:
    """Keep other auditions out of `out` during the block, which is given the file of what was measured there.

    `names` are the files that the audition writes beside it. Raises UserError for what is no local directory, and
    ResumeRefused for one that holds other files, or in which an audition is at work.
    """
    if not out.is_local:
        raise UserError("--out: an audition needs a local directory")
    directory = JobDirectory(out, out / WORK, (WORK, MEASURED_FILE, *names), "bank")
    with directory.owned(out / MEASURED_FILE):
        out.delete_leftovers()
        record = Path(out.path, MEASURED_FILE)
        end_torn_line(record)
        yield record
        directory.work.delete()


def audition(
    voices: Sequence[Voice],
    panel: Panel,
    record: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    sentences: Sentences = SENTENCES,
    clips: Path | None = None,
) -> list[VoiceClip]:
    """Measure voices, in order; `record` is the file of what was measured before, and grows.

    With `clips`, what they say is kept in that directory, see `clip_file`.
    """
    known = _recorded(record)
    keys = [audition_key(voice, panel, sentences) for voice in voices]
    lost = {key for key in keys if clips is not None and not clip_file(clips, key, 0).is_file()}
    missing = [i for i, key in enumerate(keys) if key not in known or (key in lost and not known[key]["problem"])]
    progress(len(voices) - len(missing), len(voices))
    with record.open("a", encoding="utf-8") as file:
        for begin in range(0, len(missing), BATCH):
            part = missing[begin : begin + BATCH]
            for index in part:
                heard, spoken = _measure(voices[index], panel, sentences)
                _keep(spoken, clips, keys[index])
                known[keys[index]] = _row(keys[index], heard)
                file.write(json.dumps(known[keys[index]]) + "\n")
            file.flush()
            progress(len(voices) - len(missing) + begin + len(part), len(voices))
    return [_heard(voice, known[key]) for voice, key in zip(voices, keys, strict=True)]


def clip_file(clips: Path, key: str, index: int) -> Path:
    """Return where sentence number `index` of the voice with that `audition_key` is kept."""
    return clips / f"{key}-{index}.flac"


def _measure(voice: Voice, panel: Panel, sentences: Sentences) -> tuple[VoiceClip, list[Clip]]:
    texts = sentences.get(voice.language, ())
    requests = [_request(voice, text, index) for index, text in enumerate(texts)]
    results = panel.synthesizers[voice.engine].synthesize(requests)
    clips = [clip for clip in results if isinstance(clip, Clip)]
    failures = [clip for clip in results if isinstance(clip, Failure)]
    if failures or not clips:
        why = failures[0].detail if failures else f"no sentence for {voice.language}"
        return VoiceClip(voice, problem=why), []
    return _listen(voice, texts, clips, panel), clips


def _keep(spoken: Sequence[Clip], clips: Path | None, key: str) -> None:
    for index, clip in enumerate(spoken if clips else ()):
        file = clip_file(clips or Path(), key, index)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(clip.samples, clip.sample_rate, "flac").bytes)


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
    known = [vector for vector in vectors if not isinstance(vector, Failure)]
    return VoiceClip(
        voice,
        error_rate=pooled(rates),
        quality=float(np.mean([one[panel.scale] for one in scores if not isinstance(one, Failure)])),
        xvector=mean_direction(known),
        own=likeness_to_itself(known),
    )


def audition_key(voice: Voice, panel: Panel, sentences: Sentences = SENTENCES) -> str:
    """Return a hash of the voice, what it says and who judges it."""
    spoken = (voice.engine, voice.speaker, voice.language, voice.rate, voice.pitch, voice.parents, voice.weights)
    embedding = b"" if voice.embedding is None else voice.embedding.tobytes()
    said = tuple(sentences.get(voice.language, ())) or None
    text = repr((voice.voice_id, spoken, said, panel.versions, panel.scale))
    return hashlib.sha256(text.encode() + embedding + (voice.prompt_audio or b"")).hexdigest()[:32]


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
        "own": heard.own,
        "xvector": vector,
    }


def _heard(voice: Voice, row: Mapping[str, Any]) -> VoiceClip:
    vector = None if row["xvector"] is None else np.array(row["xvector"], np.float32)
    return VoiceClip(voice, row["error_rate"], row["quality"], vector, row["problem"], row.get("own"))
