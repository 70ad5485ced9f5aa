"""Decides which clips reach a recognizer: silence never does, and its transcript is empty.

Asked to transcribe silence, Whisper writes sentences that it saw often in training, and Paraformer gives one result
for a whole batch of silent clips.
"""

import numpy as np

from manifests.reasons import Reason
from pipeline.audio.levels import loudest_dbfs
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure, Samples, Transcript
from pipeline.scoring.hallucination import SILENCE_DBFS

SAMPLE_RATE = 16_000
"""Hz; the rate at which every model here was trained."""

MIN_SECONDS = 0.1
"""Clips below this are shorter than any syllable. funasr's feature extraction ends the whole process on an empty
array."""


def prepare(clip: Clip) -> Samples | Transcript | Failure:
    """Resample a clip to contiguous samples at 16 kHz.

    Silence gives an empty Transcript instead. A Failure for empty and very short clips, NaN and infinity.
    """
    if clip.samples.size == 0 or clip.sample_rate <= 0 or not np.isfinite(clip.samples).all():
        return Failure(Reason.RECOGNITION_FAILED, "the clip is empty or holds NaN or infinite samples")
    samples = np.ascontiguousarray(resample(clip.samples, clip.sample_rate, SAMPLE_RATE), dtype=np.float32)
    if len(samples) < MIN_SECONDS * SAMPLE_RATE:
        return Failure(Reason.RECOGNITION_FAILED, f"the clip is too short: {len(samples) / SAMPLE_RATE:.3f} s")
    return Transcript("") if is_silent(samples) else samples


def is_silent(samples: Samples) -> bool:
    """Whether no 50 ms of the samples (16 kHz) reach `SILENCE_DBFS`."""
    return loudest_dbfs(samples, SAMPLE_RATE) < SILENCE_DBFS
