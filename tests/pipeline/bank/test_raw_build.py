"""Building a bank with embeddings whose length is kept, beside x-vectors of another encoder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from manifests.errors import RecipeError
from manifests.storage import open_place
from pipeline.bank.recipe import embedding_overrides, load_bank_recipe
from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.registry import ENGINES
from tests.doubles import double
from tests.pipeline.bank.bank_corpora import build, people, register_doubles, write_corpus
from tests.pipeline.bank.doubles.bank_engines import BandEncoder
from voicebank.tables import has_raw_embeddings, read_speakers


class Raw:
    """The bands of a clip, as long as the sum of its samples' magnitudes: each clip of a person has its own length."""

    name, version, dimension = "raw", "1", BandEncoder.dimension

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [
            vector if isinstance(vector, Failure) else vector * np.float32(np.abs(clip.samples).sum())
            for clip, vector in zip(clips, BandEncoder().encode(clips), strict=True)
        ]


def version(model: object = None) -> str:
    return "1"


@pytest.fixture(autouse=True)
def _engines(monkeypatch: pytest.MonkeyPatch) -> None:
    register_doubles(monkeypatch)
    declared = replace(double("encoder", "raw", __name__, "Raw"), keeps_norm=True)
    monkeypatch.setitem(ENGINES.added, ("encoder", "raw"), declared)


def test_the_length_is_the_mean_of_the_clips(tmp_path: Path) -> None:
    out, corpus = tmp_path / "bank", write_corpus(tmp_path / "corpus", people(4))
    card = build(corpus, out, embedding={"encoder": "raw"})
    assert card["embedding"] == {"engine": "raw", "label": "1", "dimension": 64, "raw": True}
    assert has_raw_embeddings(open_place(out))
    for index, speaker in enumerate(read_speakers(open_place(out))):
        assert speaker.embedding is not None
        lengths = [np.abs(soundfile.read(clip)[0]).sum() for clip in corpus.glob(f"r{index:02d}-*.wav")]
        assert len(set(lengths)) == 4
        assert np.linalg.norm(speaker.embedding) == pytest.approx(np.mean(lengths), rel=1e-4)
        assert np.linalg.norm(speaker.xvector) == pytest.approx(1)
        assert np.allclose(speaker.embedding / np.linalg.norm(speaker.embedding), speaker.xvector, atol=1e-5)


def test_it_does_not_tell_people_apart(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(2))
    with pytest.raises(RecipeError, match="the encoder raw conditions a synthesizer"):
        build(corpus, tmp_path / "bank", pair_rule={"encoder": "raw"})


def test_an_encoder_is_named_as_a_model_as_an_engine_or_with_its_model() -> None:
    def encoder(recipe: str, named: str) -> object:
        return load_bank_recipe(recipe, embedding_overrides(recipe, named)).embedding.encoder

    assert encoder("qwen3-bank", "qwen3-tts") == encoder("qwen3-bank", "qwen3-speakers") == "qwen3-speakers"
    assert encoder("packaged-bank", "resemblyzer") == "resemblyzer"
    recipe = load_bank_recipe("ke-bank", embedding_overrides("ke-bank", "qwen3-tts=/models/a: b #1"))
    assert recipe.embedding.encoder == "qwen3-tts-embeddings" and recipe.has_raw_embeddings
    assert getattr(recipe.models["qwen3-tts-embeddings"], "model", None) == "/models/a: b #1"
    assert not load_bank_recipe("ke-bank").has_raw_embeddings
