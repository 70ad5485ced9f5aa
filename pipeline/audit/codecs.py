"""Send clips through lossy codecs and back, by FFmpeg's encoders (PyAV).

The containers record how many priming samples the encoder put before the first sample (MP3 with a LAME header, Ogg
Opus, MP4 with an edit list), and FFmpeg drops these: the decoded clip is aligned with the original. The last frame of
MP4 is always whole; samples beyond the end of the clip are cut off.
"""

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import numpy as np

from pipeline.audio.samples import resample
from pipeline.audit.needs import need
from pipeline.engines.contract import Clip, Samples

_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
_MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Codec:
    """FFmpeg's encoder and container, the bit rate in bit/s, and the sample rates accepted, in Hz (empty: any)."""

    encoder: str
    container: str
    bit_rate: int
    rates: tuple[int, ...] = ()


MP3_128 = Codec("libmp3lame", "mp3", 128_000, _MP3_RATES)
MP3_64 = Codec("libmp3lame", "mp3", 64_000, _MP3_RATES)
OPUS_32 = Codec("libopus", "ogg", 32_000, _OPUS_RATES)
AAC_96 = Codec("aac", "mp4", 96_000)


def round_trip(clip: Clip, codec: Codec) -> Clip:
    """Encode and decode the clip; the result has the same rate and length and is aligned with it."""
    rate = _rate_for(clip.sample_rate, codec)
    encoded = _encode(resample(clip.samples, clip.sample_rate, rate), rate, codec)
    decoded = resample(_decode(encoded, rate), rate, clip.sample_rate)
    return Clip(fit(decoded, len(clip.samples)), clip.sample_rate)


def fit(samples: Samples, length: int) -> Samples:
    """Cut the samples to `length`, or fill them up with silence at the end."""
    return np.ascontiguousarray(np.pad(samples[:length], (0, max(0, length - len(samples)))), dtype=np.float32)


def _rate_for(sample_rate: int, codec: Codec) -> int:
    """Return the clip's own rate if the codec accepts it, else the next higher rate, else the highest."""
    if not codec.rates or sample_rate in codec.rates:
        return sample_rate
    return min((rate for rate in codec.rates if rate > sample_rate), default=codec.rates[-1])


def _encode(samples: Samples, rate: int, codec: Codec) -> bytes:
    av = need("av")
    file = BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=rate, layout="mono", bit_rate=codec.bit_rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()


def _decode(encoded: bytes, rate: int) -> Samples:
    av = need("av")
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
    with av.open(BytesIO(encoded)) as container:
        frames = [made for frame in container.decode(audio=0) for made in resampler.resample(frame)]
    frames += resampler.resample(None)
    parts = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
