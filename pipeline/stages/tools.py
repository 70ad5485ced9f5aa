"""tools: makes sure that the values of tool calls are still said, and lets users correct one.

The calls (`Turn.calls`) and the schemas (`Dialogue.tools`) come from the input and stay as they are: they are what the
agent should do. A value that the user's turns of the source say must still be said after they were rewritten, in that
turn or in another; otherwise the row ends as `argument_unsaid`. Values that the source does not say in so many words
("fahrenheit", from a place in America) are not asked for.

A self-correction says another value first, one that the schema lists, or a word of the same kind: the call has the
value that is said last. Once the turns have been heard, `slots` compares the values.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn
from manifests.words import words_of
from pipeline.scoring.arguments import argument_values, said_values
from pipeline.scoring.normalize import tokens
from pipeline.settings import Section
from pipeline.stages._overlap_draft import Draws
from pipeline.stages._overlap_text import Slip, self_corrections, with_slip
from pipeline.stages._overlap_wording import WORDING, overlap_wording
from pipeline.stages._spoken_text import question_limit
from pipeline.stages.contract import Context, Stage, reject
from pipeline.stages.gate import Share
from pipeline.text.lengths import text_length
from pipeline.text.verbalize import verbalize

_LONGEST_VALUE = 12
"""Words, or characters of an unspaced script, in which a value is looked for in a text."""


class ToolsSettings(Section):
    self_correction: Share = Field(0.2, description="share of the dialogues in which a wrong value is said first")


def tools(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_with_tools(dialogue, context) for dialogue in dialogues]


def values_of(dialogue: Dialogue) -> tuple[str, ...]:
    """Return the values of all calls of the dialogue, each once."""
    return tuple(dict.fromkeys(value for turn in dialogue.turns for value in argument_values(turn.calls)))


def _with_tools(dialogue: Dialogue, context: Context) -> Dialogue:
    values = values_of(dialogue)
    if unsaid := [value for value in _given(dialogue, values) if value not in _said(dialogue, values)]:
        return reject(dialogue, Reason.ARGUMENT_UNSAID, ", ".join(unsaid))
    settings, draws = context.recipe.section(ToolsSettings), Draws(context, dialogue, "tools")
    if not draws.happens("self-correction-happens", settings.self_correction):
        return dialogue
    wording, language = overlap_wording(dialogue.language), dialogue.language
    options = [(i, slip) for i, turn in enumerate(dialogue.turns) for slip in _slips(dialogue, turn, values)]
    if not options:
        return dialogue
    number, slip = draws.pick("self-correction", options)
    turn = with_slip(dialogue.turns[number], slip, language, wording)
    if turn is None or text_length(turn.text or "", language) > question_limit(context.recipe, language):
        return dialogue
    return replace(dialogue, turns=(*dialogue.turns[:number], turn, *dialogue.turns[number + 1 :]))


def _given(dialogue: Dialogue, values: Sequence[str]) -> list[str]:
    """Return the values that the source's user says."""
    asked = [f"{turn.original_text} {turn.material}" for turn in dialogue.turns if turn.role == "user"]
    return list(said_values(values, " ".join(asked), dialogue.language))


def _said(dialogue: Dialogue, values: Sequence[str]) -> set[str]:
    texts = (turn.text or "" for turn in dialogue.turns if turn.role == "user")
    return {value for text in texts for value in said_values(values, text, dialogue.language)}


def _slips(dialogue: Dialogue, turn: Turn, values: Sequence[str]) -> Iterator[Slip]:
    """Yield the ways in which a value may be said wrongly in a user's turn."""
    if turn.role != "user" or turn.kind != "turn":
        return
    text, language, wording = turn.text or "", dialogue.language, overlap_wording(dialogue.language)
    near = self_corrections(text, language, wording)
    for value, form in said_values(values, text, language).items():
        place = _place_of(form, text, language)
        if place is None:
            continue
        comma = "，" if language == "zh" else ", "
        for k, other in enumerate(_listed(dialogue.tools, value)):
            spoken = verbalize(other.replace("_", " "), language)
            if other[:1].islower():
                spoken = spoken[:1].lower() + spoken[1:]
            if tokens(spoken, language) and not said_values([spoken], text, language):
                repair = wording.repairs[k % len(wording.repairs)]
                yield Slip("self_correction", place.start, f"{spoken}{comma}{repair}")
        yield from (slip for slip in near if place.start - 1 <= slip.word < place.stop)


def _place_of(form: str, text: str, language: str) -> range | None:
    """Return the words of the text that say the value, the first time."""
    wanted, words = tokens(form, language), words_of(text, language)
    for first in range(len(words)):
        for last in range(first, min(first + _LONGEST_VALUE, len(words))):
            if tokens(text[words[first].start : words[last].end], language) == wanted:
                return range(first, last + 1)
    return None


def _listed(schemas: str | None, value: str) -> list[str]:
    """Return the other values of the parameters that list this one among theirs."""
    return [
        other
        for values in _enums(json.loads(schemas or "[]"))
        if value in values
        for other in values
        if other != value
    ]


def _enums(schema: Any) -> Iterator[list[str]]:
    if isinstance(schema, dict):
        if isinstance(listed := schema.get("enum"), list):
            yield [str(value) for value in listed]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _enums(part)


TOOLS = Stage(
    name="tools",
    about="makes sure that the values of tool calls are said, and lets users correct one",
    settings=ToolsSettings,
    apply=tools,
    reads=frozenset({"turns.text", "turns.calls", "tools"}),
    writes=frozenset({"turns.text", "turns.labels"}),
    spoils=frozenset({"turns.take"}),
    after=("judge", "converse", "respond"),
    prompts=lambda recipe: (WORDING,),
)
