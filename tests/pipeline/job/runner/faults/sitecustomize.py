"""Put on the path of Ray's workers by test_engine_death.py: engines that end, in the place of the tone synthesizer."""

from pipeline.engines.registry import ENGINES
from tests.doubles import double

ENGINES.added["tts", "tone"] = double("tts", "tone", "faulty_engines", "FaultySynthesizer")
