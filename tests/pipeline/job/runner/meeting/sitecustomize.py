"""Put on the path of Ray's workers by test_ray_runner.py: rules that wait until three blocks ask at once."""

from pipeline.engines.registry import ENGINES
from tests.doubles import double

ENGINES.added["text", "rules"] = double("text", "rules", "meeting_rules", "MeetingRules")
