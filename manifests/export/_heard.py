"""Settings of programs that train any model: the model decides how much of a clip is heard."""

from dataclasses import dataclass, field

from manifests.errors import UserError
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._turns import WHISPER_S, Demands


@dataclass(frozen=True)
class HeardSettings(ClipSettings):
    max_clip_s: float = field(
        default=WHISPER_S,
        metadata={"description": "seconds of a clip that the model hears: longer ones are refused; 0: any length"},
    )


def heard_demands(settings: HeardSettings, marks: tuple[str, ...]) -> Demands:
    """Return the demands under these settings; raises UserError for one that cannot be."""
    check_sample_rate(settings.sample_rate)
    if settings.max_clip_s < 0:
        raise UserError(f"max_clip_s is {settings.max_clip_s:g}: take 0 or more seconds")
    return Demands(marks=marks, max_s=settings.max_clip_s)
