"""Put on the path of Ray's workers by test_ray_runner.py: rules that wait until three blocks ask at once."""

from pipeline.engines.registry import ENGINES, Entry

ENGINES["text", "rules"] = Entry("meeting_rules", "MeetingRules", "waits for three callers")
