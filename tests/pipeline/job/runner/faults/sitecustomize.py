"""Put on the path of Ray's workers by test_engine_death.py: engines that end, in the place of the tone synthesizer."""

from pipeline.engines.registry import ENGINES, Entry

ENGINES["tts", "tone"] = Entry("faulty_engines", "FaultySynthesizer", "ends as the environment says")
