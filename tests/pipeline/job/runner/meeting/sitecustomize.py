"""Put on the path of Ray's workers by test_ray_runner.py: rules that wait until three blocks ask at once."""

from parley.testing.stages import double
from pipeline.engines.registry import ENGINES

ENGINES.added["text", "rules"] = double("text", "rules", "meeting_rules", "MeetingRules")
