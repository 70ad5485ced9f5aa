"""funasr on tiny model directories in the true format: batches, languages, tags, what the package does silently."""

import logging
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_funasr
import torch
from sounds import SEVERAL, silence, sound

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.asr import funasr as engine
from pipeline.engines.asr.funasr import FunASR, FunASRModel, dithered, open_recognizer, plain, version
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.settings import Local


def model(directory: Path | str, **changes: Any) -> FunASRModel:
    return FunASRModel.model_validate({"engine": "funasr", "model": str(directory), **changes})


@pytest.fixture(scope="module")
def sense(sense_voice: Path) -> FunASR:
    return open_recognizer(model(sense_voice))


@pytest.fixture(scope="module")
def former(paraformer: Path) -> FunASR:
    return open_recognizer(model(paraformer))


def text(result: Transcript | Failure) -> str:
    assert isinstance(result, Transcript), result
    return result.text


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> FunASR:
    return open_recognizer(model(tiny_funasr.make_fun_asr(tmp_path_factory.mktemp("fun-asr"))))


@pytest.mark.parametrize("name", ["sense", "former", "nano"])
def test_a_batch_hears_what_single_clips_say(name: str, request: pytest.FixtureRequest) -> None:
    recognizer: FunASR = request.getfixturevalue(name)
    clips = [*SEVERAL, sound(4, 1200)]
    together = [text(result) for result in recognizer.transcribe(clips, ["zh"] * len(clips))]
    assert together == [text(recognizer.transcribe([clip], ["zh"])[0]) for clip in clips]
    assert together == [text(result) for result in recognizer.transcribe(clips, ["zh"] * len(clips))], "no dither"
    assert len(set(together)) >= 3, "what is heard depends on the clip"


def test_each_language_is_told_to_the_model(sense: FunASR) -> None:
    clip = SEVERAL[1]
    heard = [text(result) for result in sense.transcribe([clip] * 3, ["en", "zh", "cmn"])]
    assert heard[0] != heard[1] == heard[2]
    (unknown,) = sense.transcribe([clip], ["fr"])
    assert isinstance(unknown, Failure) and unknown.reason == Reason.NO_RECOGNIZER
    assert sense.languages == {"zh", "cmn", "en", "yue", "ja", "ko"}


def test_fun_asr_is_told_the_language_in_its_prompt(nano: FunASR, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []
    inner = nano._model.model
    ask = inner.get_prompt
    monkeypatch.setattr(inner, "get_prompt", lambda *given: prompts.append(ask(*given)) or ask(*given))
    nano.transcribe([SEVERAL[0]] * 2, ["zh", "en"])
    assert ["中文" in prompts[0], "英文" in prompts[1]] == [True, True]
    assert all("不进行文本规整" in prompt for prompt in prompts), "numbers stay words"


def test_paraformer_is_for_chinese(former: FunASR) -> None:
    (result,) = former.transcribe([SEVERAL[1]], ["en"])
    assert isinstance(result, Failure) and result.reason == Reason.NO_RECOGNIZER


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<|zh|><|NEUTRAL|><|Speech|><|woitn|>今天天气怎么样", "今天天气怎么样"),
        ("<|en|><|HAPPY|><|Laughter|><|withitn|>Hello there.", "Hello there."),
        ("<|en|><|EMO_UNKNOWN|><|BGM|>a <|zh|> b", "a b"),
        ("", ""),
        ("5 < 6 | 7 > 2", "5 < 6 | 7 > 2"),
    ],
)
def test_tags_are_stripped_and_nothing_takes_their_place(raw: str, expected: str) -> None:
    assert plain(raw) == expected


def test_the_model_writes_tags_and_the_transcript_has_none(sense: FunASR) -> None:
    raw = sense._generate([dithered(clip.samples) for clip in SEVERAL], {"language": "zh"})
    assert any("<|" in row["text"] for row in raw)
    heard = [text(result) for result in sense.transcribe(SEVERAL, ["zh"] * len(SEVERAL))]
    assert all(heard) and not any(re.search(r"[<|>]", one) for one in heard)


@pytest.mark.parametrize("name", ["sense", "former"])
def test_what_would_end_the_process_never_reaches_it(name: str, request: pytest.FixtureRequest) -> None:
    recognizer: FunASR = request.getfixturevalue(name)
    empty = Clip(np.zeros(0, np.float32), 16_000)
    tiny = Clip(np.full(160, 0.1, np.float32), 16_000)
    results = recognizer.transcribe([empty, SEVERAL[0], tiny, silence(1)], ["zh"] * 4)
    assert [isinstance(r, Failure) and r.reason for r in (results[0], results[2])] == [Reason.RECOGNITION_FAILED] * 2
    assert results[1] == recognizer.transcribe([SEVERAL[0]], ["zh"])[0]
    assert results[3] == Transcript("")


def test_a_batch_in_which_paraformer_finds_no_word(tmp_path: Path) -> None:
    recognizer = open_recognizer(model(tiny_funasr.make_paraformer(tmp_path / "deaf", bias=-20.0)))
    assert recognizer.transcribe(SEVERAL[:3], ["zh"] * 3) == [Transcript("")] * 3


def test_a_clip_without_a_word_at_the_end_of_a_batch(former: FunASR, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package raises IndexError then, for the whole batch."""
    calls: list[int] = []
    together = former._decode_together

    def trips(windows: Any) -> Any:
        calls.append(len(windows))
        if len(windows) > 1:
            raise IndexError("index 51 is out of bounds for dimension 0 with size 51")
        return together(windows)

    monkeypatch.setattr(former, "_decode_together", trips)
    results = former.transcribe(SEVERAL[:3], ["zh"] * 3)
    assert calls == [3, 1, 1, 1]
    monkeypatch.undo()
    assert results == [former.transcribe([clip], ["zh"])[0] for clip in SEVERAL[:3]]


def test_a_clip_that_the_package_trips_over_fails_alone(former: FunASR, monkeypatch: pytest.MonkeyPatch) -> None:
    def trips(windows: Any) -> Any:
        raise IndexError("out of bounds")

    monkeypatch.setattr(former, "_decode_together", trips)
    results = former.transcribe(SEVERAL[:2], ["zh"] * 2)
    assert [isinstance(r, Failure) and r.reason for r in results] == [Reason.RECOGNITION_FAILED] * 2


def test_results_that_do_not_belong_to_the_clips_stop_the_engine(
    former: FunASR, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former, "_generate", lambda *_: [{"key": "1", "text": "好"}, {"key": "0", "text": "你"}])
    with pytest.raises(EngineDied, match="2 results for 2 clips"):
        former.transcribe(SEVERAL[:2], ["zh"] * 2)


def test_batches_are_cut_by_seconds(sense_voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = open_recognizer(model(sense_voice, serving=Local(batch_s=7)))
    sizes: list[list[float]] = []
    together = recognizer._decode_together
    monkeypatch.setattr(
        recognizer,
        "_decode_together",
        lambda windows: sizes.append([w.seconds for w in windows]) or together(windows),
    )
    recognizer.transcribe([sound(s) for s in (1, 3, 2, 3, 1)], ["zh"] * 5)
    assert sizes == [[3, 3], [2, 1, 1]]


def test_nothing_of_the_process_changes(sense_voice: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    threads, level = torch.get_num_threads(), logging.getLogger().level
    expected = (
        random.Random(5).random(),
        np.random.RandomState(5).rand(),
        torch.rand(1, generator=_generator(5)).item(),
    )
    recognizer = open_recognizer(model(sense_voice))
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == expected
    recognizer.transcribe([SEVERAL[0]], ["zh"])
    assert (torch.get_num_threads(), logging.getLogger().level) == (threads, level)
    out, err = capfd.readouterr()
    assert out == "" and str(sense_voice) not in err


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spoil(directory: Path, how: str) -> None:
    weights = directory / "model.pt"
    state = torch.load(weights)
    if how == "no weights":
        weights.unlink()
    elif how == "weights missing":
        torch.save({name: value for name, value in state.items() if "encoders." not in name}, weights)
    elif how == "other shapes":
        torch.save({name: value[..., :1] if value.dim() > 1 else value for name, value in state.items()}, weights)
    elif how == "not a model":
        weights.write_bytes(b"no weights at all")
    else:
        (directory / "config.yaml").unlink()


@pytest.mark.parametrize("how", ["no weights", "weights missing", "other shapes", "not a model", "no config"])
def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Path, how: str) -> None:
    directory = tiny_funasr.make_paraformer(tmp_path / "private" / "model-x")
    spoil(directory, how)
    with pytest.raises(EngineUnavailable, match=r"no checkpoint could be loaded as model-x@unpinned") as caught:
        open_recognizer(model(directory))
    assert "private" not in str(caught.value)


def test_a_model_without_support_is_refused(sense_voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FAMILIES", {"Paraformer": engine.FAMILIES["Paraformer"]})
    with pytest.raises(EngineUnavailable, match="models of the kind SenseVoiceSmall are not supported"):
        open_recognizer(model(sense_voice))


def test_a_device_that_is_not_there_is_no_reason_to_take_another(sense_voice: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(EngineUnavailable, match=r"funasr cannot run on .cuda:0."):
        open_recognizer(model(sense_voice, serving=Local(device="cuda:0")))


def test_dither_is_one_step_of_16_bits_and_always_the_same() -> None:
    samples = np.zeros(16_000, np.float32)
    noise = dithered(samples)
    assert np.array_equal(noise, dithered(samples)) and noise.dtype == np.float32
    assert noise.std() * 32768 == pytest.approx(1, rel=0.05)


def test_the_version_names_the_model_but_no_path(sense_voice: Path) -> None:
    stated = version(model(sense_voice, revision="v2", itn=True))
    assert re.fullmatch(r"[\w-]+@v2 funasr [\d.]+ itn=on", stated) and str(sense_voice.parent) not in stated
