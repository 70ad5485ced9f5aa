"""The limit of what the rules look at, under the name by which the stages import it."""

from pipeline.engines.text.rules.patterns import beginning as beginning
