"""Put on the path of processes that are to build banks with the engines of bank_engines.py."""

from pipeline.engines.registry import ENGINES, Entry

ENGINES["encoder", "bands"] = Entry("bank_engines", "BandEncoder", "a test's")
ENGINES["quality", "loudness"] = Entry("bank_engines", "Loudness", "a test's")
ENGINES["vad", "level"] = Entry("bank_engines", "LevelDetector", "a test's")
ENGINES["gender", "lowness"] = Entry("bank_engines", "Lowness", "a test's")
