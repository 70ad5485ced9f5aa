"""Each version speaks with each kind of voice, as upstream's own methods would."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from speaking import (
    LONG,
    TEXT,
    ask,
    inner,
    inputs_of,
    named,
    pieces_of,
    prompted,
    recording,
    speak,
    tokens_of,
    vector,
    virtual,
)
from tiny_cosyvoice import NAMED_SPEAKER, SAMPLE_RATES

from pipeline.engines.contract import Clip
from pipeline.engines.tts.cosyvoice.modes import END_OF_PROMPT, SYSTEM_PROMPT

SYSTEM = {1: "", 2: "", 3: SYSTEM_PROMPT + END_OF_PROMPT}


def test_a_bank_embedding_reaches_the_networks_as_the_version_has_it(engine: Any, version: int) -> None:
    layers = {"flow": inner(engine).flow.spk_embed_affine_layer}
    if version == 1:
        layers["llm"] = inner(engine).llm.spk_embed_affine_layer
    for layer in layers.values():
        with inputs_of(layer) as seen:
            speak(engine, ask(virtual(4)))
        assert len(seen) == 1
        np.testing.assert_allclose(seen[0], vector(4)[None], atol=1e-6)
    assert hasattr(inner(engine).llm, "spk_embed_affine_layer") == (version == 1)


def test_an_embedding_brings_no_prompt(engine: Any, version: int) -> None:
    with pieces_of(engine) as sent:
        speak(engine, ask(virtual()))
    assert set(sent[0]) - {"prompt_text", "prompt_text_len"} == {
        "text", "text_len", "llm_embedding", "flow_embedding", "stream", "speed",
    }  # fmt: skip
    assert ("prompt_text" in sent[0]) == (version == 3)


def test_the_language_model_of_the_first_version_alone_hears_the_voice(engine: Any, version: int) -> None:
    with tokens_of(engine) as heard:
        speak(engine, ask(virtual(1)))
        speak(engine, ask(virtual(2)))
    assert (heard[0] != heard[1]) == (version == 1)


def test_the_voice_changes_the_audio_and_the_seed_the_take(engine: Any, version: int) -> None:
    one, again = (speak(engine, ask(virtual(1))) for _ in range(2))
    other, take = speak(engine, ask(virtual(2))), speak(engine, ask(virtual(1), seed=6))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, take)


def test_a_clip_depends_on_its_request_alone(engine: Any) -> None:
    requests = [ask(virtual(1)), ask(prompted(), "hi"), ask(named()), ask(virtual(2), "one more here")]
    together = engine.synthesize(requests)
    for request, clip in zip(requests, together, strict=True):
        np.testing.assert_array_equal(speak(engine, request), clip.samples)


def test_the_generators_of_the_process_are_left_as_they_were(engine: Any) -> None:
    import torch

    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    speak(engine, ask(virtual()))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])
    assert before[2] == random.getstate()


UPSTREAMS_OWN = {
    "named speaker": (named(), "en", lambda up, system: up.inference_sft(system + TEXT, NAMED_SPEAKER)),
    "recording": (
        prompted(),
        "en",
        lambda up, system: up.inference_zero_shot(TEXT, system + "this is what was said.", recording()),
    ),
    "recording, another language": (
        prompted(),
        "zh",
        lambda up, system: up.inference_cross_lingual(system + TEXT, recording()),
    ),
    "recording without its text": (
        prompted(prompt_text=None),
        "en",
        lambda up, system: up.inference_cross_lingual(system + TEXT, recording()),
    ),
}


@pytest.mark.parametrize("case", UPSTREAMS_OWN)
def test_the_model_is_given_what_upstreams_own_method_gives_it(engine: Any, version: int, case: str) -> None:
    import torch

    voice, language, own = UPSTREAMS_OWN[case]
    voice = replace(voice, prompt_text="this is what was said.") if voice.prompt_text else voice
    with pieces_of(engine) as sent:
        speak(engine, ask(voice, language=language))
        torch.manual_seed(0)  # upstream's method draws from the process's generator; random weights may end at once
        list(own(engine._upstream, SYSTEM[version]))
    assert len(sent) == 2
    assert told(sent[0]) == told(sent[1])


def told(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs as lists; what is read before the text, and the text, as one: upstream puts them together."""
    lists = {name: value.tolist() for name, value in inputs.items() if hasattr(value, "tolist")}
    before = lists.pop("prompt_text", [[]])[0]
    for name in ("prompt_text_len", "text_len"):
        lists.pop(name, None)
    return {**lists, "text": before + lists["text"][0]}


@pytest.mark.parametrize("voice", [virtual(), prompted()], ids=["embedding", "recording"])
def test_an_instruction_is_given_as_upstreams_own_method_does(open_engine: Any, version: int, voice: Any) -> None:
    engine = open_engine(instruct="Speak slowly.")
    (result,) = engine.synthesize([ask(voice)])
    if (version == 1) == (voice.embedding is None):
        assert "instructions" in result.detail
        return
    text = (SYSTEM_PROMPT + " " if version == 3 else "") + "Speak slowly." + END_OF_PROMPT
    upstream = engine._upstream
    with pieces_of(engine) as sent:
        speak(engine, ask(voice))
        if version == 1:
            with engine._timbres.registered({"embedding": sent[0]["flow_embedding"]}) as name:
                list(upstream.inference_instruct(TEXT, name, text))
        else:
            list(upstream.inference_instruct2(TEXT, text, recording()))
    assert told(sent[0]) == told(sent[1])
    assert ("llm_embedding" in sent[0]) == (version > 1)


def test_all_pieces_of_a_long_text_are_spoken(open_engine: Any, engine: Any, version: int) -> None:
    model, made = inner(engine), []
    original = model.token2wav
    model.token2wav = lambda *args, **inputs: made.append(original(*args, **inputs)) or made[-1]
    try:
        samples = speak(engine, ask(virtual(), LONG * 2))
    finally:
        model.token2wav = original
    assert len(made) > 1
    np.testing.assert_array_equal(samples, np.concatenate([piece.numpy().reshape(-1) for piece in made]))
    with pieces_of(uncut := open_engine(text_frontend=False)) as sent:
        speak(uncut, ask(virtual(), "One. Two. Three."))
    assert len(sent) == 1


def test_rate_of_voice_and_request_is_the_speed(engine: Any, version: int) -> None:
    plain = speak(engine, ask(virtual()))
    fast = speak(engine, ask(virtual(rate=1.25), rate=1.2))
    assert len(fast) / len(plain) == pytest.approx(1 / 1.5, abs=0.05)


def test_the_rate_in_hertz_is_the_models(engine: Any, version: int) -> None:
    (clip,) = engine.synthesize([ask(virtual())])
    assert isinstance(clip, Clip)
    assert (clip.sample_rate, clip.samples.dtype, clip.samples.ndim) == (SAMPLE_RATES[version], np.float32, 1)


def test_the_language_model_sees_all_that_it_said(engine: Any, version: int) -> None:
    """Step by step with a cache, as upstream decodes, or in one go: the same, in full precision."""
    import torch

    if version == 1:
        pytest.skip("version 1 has a language model of its own, not that of transformers")
    encoder = inner(engine).llm.llm
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    drawn = torch.randn(1, 9, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = encoder.model(inputs_embeds=drawn, output_hidden_states=True).hidden_states[-1]
        cache, steps = None, [drawn[:, :4], *(drawn[:, i : i + 1] for i in range(4, 9))]
        for end, step in zip(range(4, 10), steps, strict=True):
            mask = torch.ones(1, step.shape[1], step.shape[1]).tril().bool()
            seen, cache = encoder.forward_one_step(step, mask, cache)
            torch.testing.assert_close(seen[:, -1], whole[:, end - 1], atol=1e-4, rtol=1e-4)
