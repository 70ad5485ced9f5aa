"""Words of a turn with the moments that they begin at, for exporters that cut or count by words."""

from manifests.forms.words import TimedWords, timed_words
from manifests.schema import Turn


def turn_words(turn: Turn) -> TimedWords | None:
    """Return the turn's words with their times in its clip; None: they are not complete, or of another text."""
    take = turn.take
    if take is None or take.audio is None:
        return None
    return timed_words(turn.text or "", take.word_times, take.audio.sample_rate)
