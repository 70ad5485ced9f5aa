"""Reads a dialect: what a kind of speech server takes, how it writes it, and what its answers tell."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline import recipe_file
from pipeline.settings import Section

PACKAGE = "pipeline.engines.tts._dialects"
PLAIN = "openai"
"""The dialect of a model that names none."""

Carried = Literal[
    "text", "voice", "embedding", "recording", "recording_text", "language", "seed", "speed", "style", "word_times"
]
"""What a request may carry beside the model's name."""

VoiceKind = Literal["name", "recording", "embedding"]
"""How a voice is given: by the server's name for it, by a recording of it, or by its speaker embedding."""

OnRequest = Literal["seed", "recording", "word_times"]


class EmbeddingRules(Section):
    """Says which speaker embeddings the server's model takes."""

    sizes: dict[str, int] = Field(
        {}, description="length by a part of the model's name ('*': any other name); none: any length"
    )
    norm: Literal["any", "raw", "one"] = Field(
        "any", description="raw: as the encoder gives it, whose length is not 1; one: of length 1"
    )


class RecordingRules(Section):
    """Says how the recording of a voice is sent."""

    form: Literal["data_url", "list", "references"] = Field(
        "data_url", description="a data URL, a list of one, or a list of one object {audio_path, text}"
    )
    text: Literal["required", "optional", "none"] = Field("optional", description="whether its words are sent too")


class AnswerRules(Section):
    """Says what the headers of an answer tell."""

    finish: str | None = Field(None, description="header that says why the speech ended")
    cut_off: tuple[str, ...] = Field(("length",), description="values of that header: the speech was cut off")
    word_times: str | None = Field(None, description="header with the words, as JSON [{word, start_ms, end_ms}]")
    word_times_omitted: str | None = Field(None, description="header in its place, where they are too long")


class ScriptRules(Section):
    """Says how a whole dialogue is written, for models that speak one in a single call."""

    line: str = Field(description="one turn: {speaker} is its speaker's number from 1, {text} its text")
    between: str = Field("", description="what stands between two turns")
    marks: str = Field(description="regular expression for what begins a turn: no text may hold it")
    speakers: int = Field(2, ge=2, le=9, description="most speakers of one dialogue")
    second_recording: str | None = Field(
        None, description="field of the second speaker's recording; none: a list of all in the field of recordings"
    )
    always: bool = Field(False, description="the model speaks nothing but dialogues")

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> "ScriptRules":
        try:
            self.line.format(speaker=1, text="")
            re.compile(self.marks)
        except (re.error, LookupError, ValueError) as error:
            raise ValueError(f"line or marks: {error}") from None
        if "{text}" not in self.line or "{speaker}" not in self.line:
            raise ValueError("line: {speaker} or {text} is missing")
        if self.second_recording and self.speakers > 2:
            raise ValueError("second_recording: only two speakers have fields of their own")
        return self


class SpeechDialect(Section):
    """Describes a kind of speech server."""

    name: str = Field(description="name of the dialect")
    about: str = Field(description="one line for people")
    source: str = Field(description="where the fields were read")
    fields: dict[Carried, str] = Field(description="the field that carries each thing; a.b is field b of the object a")
    voices: tuple[VoiceKind, ...] = Field(description="how a voice may be given, the best way first")
    on_request: tuple[OnRequest, ...] = Field(
        (), description="what is sent only if the model says so: send_seed, send_reference, send_word_times"
    )
    fixed: dict[str, Any] = Field({}, description="further fields of every request")
    along: dict[Carried, dict[str, Any]] = Field({}, description="further fields of the requests that carry this")
    refused: dict[Carried, str] = Field({}, description="what the server refuses or ignores, and why")
    languages: dict[str, str] = Field({}, description="how a language is written ('*': any other); none: by its code")
    speeds: tuple[float, float] = Field((0.25, 4.0), description="slowest and fastest `speed`")
    embedding: EmbeddingRules = Field(EmbeddingRules(), description="rules for embeddings")
    recording: RecordingRules = Field(RecordingRules(), description="rules for recordings")
    answer: AnswerRules = Field(AnswerRules(), description="what the headers of an answer tell")
    script: ScriptRules | None = Field(None, description="how a whole dialogue is written; none: it takes one turn")

    @model_validator(mode="after")
    def _fits_together(self) -> "SpeechDialect":
        named: Mapping[VoiceKind, Carried] = {"name": "voice", "recording": "recording", "embedding": "embedding"}
        if "text" not in self.fields:
            raise ValueError("fields: text is missing")
        for kind in self.voices:
            if named[kind] not in self.fields:
                raise ValueError(f"voices: {kind} needs a field for {named[kind]}")
        if both := self.fields.keys() & self.refused.keys():
            raise ValueError(f"refused: {', '.join(sorted(both))} has a field")
        if self.script and "recording" not in self.voices:
            raise ValueError("script: the voices of a dialogue are given by recordings, and `voices` has none")
        return self

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of the hash of everything that decides a request."""
        content = self.model_dump(mode="json", exclude={"about", "source"} | (set() if self.script else {"script"}))
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]

    def sends(self, what: Carried, send_seed: bool | None, send_reference: bool | None, send_words: bool) -> bool:
        """Tell whether requests carry this, given the settings of the model (None: as the dialect does by itself)."""
        asked = {"seed": send_seed, "recording": send_reference, "recording_text": send_reference}.get(what)
        if what == "word_times":
            return what in self.fields and send_words
        if asked is None:
            asked = ("recording" if what == "recording_text" else what) not in self.on_request
        return what in self.fields and asked

    def size_for(self, model: str) -> int | None:
        """Return the length of embedding that the model of that name wants; None: not known."""
        found = [size for part, size in self.embedding.sizes.items() if part != "*" and part.lower() in model.lower()]
        return found[0] if found else self.embedding.sizes.get("*")


def shipped_dialects() -> list[str]:
    """Return the names of the dialects that Parley ships, sorted."""
    return recipe_file.shipped(PACKAGE)


def load_dialect(name: str) -> SpeechDialect:
    """Load the dialect of that name or file; raises RecipeError."""
    return recipe_file.parse(SpeechDialect, recipe_file.read(name, PACKAGE, "dialect"), name)


def dialect_text(name: str) -> str:
    """Return the text of the dialect's file; raises RecipeError."""
    return recipe_file.text_of(name, PACKAGE, "dialect")
