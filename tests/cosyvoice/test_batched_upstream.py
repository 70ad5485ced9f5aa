"""Many utterances at once say what upstream's own loop says, given the same random numbers, whatever their company."""

from typing import Any

import numpy as np
import pytest
from speaking import LONG, TEXT, ask, inner, named, prompted, speak, virtual

from pipeline.engines.contract import Clip, Failure
from pipeline.engines.tts.cosyvoice.batched.decoder import without_long_silence
from pipeline.engines.tts.cosyvoice.batched.mel import SpokenPiece
from pipeline.engines.tts.cosyvoice.batched.sampling import TokenDraws, parameters_of
from pipeline.engines.tts.cosyvoice.batched.synthesizer import BatchedSynthesizer

REQUESTS = [
    ask(virtual(1)),
    ask(prompted(), "hi"),
    ask(named(), "one more here", seed=9),
    ask(virtual(2), "this is somewhat longer than the others are", seed=11),
    ask(virtual(3), "no", seed=12),
]


@pytest.fixture(scope="module")
def batched(open_engine: Any) -> BatchedSynthesizer:
    return open_engine(decoder="batched", serving={"batch": 3})


def heard_tokens(engine: Any, requests: Any) -> list[list[int]]:
    """The tokens that the flow is given, in the order in which they are decoded."""
    made: list[list[int]] = []
    decode = engine.decoder.decode
    engine.decoder.decode = lambda *given: made.extend(decode(*given)) or made
    try:
        engine.synthesize(requests)
    finally:
        engine.decoder.decode = decode
    return made


def upstreams_tokens(engine: Any, request: Any) -> list[int]:
    """What upstream's loop decodes for one request, with our random numbers and our sampler for one row."""
    import torch

    model = inner(engine)
    parameters, draws = parameters_of(model.llm.sampling), TokenDraws(request.seed, 0)
    assert parameters is not None

    def sampling(scores: Any, said: list[int], _: int) -> int:
        recent = ([-1] * parameters.window + said)[-parameters.window :]
        uniform = torch.from_numpy(draws.two())[None]
        return int(parameters.choose(scores[None], torch.tensor([recent]), uniform)[0])

    frontend, own = engine._upstream.frontend, model.llm.sampling
    model.llm.sampling = sampling
    try:
        with engine._timbres.registered(engine._timbres.entry(request)[1]) as name:
            (text,) = frontend.text_normalize(request.text, split=True)
            given = frontend.frontend_zero_shot(text, "", None, engine.sample_rate, name)
        nothing = torch.zeros(1, 0, dtype=torch.int32)
        before, speech = given.get("prompt_text", nothing), given.get("llm_prompt_speech_token", nothing)
        return list(
            model.llm.inference(
                text=given["text"],
                text_len=torch.tensor([given["text"].shape[1]], dtype=torch.int32),
                prompt_text=before,
                prompt_text_len=torch.tensor([before.shape[1]], dtype=torch.int32),
                prompt_speech_token=speech,
                prompt_speech_token_len=torch.tensor([speech.shape[1]], dtype=torch.int32),
                embedding=given["llm_embedding"],
            )
        )
    finally:
        model.llm.sampling = own


def test_the_tokens_are_those_of_upstreams_loop(batched: Any) -> None:
    together = heard_tokens(batched, REQUESTS)
    expected = [upstreams_tokens(batched, request) for request in REQUESTS]
    assert sorted(together) == sorted(expected)
    assert len({tuple(tokens) for tokens in together}) == len(REQUESTS)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_company_changes_nothing(open_engine: Any, batched: Any, count: int) -> None:
    other = open_engine(decoder="batched", serving={"batch": count})
    assert heard_tokens(other, REQUESTS) == heard_tokens(batched, REQUESTS)
    for request, clip in zip(REQUESTS, other.synthesize(REQUESTS), strict=True):
        np.testing.assert_allclose(speak(batched, request), clip.samples, atol=2e-4)


def test_the_flow_of_a_batch_is_upstreams_flow(batched: Any, version: int) -> None:
    if version == 1:
        pytest.skip("version 1 goes through upstream's flow piece by piece")
    embedded = {"flow_embedding": batched._timbres.entry(ask(virtual()))[1]["flow_embedding"]}
    known = batched._timbres.entry(ask(prompted()))[1]
    pieces = [
        SpokenPiece(([5, 9, 20, 33, 1, 2] * 4)[:length], inputs, 1.0)
        for length, inputs in [
            (18, embedded),
            (24, known),
            (24, embedded),
            (22, embedded),
            (12, known),
            (21, embedded),
        ]
    ]
    import torch

    with torch.inference_mode():
        for number, mel in batched._mels.many(pieces):
            before = pieces[number].inputs.get("prompt_speech_feat", np.zeros((1, 0))).shape[1]
            torch.testing.assert_close(mel[:, :, before:], batched._mels.one(pieces[number]), atol=2e-4, rtol=1e-3)


def test_the_vocoder_of_a_batch_is_upstreams_vocoder(batched: Any, version: int) -> None:
    import torch

    vocoder, hift = batched._vocoder, inner(batched).hift
    mels = [torch.randn(1, 80, frames) for frames in (30, 33, 29, 33, 31)]
    with torch.inference_mode():
        excited, expected = [], []
        for mel in mels:
            torch.manual_seed(mel.shape[2])
            excited.append(vocoder.excite(mel, 1.0))
            torch.manual_seed(mel.shape[2])
            expected.append(hift.inference(speech_feat=mel)[0][0].numpy())
        assert [len(batch) for batch in vocoder.batches(excited)] == [5]
        for made, alone in zip(vocoder.samples(excited), expected, strict=True):
            assert np.abs(alone).max() > 1e-3
            np.testing.assert_allclose(made, alone, atol=1e-4)


def test_one_that_fails_leaves_the_others_as_they_were(batched: Any) -> None:
    bad = [ask(named("nobody")), ask(virtual(), "<|endofprompt|>"), ask(virtual(rate=9.0))]
    mixed = batched.synthesize([bad[0], REQUESTS[0], bad[1], REQUESTS[3], bad[2]])
    assert [isinstance(result, Failure) for result in mixed] == [True, False, True, False, True]
    np.testing.assert_allclose(mixed[1].samples, speak(batched, REQUESTS[0]), atol=2e-4)
    np.testing.assert_allclose(mixed[3].samples, speak(batched, REQUESTS[3]), atol=2e-4)


def test_a_prompt_that_raises_fails_its_request_alone(batched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = batched.decoder._steps.begin
    calls = iter(range(100))

    def failing(*given: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("no such layer")
        return begin(*given)

    monkeypatch.setattr(batched.decoder._steps, "begin", failing)
    results = batched.synthesize(REQUESTS)
    assert [result.detail for result in results if isinstance(result, Failure)] == ["RuntimeError: no such layer"]
    assert sum(isinstance(result, Clip) for result in results) == len(REQUESTS) - 1


def test_long_texts_are_spoken_piece_by_piece(batched: Any) -> None:
    (whole,) = batched.synthesize([ask(virtual(), LONG * 2)])
    assert isinstance(whole, Clip)
    assert len(heard_tokens(batched, [ask(virtual(), LONG * 2)])) > 1


def test_rate_is_the_speed(batched: Any) -> None:
    plain, fast = speak(batched, ask(virtual())), speak(batched, ask(virtual(rate=1.25), rate=1.2))
    assert len(fast) / len(plain) == pytest.approx(1 / 1.5, abs=0.05)


def test_the_seed_is_the_take_and_the_process_keeps_its_generators(batched: Any) -> None:
    import torch

    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, again, other = (speak(batched, ask(virtual(), TEXT, seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])


def test_only_a_few_silent_tokens_in_a_row_are_kept() -> None:
    assert without_long_silence([1] * 9 + [3, 1, 1], [1, 2]) == [1] * 5 + [3, 1, 1]
