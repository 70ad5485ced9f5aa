"""Put on the path of Ray's workers by test_raylets.py: an engine that waits, in the place of the tone synthesizer."""

from pipeline.engines.registry import ENGINES
from tests.doubles import double

ENGINES.added["tts", "tone"] = double("tts", "tone", "tests.pipeline.job.runner.held.held_engines", "HeldSynthesizer")
