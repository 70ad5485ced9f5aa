"""Fills in a dialect: the body of a request, and what a voice or a turn asks for that the dialect cannot carry."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from manifests.schema import Style
from pipeline.engines.contract import SpeechRequest
from pipeline.engines.tts._dialects.dialect import Carried, SpeechDialect, VoiceKind
from voicebank.voice import Voice

SEEDS = 2**31
UNIT_NORM = 1e-3
"""A vector whose length is nearer to 1 than this was normalized: a raw one of many numbers is not by chance."""


def voice_kind(dialect: SpeechDialect, voice: Voice, recordings: bool) -> VoiceKind | None:
    """Return how the voice is given to the server; None: in no way. `recordings`: those are sent."""
    for kind in dialect.voices:
        if kind == "embedding" and voice.embedding is not None:
            return kind
        if kind == "recording" and voice.is_recorded and recordings:
            return kind
        if kind == "name" and voice.embedding is None and not voice.is_recorded:
            return kind
    return None


def voice_problem(dialect: SpeechDialect, voice: Voice, model: str, recordings: bool) -> str | None:
    """Say why the server cannot speak with the voice, as the end of a sentence that begins with it; None: it can."""
    if voice.pitch != 1:
        return "has a pitch of its own, and servers of this kind cannot change the pitch"
    kind = voice_kind(dialect, voice, recordings)
    if kind is None:
        return _unusable(dialect, voice)
    if kind == "embedding":
        return embedding_problem(dialect, voice, model)
    if kind == "recording" and dialect.recording.text == "required" and not (voice.prompt_text or "").strip():
        return "is a recording without its words (prompt_text), which the server needs"
    return None


def embedding_problem(dialect: SpeechDialect, voice: Voice, model: str) -> str | None:
    """Say what is wrong with the embedding for the server's model; None: nothing is."""
    if voice.embedding is None:
        return None
    vector = np.asarray(voice.embedding, np.float64)
    wanted = dialect.size_for(model)
    if not np.isfinite(vector).all():
        return "has an embedding with a NaN or an infinite value"
    if wanted is not None and vector.size != wanted:
        return f"has an embedding of {vector.size} numbers, and the server's model takes {wanted}"
    is_unit = abs(float(np.linalg.norm(vector)) - 1) < UNIT_NORM
    if dialect.embedding.norm == "raw" and is_unit:
        return (
            "has an embedding of length 1, and the server's model takes them as its encoder gives them, not normalized"
        )
    if dialect.embedding.norm == "one" and not is_unit:
        return "has an embedding that is not of length 1, as the server's model takes them"
    return None


def _unusable(dialect: SpeechDialect, voice: Voice) -> str:
    if voice.is_recorded and "recording" in dialect.fields:
        return "is a recording; set send_reference if the server of the model takes those"
    given: Carried = "recording" if voice.is_recorded else "embedding"
    if not voice.is_recorded and voice.embedding is None:
        ways = " or ".join(f"an {kind}" if kind == "embedding" else f"a {kind}" for kind in dialect.voices)
        return f"is a name, and the server takes {ways}"
    why = dialect.refused.get(given, f"the server takes its voices by {' or '.join(dialect.voices)}")
    return f"is {'a recording' if given == 'recording' else 'an embedding'}; {why}"


def style_text(style: Style | None) -> str:
    """Return the words for the style: its instruction, or else its label; "" for none."""
    return "" if style is None else (style.instruction or style.label or "").strip()


def body(
    dialect: SpeechDialect,
    request: SpeechRequest,
    speed: float,
    sent: Mapping[Carried, bool],
    base: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the body of the request: `base` (model, format), what is `sent` of the request, and `extra` over it all.

    A speed of 1 is not sent: some servers know no other, and refuse the field.
    """
    values: dict[Carried, Any] = {"text": request.text, **_voice_values(dialect, request.voice, sent)}
    if sent.get("language") and (language := written_language(dialect, request.language)) is not None:
        values["language"] = language
    if sent.get("seed"):
        values["seed"] = request.seed % SEEDS
    if speed != 1:
        values["speed"] = speed
    if style := style_text(request.style):
        values["style"] = style
    if sent.get("word_times"):
        values["word_times"] = True
    fields = merged(dict(base), dialect.fixed)
    for what, value in values.items():
        put_field(fields, dialect.fields[what], value)
        fields = merged(fields, dialect.along.get(what, {}))
    return merged(fields, extra)


def written_language(dialect: SpeechDialect, language: str) -> str | None:
    """Return the language as the server writes it; None: the dialect has no word for it, and it is not sent."""
    if not dialect.languages:
        return language
    return dialect.languages.get(language, dialect.languages.get("*"))


def merged(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with `more` over them, object into object."""
    both = dict(fields)
    for name, value in more.items():
        old = both.get(name)
        both[name] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both


def _voice_values(dialect: SpeechDialect, voice: Voice, sent: Mapping[Carried, bool]) -> dict[Carried, Any]:
    kind = voice_kind(dialect, voice, bool(sent.get("recording")))
    if kind == "embedding" and voice.embedding is not None:
        return {"embedding": [float(number) for number in voice.embedding]}
    if kind == "recording" and (recording := voice.prompt_audio) is not None:
        return _recording_values(dialect, data_url(recording), voice.prompt_text or "")
    return {"voice": voice.speaker}  # never beside a recording: vLLM-Omni refuses names that it does not know


def _recording_values(dialect: SpeechDialect, url: str, words: str) -> dict[Carried, Any]:
    rules = dialect.recording
    words = "" if rules.text == "none" else words
    if rules.form == "references":
        return {"recording": [{"audio_path": url, **({"text": words} if words else {})}]}
    values: dict[Carried, Any] = {"recording": [url] if rules.form == "list" else url}
    if words and "recording_text" in dialect.fields:
        values["recording_text"] = words
    return values


def put_field(fields: dict[str, Any], path: str, value: Any) -> None:
    """Put the value into the fields, at the path: a.b is field b of the object a."""
    *parents, name = path.split(".")
    for parent in parents:
        fields[parent] = dict(fields.get(parent) or {})
        fields = fields[parent]
    fields[name] = value


def data_url(audio: bytes) -> str:
    """Return the recording as a data URL. A signed FLAC file begins with an ID3 tag."""
    kind = "flac" if audio.startswith((b"fLaC", b"ID3")) else "wav"
    return f"data:audio/{kind};base64,{base64.b64encode(audio).decode('ascii')}"
