"""Put on the path of processes that are to build banks with the engines of bank_engines.py."""

from pipeline.engines.registry import ENGINES
from tests.doubles import double

ENGINES.added["encoder", "bands"] = double("encoder", "bands", "bank_engines", "BandEncoder")
ENGINES.added["quality", "loudness"] = double("quality", "loudness", "bank_engines", "Loudness")
ENGINES.added["vad", "level"] = double("vad", "level", "bank_engines", "LevelDetector")
ENGINES.added["gender", "lowness"] = double("gender", "lowness", "bank_engines", "Lowness")
