"""What the limits of `assess` on bandwidth and on a clip's end find, and what they reject wrongly.

Sound clips of the offline voices (and of Kokoro, where its model is in the cache) are measured whole; then cut off
60 to 120 ms before their speech ends, and then resampled to 8 kHz and back, without and with noise. What is delivered
of them is measured as `assess` measures it: at 16 kHz, trimmed, leveled, padded, FLAC.

    python benchmarks/clip_limits.py
    python benchmarks/clip_limits.py --clips 30 --kokoro 0 --watermark 20
"""

import argparse
import random
from collections.abc import Iterator

import numpy as np

from benchmarks.watermark_audit import texts
from manifests.audio import decode
from pipeline.audio.bandwidth import bandwidth_hz
from pipeline.audio.levels import end_level_db, level_dbfs, normalize_peak
from pipeline.audio.samples import encode, loud_span, pad_silence, resample, trim_silence
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.registry import load_engine
from pipeline.recipes.load import load_recipe
from voicebank.bank import load_bank

SAMPLE_RATE = 16_000
CUT_S = (0.06, 0.12)
END_LIMITS = (-45.0, -40.0, -35.0, -30.0)
BANDWIDTH_LIMITS = (4000.0, 5000.0, 6000.0)
QUANTILES = (0, 0.01, 0.05, 0.5, 0.95, 0.99, 1)


def speak(bank: str, engines: dict[str, object], count: int, seed: int) -> Iterator[tuple[str, Clip]]:
    """Yield the synthesizers' own clips with their engines' names, voices and texts drawn by the seed."""
    voices, draws = load_bank(bank).voices, random.Random(seed)
    spoken = {language: texts(language) for language in ("en", "zh")}
    while count:
        voice = draws.choice(voices)
        language = voice.language if voice.language in spoken else draws.choice(("en", "zh"))
        engine = engines[voice.engine]
        request = SpeechRequest(draws.choice(spoken[language]), language, voice, 1.0, 0)
        made = engine.synthesize([request])[0]  # type: ignore[attr-defined]
        if not isinstance(made, Failure):
            count -= 1
            yield voice.engine, made


def rendered(clip: Clip) -> Samples:
    samples = trim_silence(resample(clip.samples, clip.sample_rate, SAMPLE_RATE))
    padded = pad_silence(normalize_peak(samples, -3.0), SAMPLE_RATE, 150, 150)
    return decode(encode(padded, SAMPLE_RATE, "flac"))[0]


def cut_off(clip: Clip, draws: random.Random) -> Clip:
    """End the clip before its speech does."""
    end = loud_span(clip.samples)[1] - round(draws.uniform(*CUT_S) * clip.sample_rate)
    return Clip(clip.samples[:end], clip.sample_rate)


def narrow(clip: Clip) -> Clip:
    return Clip(resample(clip.samples, clip.sample_rate, 8_000), 8_000)


def noisy(samples: Samples, below_db: float) -> Samples:
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples)).astype(np.float32)
    return samples + noise * np.float32(10 ** ((level_dbfs(samples) - below_db) / 20))


def bandwidths(clips: list[Samples]) -> list[float]:
    return [bandwidth_hz(clip, SAMPLE_RATE) or 0.0 for clip in clips]


def ends(clips: list[Clip]) -> list[float]:
    return [end_level_db(clip.samples, clip.sample_rate) or 0.0 for clip in clips]


def spread(name: str, values: list[float]) -> str:
    return f"{name:34} {len(values):4}  " + " ".join(f"{value:8.1f}" for value in np.quantile(values, QUANTILES))


def marked(clips: list[Samples]) -> list[Samples]:
    made = load_engine("watermark", "perth").embed([Clip(clip, SAMPLE_RATE) for clip in clips], [0] * len(clips))
    return [one.samples for one in made if not isinstance(one, Failure)]


def report(name: str, clips: list[Clip], watermarked: int) -> None:
    draws = random.Random(1)
    cut, whole = [cut_off(clip, draws) for clip in clips], [rendered(clip) for clip in clips]
    low = [rendered(narrow(clip)) for clip in clips]
    print(f"{name}: quantiles {QUANTILES}")
    print(spread("bandwidth, whole", bandwidths(whole)))
    print(spread("bandwidth, through 8 kHz", bandwidths(low)))
    for below_db in (45, 35):
        print(spread(f"the same, noise {below_db} dB below", bandwidths([noisy(clip, below_db) for clip in low])))
    if watermarked:
        print(spread("whole, watermarked", bandwidths(marked(whole[:watermarked]))))
        print(spread("through 8 kHz, watermarked", bandwidths(marked(low[:watermarked]))))
    for limit in BANDWIDTH_LIMITS:
        wrong, found = (sum(value < limit for value in bandwidths(some)) for some in (whole, low))
        print(f"  min_bandwidth_hz {limit:g}: {wrong} of {len(whole)} wrongly, {found} of {len(low)} found")
    print(spread("end, whole", ends(clips)))
    print(spread("end, cut off", ends(cut)))
    for level in END_LIMITS:
        wrong, found = (sum(value > level for value in ends(some)) for some in (clips, cut))
        print(f"  max_end_level_db {level:g}: {wrong} of {len(clips)} wrongly, {found} of {len(cut)} found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=150, help="clips of the offline voices")
    parser.add_argument("--kokoro", type=int, default=40, help="clips of Kokoro, whose model must be in the cache")
    parser.add_argument("--watermark", type=int, default=20, help="clips that are measured with Perth's mark too")
    options = parser.parse_args()
    offline = {voice.engine: load_engine("tts", voice.engine) for voice in load_bank("offline").voices}
    spoken = list(speak("offline", offline, options.clips, seed=1))
    for engine in sorted({engine for engine, _ in spoken}):
        report(engine, [clip for of, clip in spoken if of == engine], 0)
    report("offline voices", [clip for _, clip in spoken], options.watermark)
    if options.kokoro:
        kokoro = {"kokoro": load_engine("tts", "speaker", load_recipe("ke-speechchat-neural").models)}
        report("kokoro", [clip for _, clip in speak("kokoro", kokoro, options.kokoro, seed=2)], options.watermark)


if __name__ == "__main__":
    main()
