"""The dialects of speech servers: what is sent, to servers that refuse what the real ones refuse; what comes back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from manifests.errors import RecipeError, UserError
from manifests.reasons import Reason
from manifests.schema import Style
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts._dialects.compose import body, embedding_problem, merged
from pipeline.engines.tts._dialects.dialect import load_dialect, shipped_dialects
from pipeline.engines.tts.openai_speech import OpenAISpeech, OpenAISpeechModel, version
from tests.servers.audio_asking import serving, speech
from tests.servers.dialect_jobs import EMBEDDED, NAMED, embedding, recording, voices_for
from tests.servers.dialect_rules import RULES, SCRIPT_RULES
from tests.servers.scripted_audio import ScriptedAudioServer
from tests.servers.strict_speech import MODEL, StrictSpeech
from tests.tables import each_row
from voicebank.voice import Voice

TEXT = "Rivers run to the sea."


def request(voice: Voice, **more: Any) -> SpeechRequest:
    asked = {"text": TEXT, "language": "en", "rate": 1.0, "seed": 2**31 + 5} | more
    return SpeechRequest(voice=voice, **asked)


@contextmanager
def engine(server: StrictSpeech, dialect: str, model: str = MODEL, **more: Any) -> Iterator[OpenAISpeech]:
    with speech(server.url, model, dialect=dialect, **more) as opened:
        yield opened


def raw_voice(dialect: str) -> Voice:
    return voices_for(dialect, length=9.0)[0]


def test_every_dialect_has_a_strict_server() -> None:
    assert sorted(RULES | SCRIPT_RULES) == shipped_dialects()
    assert sorted(SCRIPT_RULES) == [name for name in shipped_dialects() if load_dialect(name).script]


@pytest.mark.parametrize("dialect", sorted(RULES))
def test_a_strict_server_takes_what_the_dialect_sends(dialect: str) -> None:
    with StrictSpeech(dialect) as server, engine(server, dialect, send_reference=None) as mouth:
        (clip,) = mouth.synthesize([request(raw_voice(dialect), language="zh")])
    assert isinstance(clip, Clip), clip
    assert server.speeches[0]["input"] == TEXT


SENT = {
    "openai": {"voice": "vivian"},
    "vllm-omni-qwen3-tts-base": {"task_type": "Base", "language": "English", "seed": 5, "speaker_embedding": 2048},
    "vllm-omni-qwen3-tts-customvoice": {
        "task_type": "CustomVoice",
        "voice": "vivian",
        "language": "English",
        "seed": 5,
        "instructions": "softly",
    },
    "vllm-omni-cosyvoice3": {"ref_audio": "data", "ref_text": "This is number 0.", "seed": 5},
    "vllm-omni-zonos2": {"speaker_embedding": 2048, "language": "en", "seed": 5},
    "vllm-omni-moss-tts": {"ref_audio": "data", "ref_text": "This is number 0.", "language": "English", "seed": 5},
    "vllm-omni-vibevoice": {"ref_audio": ["data"]},
    "vllm-omni-indextts2": {
        "ref_audio": "data",
        "seed": 5,
        "extra_params": {"emo_text": "softly", "use_emo_text": True},
    },
    "sglang-omni": {
        "references": [{"audio_path": "data", "text": "This is number 0."}],
        "language": "English",
        "seed": 5,
        "instructions": "softly",
    },
    "kokoro-fastapi": {"voice": "vivian", "lang_code": "a", "stream": False},
    "speaches": {"voice": "vivian"},
}


@pytest.mark.parametrize("name", sorted(SENT))
def test_the_whole_body_of_each_dialect(name: str) -> None:
    dialect = load_dialect(name)
    model = OpenAISpeechModel(engine="openai-speech", model=MODEL, dialect=name)
    style = Style("softly") if "softly" in json.dumps(SENT[name]) else None
    sent = {what: dialect.sends(what, None, None, False) for what in dialect.fields}
    base = {"model": model.model, "response_format": "wav"}
    found = body(dialect, request(raw_voice(name), style=style), 1.0, sent, base, {})
    expected = {"model": MODEL, "response_format": "wav", "input": TEXT} | SENT[name]
    if "speaker_embedding" in found:
        assert all(isinstance(number, float) for number in found["speaker_embedding"])
        found["speaker_embedding"] = len(found["speaker_embedding"])
    data = json.dumps(found)
    start = data.find("data:audio/wav;base64,")
    if start >= 0:
        found = json.loads(data[:start] + "data" + data[data.index('"', start) :])
    assert found == expected


BASE, ZONOS, COSY = "vllm-omni-qwen3-tts-base", "vllm-omni-zonos2", "vllm-omni-cosyvoice3"
CLIP = {"prompt_audio": recording(0)}


@each_row(
    ("dialect", "voice", "sentence"),
    [
        pytest.param(ZONOS, {"embedding": embedding(0, 512)}, "of 512 numbers, and .* takes 2048", id="width"),
        pytest.param(BASE, {"embedding": embedding(0)}, "of length 1, and the server's model takes", id="norm 1"),
        pytest.param(ZONOS, {}, "is a name, and the server takes an embedding or a recording", id="a name"),
        pytest.param(COSY, CLIP, "without its words", id="no text"),
        pytest.param(COSY, {"embedding": embedding(0)}, "is an embedding; .* takes recordings only", id="no clip"),
        pytest.param("kokoro-fastapi", CLIP, "is a recording; the server takes names", id="a clip for a name"),
        pytest.param(ZONOS, {"embedding": embedding(0) * np.nan}, "a NaN or an infinite value", id="NaN"),
    ],
)
def test_a_voice_that_does_not_fit_is_refused_before_anything_is_sent(
    dialect: str, voice: dict[str, Any], sentence: str
) -> None:
    bad = Voice("v-bad", "openai-speech", "bad", "mul", "female", **voice)
    with StrictSpeech(dialect) as server, engine(server, dialect) as mouth, pytest.raises(UserError, match=sentence):
        mouth.synthesize([request(raw_voice(dialect)), request(bad)])
    assert server.speeches == []


def test_the_width_depends_on_the_model() -> None:
    base = load_dialect("vllm-omni-qwen3-tts-base")
    small = Voice("v", "openai-speech", "v", "mul", "female", embedding=embedding(0, 1024, 7.0))
    assert embedding_problem(base, small, "Qwen/Qwen3-TTS-12Hz-0.6B-Base") is None
    assert "takes 2048" in (embedding_problem(base, small, "Qwen/Qwen3-TTS-12Hz-1.7B-Base") or "")
    assert embedding_problem(base, small, "my-own") is None, "of an unknown model nothing is known"


@each_row(
    ("dialect", "more", "sentence"),
    [
        pytest.param("vllm-omni-qwen3-tts-base", {"style": Style("sad")}, "carries no style: the Base", id="style"),
        pytest.param("vllm-omni-vibevoice", {"rate": 1.2}, "carries no speed: VibeVoice", id="speed"),
    ],
)
def test_what_the_dialect_cannot_carry_is_refused(dialect: str, more: dict[str, Any], sentence: str) -> None:
    with StrictSpeech(dialect) as server, engine(server, dialect) as mouth, pytest.raises(UserError, match=sentence):
        mouth.synthesize([request(raw_voice(dialect), **more)])
    assert server.speeches == []


def test_a_seed_that_the_dialect_has_no_field_for_is_refused() -> None:
    with pytest.raises(RecipeError, match="the dialect vllm-omni-vibevoice sends no seed: VibeVoice has no seed"):
        version(OpenAISpeechModel(engine="openai-speech", model="m", dialect="vllm-omni-vibevoice", send_seed=True))


def test_a_dialect_of_the_user_s_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\nabout: ours\nsource: ours\nvoices: [name]\n"
        "fields: {text: input, voice: who.name, seed: who.dice}\n"
    )
    asked: list[dict[str, Any]] = []
    wav = encode(np.full(160, 0.25, np.float32), 16_000, "wav").bytes
    with (
        ScriptedAudioServer(lambda body: asked.append(body) or wav) as server,
        speech(server.url, dialect=str(file)) as mouth,
    ):
        (clip,) = mouth.synthesize([request(voices_for("openai")[0])])
    assert isinstance(clip, Clip)
    assert asked[0]["who"] == {"name": "vivian", "dice": 5}
    assert mouth.version.startswith("scripted@unpinned mine-") and str(tmp_path) not in mouth.version
    model = OpenAISpeechModel(engine="openai-speech", model="m", dialect=str(file), serving=serving(None))
    assert model.model_dump()["dialect"] == "mine.yaml", "no private path in manifests"


@each_row(
    ("line", "sentence"),
    [
        pytest.param("fields: {voice: v}", "text is missing", id="no text"),
        pytest.param("fields: {text: t}", "name needs a field for voice", id="no voice"),
        pytest.param("fields: {text: t, voice: v}\nrefused: {voice: because}", "voice has a field", id="both"),
        pytest.param("fields: {text: t, voice: v, colour: c}", "colour", id="an unknown thing"),
    ],
)
def test_a_dialect_that_makes_no_sense(line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(f"name: bad\nabout: b\nsource: s\nvoices: [name]\n{line}\n")
    with pytest.raises(RecipeError, match=sentence):
        load_dialect(str(tmp_path / "bad.yaml"))


def test_there_is_no_such_dialect() -> None:
    with pytest.raises(RecipeError, match="no dialect 'vllm-omni-zonos'; did you mean 'vllm-omni-zonos2'"):
        load_dialect("vllm-omni-zonos")


def test_what_ended_at_a_limit_is_a_failed_take() -> None:
    dialect = "sglang-omni"
    with StrictSpeech(dialect, finish="length") as server, engine(server, dialect) as mouth:
        (result,) = mouth.synthesize([request(raw_voice(dialect))])
    assert isinstance(result, Failure) and result.reason is Reason.CUT_OFF
    assert len(server.speeches) == 1


def test_word_times_come_in_samples_of_the_clip() -> None:
    dialect = "vllm-omni-qwen3-tts-base"
    with (
        StrictSpeech(dialect, word_times=True) as server,
        engine(server, dialect, "aligned-1.7B", send_word_times=True) as mouth,
    ):
        (clip,) = mouth.synthesize([request(raw_voice(dialect))])
    assert server.speeches[0]["word_timestamps"] is True
    assert isinstance(clip, Clip) and clip.word_times is not None
    words = clip.word_times.words
    assert [word.text for word in words] == TEXT.split() and clip.word_times.unit == "word"
    assert words[0].start_sample == 0 and len(clip.samples) - (words[-1].end_sample or 0) < 32
    assert clip.word_times.aligner.startswith("openai-speech aligned-1.7B@unpinned")


@each_row(
    ("headers", "problem"),
    [
        pytest.param({"X-Word-Timestamps-Omitted": "4711"}, "left the word times out", id="too long for a header"),
        pytest.param({"X-Word-Timestamps": "["}, "make no sense", id="not JSON"),
        pytest.param({"X-Word-Timestamps": '[{"word": "a", "start_ms": 9, "end_ms": 3}]'}, "make no sense", id="back"),
        pytest.param(
            {"X-Word-Timestamps": '[{"word": "a", "start_ms": 0, "end_ms": 999}]'}, "no sense", id="too late"
        ),
        pytest.param({"X-Word-Timestamps": '[{"word": "a", "start_ms": NaN, "end_ms": 3}]'}, "no sense", id="NaN"),
        pytest.param(
            {"X-Word-Timestamps": f'[{{"word": "a", "start_ms": 0, "end_ms": 1{"0" * 400}}}]'}, "no sense", id="huge"
        ),
    ],
)
def test_word_times_that_cannot_be_used_say_why(headers: dict[str, str], problem: str) -> None:
    wav = encode(np.full(1600, 0.25, np.float32), 16_000, "wav").bytes

    def answer(body: dict[str, Any]) -> web.Response:
        return web.Response(body=wav, content_type="audio/wav", headers=headers)

    dialect = "vllm-omni-qwen3-tts-base"
    with ScriptedAudioServer(answer) as server, speech(server.url, dialect=dialect) as mouth:
        (clip,) = mouth.synthesize([request(raw_voice(dialect))])
    assert isinstance(clip, Clip) and clip.word_times is not None
    assert problem in (clip.word_times.problem or "") and clip.word_times.words == ()


def test_a_full_queue_is_load_and_no_failure() -> None:
    """One request runs, one waits, the others get a 503, as many as it takes."""
    running = 0
    wav = encode(np.full(160, 0.25, np.float32), 16_000, "wav").bytes

    async def answer(body: dict[str, Any]) -> Any:
        nonlocal running
        if running >= 2:
            return 503, {"error": {"message": "the queue is full"}}
        running += 1
        await _pause()
        running -= 1
        return wav

    driven = {"attempts": 2, "concurrency": 16, "patience_s": 20}
    with ScriptedAudioServer(answer) as server, speech(server.url, driven=driven) as mouth:
        results = mouth.synthesize([request(voices_for("openai")[0], seed=i) for i in range(40)])
    assert all(isinstance(result, Clip) for result in results)
    assert len(server.requests) > 40


async def _pause() -> None:
    import asyncio

    await asyncio.sleep(0.01)


def test_objects_are_merged_into_each_other() -> None:
    assert merged({"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}}) == {"a": {"b": 1, "d": 2}, "c": {"e": 3}}


def test_a_recording_with_an_embedding_beside_it_is_sent_once() -> None:
    for dialect in sorted(EMBEDDED - NAMED):
        both = replace(raw_voice(dialect), prompt_audio=recording(0), prompt_text="Hello.")
        with StrictSpeech(dialect) as server, engine(server, dialect) as mouth:
            (clip,) = mouth.synthesize([request(both)])
        assert isinstance(clip, Clip), clip
        assert "speaker_embedding" in server.speeches[0] and "ref_audio" not in server.speeches[0]
