"""What holds for every speaker encoder, as checks that each one's test calls."""

import numpy as np
from speech_doubles import BAD_CLIPS, RATE, voice

from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.shared.clips import UNMEASURABLE
from pipeline.engines.shared.encoder_batches import batch_agrees


def check_unit_vectors(encoder):
    (vector,) = encoder.encode([voice(1.5)])
    assert (vector.shape, vector.dtype) == ((encoder.dimension,), np.float32)
    assert abs(np.linalg.norm(vector.astype(np.float64)) - 1) < 1e-6


def check_results_depend_on_the_clip_alone(encoder):
    clips = [voice(0.8, 90), voice(2.5, 220), voice(1.3, 150), voice(2.5, 100)]
    together = encoder.encode(clips)
    alone = [encoder.encode([clip])[0] for clip in reversed(clips)][::-1]
    assert [vector.tobytes() for vector in together] == [vector.tobytes() for vector in alone]


def check_a_batch_gives_what_each_clip_alone_gives(encoder):
    """Up to rounding, as on a GPU; the batch must be one, and its rows must come in the order of the clips."""
    clips = [voice(0.8, 90), voice(2.5, 220), voice(0.5, 150), voice(1.3, 100)]
    alone = np.stack(encoder.encode(clips))
    sizes, embed = [], encoder._embed
    encoder._batch_s = 60.0
    encoder._embed = lambda batch: (sizes.append(len(batch)), embed(batch))[1]
    together = np.stack(encoder.encode(clips))
    assert sizes == [4]
    assert np.abs(together - alone).max() < 2e-6
    assert batch_agrees(embed)


def check_voices_differ(encoder):
    low, high = encoder.encode([voice(2, 90), voice(2, 230)])
    assert not np.allclose(low, high, atol=1e-4)


def check_other_rates_are_resampled(encoder, least):
    """The same clip at 48 kHz has nearly the same embedding; taken for 16 kHz, it would be three times as slow."""
    clip = voice(2.0, 110)
    at_48_khz = Clip(resample(clip.samples, RATE, 48_000), 48_000)
    want, made = encoder.encode([clip, at_48_khz])
    assert float(want @ made) > least


def check_bad_clips_are_failures(encoder):
    """In the middle of a batch, each with its own words, and the good ones beside them are encoded."""
    good = voice(1.5)
    clips = [good, *(clip for clip, _ in BAD_CLIPS.values()), good]
    first, *bad, last = encoder.encode(clips)
    for name, result in zip(BAD_CLIPS, bad, strict=True):
        assert isinstance(result, Failure), name
        assert result.reason is UNMEASURABLE, name
        assert BAD_CLIPS[name][1] in result.detail, name
    assert np.array_equal(first, last)
    assert encoder.encode([]) == []
