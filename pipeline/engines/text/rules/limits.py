"""The limit of what the rules look at and the version of their wording, under the names that the stages import."""

from pipeline.engines.text.rules.patterns import WORDING as WORDING
from pipeline.engines.text.rules.patterns import beginning as beginning
