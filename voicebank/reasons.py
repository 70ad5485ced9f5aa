"""The closed list of reasons why a clip or a group of clips does not become part of a voice bank."""

from typing import Literal

from manifests.meanings import Meaningful

Level = Literal["clip", "group"]


class BankReason(Meaningful):
    """Why a clip, or a whole group of clips, was left out. `level` says which, `meaning` says it in words."""

    level: Level

    def __init__(self, value: str, level: Level, meaning: str) -> None:
        self.level = level

    # known from the listing
    BAD_METADATA = "bad_metadata", "clip", "the corpus's own entry for the clip cannot be used"
    DUPLICATE_CLIP = "duplicate_clip", "clip", "an earlier clip of the group has the same id or the same file"

    # known once the file is opened
    AUDIO_MISSING = "audio_missing", "clip", "there is no audio file"
    AUDIO_UNREADABLE = "audio_unreadable", "clip", "the audio file is broken, empty, or holds no sound"
    CLIP_TOO_SHORT = "clip_too_short", "clip", "the clip is shorter than the recipe allows"
    CLIP_TOO_LONG = "clip_too_long", "clip", "the clip is longer than the recipe allows"

    # known once engines have heard it
    QUALITY_UNKNOWN = "quality_unknown", "clip", "the clip has no quality score, and none could be predicted"
    LOW_QUALITY = "low_quality", "clip", "the quality score is below the recipe's threshold"
    NO_SPEECH = "no_speech", "clip", "no speech is found in the clip"
    NOT_ENCODED = "not_encoded", "clip", "a speaker encoder could not process the clip"
    NOT_NEEDED = "not_needed", "clip", "the group has more good clips than the recipe takes"

    # the group as a whole
    CONTRADICTORY_METADATA = "contradictory_metadata", "group", "the clips disagree on their language or gender"
    TOO_FEW_CLIPS = "too_few_clips", "group", "fewer good clips than the recipe asks for"
    MIXED_SPEAKERS = "mixed_speakers", "group", "too few pairs of clips are alike: they may not be one person's"
    GENDER_UNCLEAR = "gender_unclear", "group", "the corpus names no gender, and none could be told with confidence"
    RATE_UNKNOWN = "rate_unknown", "group", "the articulation rate cannot be told: no text, or none that fits"


def bank_reason_of(value: str | None) -> BankReason | None:
    """Return the reason of that value, or None where the list has none."""
    return BankReason.of(value)
