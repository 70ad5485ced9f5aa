"""Gives the page what both speakers say together, where a dialogue is mixed."""

from manifests.audio import decode
from manifests.errors import CorpusError
from manifests.schema import Audio, Dialogue
from pipeline.audio.channels import limited
from pipeline.audio.samples import encode


def mixture_of(dialogue: Dialogue) -> Audio | None:
    """Return the mono track, or the sum of both channels; None for a dialogue that is not mixed, or is damaged."""
    timeline = dialogue.timeline
    if timeline is None or not timeline.tracks:
        return None
    if (mono := timeline.track("mono")) is not None:
        return mono.audio
    tracks = (timeline.track("user"), timeline.track("agent"))
    try:
        user, agent = (decode(track.audio)[0] for track in tracks if track is not None)
        return encode(limited(user + agent)[0], timeline.sample_rate, "flac")
    except (CorpusError, ValueError):  # a track that is missing, damaged or of another length: validate says which
        return None
