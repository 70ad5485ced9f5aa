"""The rule-based text engine: no model, no network, one answer for one request.

The rules invent nothing: questions are the data set's own instructions, reshaped; answers are the data set's own
answers, cut at sentence ends and put into words. What they cannot bring into spoken form comes back as a `Failure`.
Their wording and their patterns are data: `prompts/rules-*`.
"""

from collections.abc import Callable, Sequence

from manifests.reasons import Reason
from pipeline.engines.contract import Engine, Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.patterns import WORDING
from pipeline.engines.text.rules.respond import respond
from pipeline.engines.text.rules.rewrite import rewrite
from pipeline.engines.text.rules.screen import screen
from pipeline.prompts import prompt_digest
from pipeline.text.verbalize import LANGUAGES

NAME = "rules"

# Raise this whenever the code, not only its wording, may give other texts.
_RULES_VERSION = 4

_TASKS: dict[str, Callable[[TextRequest], TextAnswer | Failure]] = {
    "rewrite": rewrite,
    "screen": screen,
    "respond": respond,
}


def version() -> str:
    """Return the version of the rules and, after the plus sign, of their wording."""
    digest = prompt_digest((f"rules-{task}" for task in _TASKS), LANGUAGES, WORDING)
    return f"{_RULES_VERSION}+{digest[:12]}"


class RulesGenerator:
    """A `TextGenerator` by rules. Each result depends on its own request, seed included, and on nothing else."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        return [_answer(request) for request in requests]


def _answer(request: TextRequest) -> TextAnswer | Failure:
    task = _TASKS.get(request.task)
    if task is None:
        return Failure(Reason.TEXT_ENGINE_FAILED, f"the rules know no task {request.task!r}")
    if request.language not in LANGUAGES:
        return Failure(Reason.TEXT_ENGINE_FAILED, f"the rules know no language {request.language!r}")
    return task(request)


ENGINE = Engine("text", "rules", "rules, no model: selects and verbalizes", open=RulesGenerator, version=version)
