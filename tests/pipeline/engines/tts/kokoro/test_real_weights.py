"""Kokoro's real weights heard by the real Whisper base, where the cache has both."""

import numpy as np
import pytest

pytest.importorskip("hibari", reason="needs the extra 'kokoro'")
pytest.importorskip("faster_whisper", reason="needs the extra 'recognizers'")

from pipeline.engines.contract import Clip, SpeechRequest
from pipeline.engines.registry import load_engine
from pipeline.recipes.load import load_recipe
from pipeline.scoring.rates import score
from pipeline.weights.cache import cache_directory, model_directory
from pipeline.weights.table import load_table
from voicebank.bank import load_bank

NEEDED = ("kokoro-82m", "whisper-base")
MISSING = [name for name in NEEDED if not model_directory(cache_directory(), name, load_table()[name]).is_dir()]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not in the cache: `parley models fetch {' '.join(MISSING)}`"),
]

TEXTS = {
    "en": "The old bridge was closed for repairs, so we walked along the river instead.",
    "zh": "老桥在维修，所以我们沿着河边走回家。",
}


def test_averaged_voices_are_understood_in_both_languages() -> None:
    recipe = load_recipe("ke-speechchat-neural")
    speaker, listener = (
        load_engine(kind, name, recipe.models) for kind, name in (("tts", "speaker"), ("asr", "listener"))
    )
    voices = [voice for voice in load_bank("kokoro").voices if voice.agent]
    assert {(voice.language, voice.gender) for voice in voices} >= {("en", "female"), ("zh", "male")}
    requests = [SpeechRequest(TEXTS[voice.language], voice.language, voice, 1.0, 3) for voice in voices]
    clips = speaker.synthesize(requests)
    assert all(isinstance(clip, Clip) and 2 < len(clip.samples) / clip.sample_rate < 9 for clip in clips)
    assert np.array_equal(speaker.synthesize(requests[-1:])[0].samples, clips[-1].samples)
    heard = listener.transcribe(clips, [request.language for request in requests])
    rates = [score(r.text, transcript.text, r.language).rate for r, transcript in zip(requests, heard, strict=True)]
    assert np.mean(rates) < 0.15, list(zip([transcript.text for transcript in heard], rates, strict=True))
