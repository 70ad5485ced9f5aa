"""The one place that decides which clips a recognizer is shown.

What is heard in silence is nothing. Whisper, asked to transcribe silence, writes down sentences that it saw often in
training, and Paraformer gives one result for a whole batch of silent clips, so silence never reaches a model.
"""

import numpy as np

from manifests.reasons import Reason
from pipeline.audio.levels import loudest_dbfs
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure, Samples, Transcript
from pipeline.scoring.hallucination import SILENCE_DBFS

SAMPLE_RATE = 16_000
"""Hz; what every model here was trained on."""

MIN_SECONDS = 0.1
"""Shorter than any syllable. funasr's feature extraction ends the whole process on an empty array."""


def prepare(clip: Clip) -> Samples | Transcript | Failure:
    """The clip's samples at 16 kHz, contiguous; an empty Transcript for silence; a Failure for what is no clip."""
    if clip.samples.size == 0 or clip.sample_rate <= 0 or not np.isfinite(clip.samples).all():
        return Failure(Reason.RECOGNITION_FAILED, "the clip is empty or holds values that are not numbers")
    samples = np.ascontiguousarray(resample(clip.samples, clip.sample_rate, SAMPLE_RATE), dtype=np.float32)
    if len(samples) < MIN_SECONDS * SAMPLE_RATE:
        return Failure(Reason.RECOGNITION_FAILED, f"{len(samples) / SAMPLE_RATE:.3f} s is too short")
    return Transcript("") if is_silent(samples) else samples


def is_silent(samples: Samples) -> bool:
    """Whether no 50 ms of the samples (16 kHz) reach `SILENCE_DBFS`."""
    return loudest_dbfs(samples, SAMPLE_RATE) < SILENCE_DBFS
