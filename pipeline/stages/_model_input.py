"""Selects the part of a row's source text that a language model sees, and rejects hopeless sources.

A model can turn many an unspeakable *task* into a speakable question (an essay into a question about its topic, a
picture into one about what it shows), so the rules' verdicts on tables, media, long writing, formulas and missing
material do not apply here; the question that the model wrote is judged instead. These sources remain hopeless:

* unsafe: the topic stays unsafe in any wording;
* code: a question about the same code needs code in its answer;
* a source that is hardly text, or longer than the recipe allows for a model.
"""

from dataclasses import dataclass

from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn
from pipeline.engines.text.rules.limits import beginning
from pipeline.engines.text.rules.patterns import screen_wording
from pipeline.engines.text.rules.screen import Finding, judge_source, non_text_share
from pipeline.recipe import Lengths
from pipeline.stages._turns import all_exchanges, exchange_at
from pipeline.stages.contract import reject
from pipeline.text.fragments import find_fragment
from pipeline.text.verbalize import strip_markup, text_length

_HOPELESS = frozenset({Reason.UNSAFE, Reason.CODE})
_SOURCE_LENGTH = 400
_FRAGMENT_LENGTH = 120
"""As the recipe's defaults for English."""
_CHARACTERS_PER_WORD = 20
"""A text with fewer than one word per this many characters is not prose; its characters are counted instead."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Holds a model's input: `text` is the `variable` of `form`; the question must not simply repeat `material`."""

    form: str
    variable: str
    text: str
    material: str


@dataclass(frozen=True, slots=True)
class InputLimits:
    """Holds the settings of `rewrite` and `screen` that limit the model's input, under their names there."""

    fragments: bool
    fragment_length: Lengths
    source_length: Lengths
    max_non_text_share: float
    rules_first: bool


def model_source(dialogue: Dialogue, number: int, limits: InputLimits) -> ModelSource:
    """Return the model's input for one exchange, numbered from 0."""
    user = exchange_at(dialogue, number).user
    if number == 0 and limits.fragments:
        limit = limits.fragment_length.get(dialogue.language, _FRAGMENT_LENGTH)
        if fragment := find_fragment(user.original_text, user.material, dialogue.language, limit):
            return ModelSource("fragment", "fragment", fragment.text, fragment.text)
    return ModelSource("next" if number else "whole", "instruction", _whole(user), user.material)


def reject_hopeless(dialogue: Dialogue, limits: InputLimits) -> Dialogue:
    """Reject the dialogue if a model should not be asked about one of its turns."""
    for number in all_exchanges(dialogue):
        if found := _judge(dialogue, number, limits):
            return reject(dialogue, found.reason, found.detail)
    return dialogue


def _judge(dialogue: Dialogue, number: int, limits: InputLimits) -> Finding | None:
    user = exchange_at(dialogue, number).user
    found = _non_text(user, dialogue.language, limits.max_non_text_share)
    if found is None and limits.rules_first:
        found = judge_source(user.original_text, user.material, dialogue.language)
        found = found if found and found.reason in _HOPELESS else None
    return found or _too_long(model_source(dialogue, number, limits), dialogue.language, limits)


def _non_text(user: Turn, language: str, limit: float) -> Finding | None:
    text = strip_markup(f"{beginning(user.original_text)}\n{beginning(user.material)}")
    share = non_text_share(text, screen_wording(language))
    return Finding(Reason.NON_TEXT, f"share {share:.2f}, the limit is {limit:.2f}") if share > limit else None


def _too_long(source: ModelSource, language: str, limits: InputLimits) -> Finding | None:
    """Find a source that is too long. Only a fragment may be cut; other sources are used whole or rejected."""
    limit = limits.source_length.get(language, _SOURCE_LENGTH)
    length = max(text_length(source.text, language), len(source.text) // _CHARACTERS_PER_WORD)
    if source.form == "fragment" or length <= limit:
        return None
    return Finding(Reason.TOO_LONG, f"length {length}, the limit is {limit}")


def _whole(user: Turn) -> str:
    return f"{user.original_text}\n{user.material}".strip()
