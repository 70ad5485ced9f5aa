"""The recipes after papers that describe sequences: what the sources say stands in them, and a dry run reaches the
exporter."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.corpus import Corpus
from manifests.forms.interruption import tail_frame
from manifests.forms.omniflatten import SILENT_SPEECH, SILENT_TEXT, Chunks, speech_code, streams_of
from manifests.forms.snac import snac_books
from parley.testing.exports import export_to
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.stages.align import AlignSettings
from pipeline.stages.arrange import ArrangeSettings
from pipeline.stages.mix import MixSettings
from pipeline.stages.overlap import OverlapSettings
from pipeline.stages.screen import ScreenSettings
from pipeline.stages.tokenize import TokenizeSettings
from tests.pipeline.engines.tokenizer import tiny_checkpoints
from tests.pipeline.tone_job import make_job, run_tone

NAMES = ("omniflatten", "syncllm", "speechgpt", "spirit-lm")


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}-offline" for name in NAMES)])
def test_the_recipe_ships_and_makes_tokens(name: str) -> None:
    recipe = load_recipe(name)
    assert name in shipped_recipes() and list(recipe.stages)[-2:] == ["tokenize", "gate"]
    assert recipe.section(TokenizeSettings).engine == (("tone",) if name.endswith("-offline") else ("units",))
    assert (recipe.exchanges == "first") == name.startswith("speechgpt"), "a chain has one exchange"
    assert ("align" in recipe.stages) == name.startswith(("syncllm", "spirit-lm"))


@pytest.mark.parametrize("name", ["omniflatten", "omniflatten-offline"])
def test_omniflatten_is_as_the_source_says(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.texts.answer_limit == recipe.section(ScreenSettings).max_words == 200
    assert recipe.section(ArrangeSettings).profile == "omniflatten"
    mix = recipe.section(MixSettings)
    assert mix.noise is not None and mix.noise.snr_db == (15, 25) and mix.noise.share == 1
    assert (mix.room, mix.gain, mix.echo, mix.telephone) == (None,) * 4, "noise alone"


@pytest.mark.parametrize("name", ["mini-omni2-interrupt", "mini-omni2-interrupt-offline"])
def test_interruptions_are_as_the_source_says(name: str) -> None:
    recipe = load_recipe(name)
    assert name in shipped_recipes() and list(recipe.stages)[-2:] == ["tokenize", "gate"]
    overlap, tail = recipe.section(OverlapSettings), recipe.section(ArrangeSettings).tail
    assert overlap.stop_phrase and overlap.barge_in == 1
    assert tail is not None and tail.histogram is not None
    assert (tail.histogram.low_s, tail.histogram.width_s, tail.histogram.counts) == (0, 10, (1,))
    noise, tokenize = recipe.section(MixSettings).noise, recipe.section(TokenizeSettings)
    assert noise is not None and noise.streamed is not None and noise.share == 1
    assert tokenize.of == "tracks" and tokenize.engine == (noise.streamed.engine,)


def test_moshis_channel_is_as_the_source_says() -> None:
    recipe = load_recipe("moshi")
    mix, offline = recipe.section(MixSettings), load_recipe("moshi-offline").section(MixSettings)
    assert mix.gain is not None and (mix.gain.share, mix.gain.db) == (0.5, (-24, 15))
    assert mix.echo is not None and (mix.echo.share, mix.echo.scale, mix.echo.delay_ms) == (0.3, (0, 0.2), (100, 500))
    assert mix.room is not None and mix.room.with_echo
    assert mix.noise is not None and (mix.noise.share, mix.noise.snr_db) == (0.3, (-6, 30))
    turns = mix.noise.alternating
    assert turns is not None and (turns.share, turns.silence_s) == (0.5, (0, 30))
    assert (offline.gain, offline.echo) == (mix.gain, mix.echo)
    assert offline.noise is not None and offline.noise.snr_db == mix.noise.snr_db
    assert recipe.section(AlignSettings).required and "overlap" in recipe.stages


def test_a_job_of_interruptions_has_states_up_to_the_phrase_and_behind_it(tmp_path: Path) -> None:
    """Tones, with noise through a SNAC of random weights: golden states, from the times of the rows themselves."""
    pytest.importorskip("snac")
    (tmp_path / "snac").mkdir()
    tiny_checkpoints.snac(tmp_path / "snac")
    answer = "It is a quiet city by the sea, and many people go there in summer to swim and to rest."
    rows = [{"instruction": f"What is the capital of country {i}?", "output": answer} for i in range(3)]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    others = "user_backchannels agent_backchannels false_start self_correction pause aside background silence"
    no_others = ", ".join(f"{name}: 0" for name in others.split())
    stages = (
        f"models.codec={{engine: snac, model: {tmp_path / 'snac'}}}",
        f"overlap={{barge_in: 1, stop_phrase: true, {no_others}}}",
        "align={engine: synthesizer}",
        "arrange={tail: {histogram: {low_s: 0, width_s: 10, counts: [1]}}}",
        "mix={noise: {made: [white], snr_db: [30, 30], streamed: {engine: codec}}}",
        "tokenize={engine: codec, of: tracks}",
        "gate.ladder=[]",
    )
    run_tone(make_job(str(tmp_path / "in.json"), *stages), tmp_path / "corpus")
    corpus = Corpus(str(tmp_path / "corpus"))
    assert len(corpus) == 3
    result, out = export_to("mini-omni2-interrupt", {"train": corpus}, tmp_path / "out")
    assert (result.written, dict(result.refused)) == (3, {})
    for dialogue, line in zip(corpus, (out / "train.jsonl").read_text().splitlines(), strict=True):
        row, timeline, phrase = json.loads(line), dialogue.timeline, dialogue.turns[-1]
        assert timeline is not None and phrase.text == "Stop Omni." and dialogue.turns[1].unsaid
        [end] = [event.end_sample for event in timeline.events if event.turn == 2 and event.kind == "turn"]
        frames = -(-timeline.num_samples * 24_000 // 16_000 // 2048)
        assert len(row["states"]) == len(snac_books(row["snac"])[0]) == frames
        assert abs(tail_frame(row["states"]) - end / 16_000 / (2048 / 24_000)) <= 0.5
        [tail_s] = [draw.value for draw in timeline.draws if draw.name == "tail_s"]
        assert abs(row["states"].count("irq") * 2048 / 24_000 - (timeline.num_samples - end) / 16_000) <= 0.09
        assert timeline.num_samples - end >= tail_s * 16_000


def test_chains_have_short_answers() -> None:
    assert load_recipe("speechgpt").texts.answer_limit == 35


def test_a_job_of_two_channels_is_flattened(tmp_path: Path) -> None:
    """Tones, from the text to the tokens of both channels, by the stages and the profile of the recipe."""
    rows = [{"instruction": f"What is the capital of country {i}?", "output": f"It is city {i}."} for i in range(2)]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    stages = ("arrange={profile: omniflatten}", "mix={}", "tokenize={engine: tone, of: both}")
    run_tone(make_job(str(tmp_path / "in.json"), *stages), tmp_path / "corpus")
    corpus = Corpus(str(tmp_path / "corpus"))
    assert len(corpus) == 2
    settings = {"tokenizer": "tone:5", "text_tokenizer": "characters", "characters_per_token": 4.0}
    result, out = export_to("omniflatten", {"train": corpus}, tmp_path / "out", **settings)
    assert (result.written, dict(result.refused)) == (2, {})
    for dialogue, row in zip(corpus, pq.read_table(out / "data").to_pylist(), strict=True):
        streams = streams_of(row["tokens"], Chunks(10, 2))
        assert dialogue.timeline is not None and dialogue.timeline.duration_s * 50 <= len(streams.user)
        said = [number for number, token in enumerate(streams.agent) if token != SILENT_SPEECH]
        agent = dialogue.turns[1]
        [spoken] = [event for event in dialogue.timeline.events if (event.kind, event.turn) == ("turn", 1)]
        assert abs(said[0] - spoken.start_sample / 320) <= 1 and len(said) == said[-1] - said[0] + 1
        assert abs(len(said) - (spoken.end_sample - spoken.start_sample) / 320) <= 1
        assert agent.take is not None and agent.take.tokens[0].tokenizer == "tone"
        codes = [speech_code(streams.agent[frame]) for frame in said]
        assert len(set(codes)) > 2, "tones of several characters"
        text = [token for token in streams.text if token != SILENT_TEXT]
        assert "".join(text) == agent.text
        assert streams.text.index(text[0]) == 2 * (said[0] // 10)
