"""Declares the library that measures loudness: its version affects levels, so it is part of the job's identity."""

from pipeline.audio.loudness import version
from pipeline.stages.contract import Resource

LOUDNESS: Resource[None] = Resource("loudness/bs1770", lambda recipe, work: None, lambda recipe: version())
