"""Writes a whole dialogue as a server's model takes it: one script, and a recording for each of its speakers."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.engines.contract import DialogueRequest
from pipeline.engines.tts._dialects.compose import SEEDS, data_url, merged, put_field, written_language
from pipeline.engines.tts._dialects.dialect import Carried, ScriptRules, SpeechDialect


def script_problem(rules: ScriptRules, request: DialogueRequest) -> str | None:
    """Say why the dialogue cannot be written as a script; None: it can."""
    if not request.lines or not all(line.text.strip() for line in request.lines):
        return "a turn of the dialogue is empty"
    if len(request.voices) > rules.speakers:
        return f"the dialogue has {len(request.voices)} speakers, and the model speaks with {rules.speakers}"
    if any(re.search(rules.marks, line.text) for line in request.lines):
        return "a text holds what begins a turn in the model's script"
    return None


def script_text(rules: ScriptRules, request: DialogueRequest) -> str:
    """Return the script. Speakers are numbered from 1, in the order in which they first speak."""
    numbers = {voice.voice_id: number for number, voice in enumerate(request.voices, start=1)}
    lines = [(numbers[line.voice.voice_id], " ".join(line.text.split())) for line in request.lines]
    return rules.between.join(rules.line.format(speaker=number, text=text) for number, text in lines)


def dialogue_body(
    dialect: SpeechDialect,
    rules: ScriptRules,
    request: DialogueRequest,
    sent: Mapping[Carried, bool],
    base: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the body of the request, as `compose.body` does for one turn."""
    urls = [data_url(voice.prompt_audio or b"") for voice in request.voices]
    values: dict[str, Any] = {dialect.fields["text"]: script_text(rules, request)}
    if rules.second_recording:
        values |= dict(zip((dialect.fields["recording"], rules.second_recording), urls, strict=False))
    else:
        values[dialect.fields["recording"]] = urls
    if sent.get("language") and (language := written_language(dialect, request.language)) is not None:
        values[dialect.fields["language"]] = language
    if sent.get("seed"):
        values[dialect.fields["seed"]] = request.seed % SEEDS
    fields = merged(dict(base), dialect.fixed)
    for path, value in values.items():
        put_field(fields, path, value)
    return merged(fields, extra)
