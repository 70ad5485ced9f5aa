"""Put on the path of Ray's workers by test_engine_death.py: engines that end, in the place of the tone synthesiser."""

from pipeline.engines.table import ENGINES, Entry

ENGINES["tts", "tone"] = Entry("faulty_engines", "FaultySynthesizer", "ends as the environment says")
