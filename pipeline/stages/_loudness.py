"""The library that measures loudness: its version decides levels, so it stands in the job's identity."""

from pipeline.audio.loudness import version
from pipeline.stages.contract import Resource

LOUDNESS: Resource[None] = Resource("loudness/bs1770", lambda recipe, work: None, lambda recipe: version())
