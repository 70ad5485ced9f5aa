"""Speech tokens as an attack on the mark."""

from typing import Any, cast

import numpy as np
import pytest

from manifests.errors import UserError
from pipeline.audit.corpus_view import CorpusView
from pipeline.audit.tokens import token_attacks
from pipeline.engines.contract import Clip
from pipeline.engines.tokenizer.tone import ToneTokenizer
from pipeline.engines.watermark.tone_mark import ToneWatermarker


class View:
    def __init__(self, engine: Any) -> None:
        self.engines = {("tokenizer", "mine"): engine}


def view(engine: Any) -> CorpusView:
    return cast(CorpusView, View(engine))


def test_tokens_carry_no_mark() -> None:
    times = np.arange(22_050) / 22_050
    clip = Clip((0.2 * np.sin(2 * np.pi * 800 * times)).astype(np.float32), 22_050)
    marker = ToneWatermarker()
    (marked,) = marker.embed([clip], [0])
    assert isinstance(marked, Clip)
    (attack,) = token_attacks(view(ToneTokenizer()), ["mine"])
    attacked = attack.apply(marked)
    assert attacked is not None and len(attacked.samples) == len(clip.samples) and attacked.sample_rate == 22_050
    before, after = (found.score for found in marker.detect([marked, attacked]) if hasattr(found, "score"))
    assert (attack.name, before > 0.9, after < 0.1) == ("tokens-mine", True, True)
    assert attack.apply(Clip(clip.samples[:0], 22_050)) is None


def test_a_tokenizer_without_a_decoder_is_refused() -> None:
    engine = ToneTokenizer()
    engine.decodes = False
    with pytest.raises(UserError, match=r"mine \(tone\) does not decode"):
        token_attacks(view(engine), ["mine"])
