"""Put on the path of Ray's workers by test_engine_death.py: engines that end, in the place of the tone synthesizer."""

from parley.testing.stages import double
from pipeline.engines.registry import ENGINES

ENGINES.added["tts", "tone"] = double("tts", "tone", "faulty_engines", "FaultySynthesizer")
