"""Put on the path of a command and its workers by test_trial.py: engines that sleep, in the place of the tone ones."""

from pipeline.engines.registry import ENGINES
from tests.doubles import double

ENGINES.added["tts", "tone"] = double("tts", "tone", "sleeping_engines", "SleepingSynthesizer")
ENGINES.added["asr", "tone"] = double("asr", "tone", "sleeping_engines", "SleepingRecognizer")
