"""The clips that every layout yields."""

from dataclasses import dataclass
from typing import Literal

from voicebank.voice import Gender

QualityScale = Literal["dnsmos_p808", "dnsmos_ovrl", "distillmos"]


@dataclass(frozen=True, slots=True)
class SourceClip:
    """One clip of a corpus. `path` is relative to the corpus, with `/`; the file may be missing or broken.

    `group` names clips that may be of one speaker: the speaker's label where the corpus has one, else the long
    recording. `quality` is a score that the corpus ships, on `quality_scale`. `reason` says why this clip cannot be
    used, where the layout already knows; a layout leaves out nothing that it finds.
    """

    clip_id: str
    path: str
    group: str
    language: str
    speaker: str | None = None
    gender: Gender | None = None
    text: str | None = None
    quality: float | None = None
    quality_scale: QualityScale | None = None
    reason: str | None = None
