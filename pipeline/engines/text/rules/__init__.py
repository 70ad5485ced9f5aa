"""The rule-based text engine: no model, no network, one answer for one request.

It is honest about being rules. It invents nothing: questions are the data set's own instructions, reshaped; answers
are the data set's own answers, cut at sentence ends and put into words. What it cannot bring into spoken form it
gives back as a `Failure`. Its wording and its patterns are data: `prompts/rules-*`.
"""

from pipeline.engines.contract import Engine
from pipeline.engines.text.rules.generator import NAME, RulesGenerator, version

__all__ = ["NAME", "RulesGenerator", "version"]


ENGINE = Engine("text", "rules", "rules, no model: selects and verbalizes", open=RulesGenerator, version=version)
