"""Transcripts that tell of the recognizer, not of the speech: looping, invented, impossible, in another language.

A flag explains why a transcript disagrees with its reference; it says nothing about one that agrees. Whoever asks
looks at the error rate first. So the limits may be plain, and a text that means to say "no, no, no, no" is safe.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from manifests.reasons import Reason
from pipeline.scoring.duration import expected_duration
from pipeline.scoring.normalize import metric, normalize, primary_subtag

SILENCE_DBFS = -60.0
"""A clip whose loudest 50 ms (RMS) stay below this level holds no speech.

Rendered clips peak at -3 dBFS and speech in them lies above -30 dBFS; the quietest speech that 16 bits still carry
well is near -50 dBFS, their rounding noise near -98 dBFS. The value leaves ten decibels below any speech.
"""

NO_SPEECH, LOG_PROBABILITY = 0.6, -1.0
"""Whisper's own rule for silence (Radford et al. 2022, section 4.5): no-speech token above the one and mean
log-probability below the other. Neither alone is telling."""

REPEATS = 3
"""So many times in a row, and it is a loop. A passage said twice may well be the voice's doing."""
LOOP_UNITS = {"wer": 6, "cer": 8}
"""What a loop covers at least, in words or characters: people do say "ha ha ha"."""

PROMPT_UNITS = {"wer": 5, "cer": 8}
"""Words or characters in a row that two texts do not share by chance; of a shorter prompt, all of it."""

OWN_SCRIPT_SHARE = 0.5
"""Below this share of words in the language's own script, the transcript is in another language. Loan words and names
in Latin letters stay far above it in Chinese speech."""
MIN_SCRIPT_UNITS = 3

_SCRIPTS = {
    **dict.fromkeys(("zh", "cmn", "yue", "wuu", "nan"), ("CJK",)),
    "ja": ("CJK", "HIRAGANA", "KATAKANA"),
    "ko": ("HANGUL",),
    **dict.fromkeys(("ru", "uk", "bg"), ("CYRILLIC",)),
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl"), ("LATIN",)),
}

# What subtitles end with and Whisper has learned from them: it writes these where it hears nothing.
_STOCK = {
    "wer": (
        "thank you for watching",
        "thanks for watching",
        "please subscribe",
        "like and subscribe",
        "see you in the next video",
        "subtitles by",
    ),
    "cer": (
        "谢谢观看",
        "感谢观看",
        "请不吝点赞",
        "点赞订阅",
        "订阅转发",
        "打赏支持",
        "字幕志愿者",
        "字幕由",
        "字幕by",
    ),
}


@dataclass(frozen=True, slots=True)
class Flag:
    """`detail` is for people."""

    reason: Reason
    detail: str


def flags(
    text: str,
    language: str,
    duration_s: float,
    level_dbfs: float | None = None,
    prompt: str | None = None,
    *,
    reference: str = "",
    no_speech: float | None = None,
    log_probability: float | None = None,
) -> tuple[Flag, ...]:
    """What is wrong with the transcript `text` of a clip, the most certain first; nothing is wrong with an empty one.

    `level_dbfs` is the RMS level of the clip's loudest 50 ms, `prompt` what the recording says that the voice is given
    by, `reference` what was to be said: loops and phrases that stand in it do not count. `no_speech` and
    `log_probability` are the recognizer's own, where it gives them.
    """
    if not text.strip():
        return ()
    heard, meant = _units(text, language), _units(reference, language)
    found = (
        _silence(heard, meant, language, level_dbfs, no_speech, log_probability),
        _rate(text, language, duration_s),
        _loop(heard, meant, language),
        _prompt(heard, meant, prompt, language),
        _other_language(text, language),
    )
    return tuple(flag for flag in found if flag)


def _silence(
    heard: Sequence[str],
    meant: Sequence[str],
    language: str,
    level_dbfs: float | None,
    no_speech: float | None,
    log_probability: float | None,
) -> Flag | None:
    if level_dbfs is not None and level_dbfs < SILENCE_DBFS:
        return Flag(Reason.HALLUCINATION_SILENCE, f"text on {level_dbfs:.0f} dBFS")
    if (no_speech or 0.0) > NO_SPEECH and (log_probability or 0.0) < LOG_PROBABILITY:
        return Flag(Reason.HALLUCINATION_SILENCE, f"no speech {no_speech:.2f}, log p {log_probability:.2f}")
    for phrase in _STOCK[metric(language)]:
        units = _units(phrase, language)
        if _holds(heard, units) and not _holds(meant, units):
            return Flag(Reason.HALLUCINATION_SILENCE, f"stock phrase {phrase!r}")
    return None


def _rate(text: str, language: str, duration_s: float) -> Flag | None:
    """The limits of `pipeline.scoring.duration` for the fastest speech, turned on the transcript."""
    shortest, _ = expected_duration(text, language)
    if duration_s >= shortest:
        return None
    return Flag(Reason.HALLUCINATION_RATE, f"needs {shortest:.1f} s, the clip has {duration_s:.1f} s")


def _loop(heard: Sequence[str], meant: Sequence[str], language: str) -> Flag | None:
    times, passage = _longest_loop(heard)
    covered = times * len(passage)
    if times < REPEATS or covered < LOOP_UNITS[metric(language)] or _holds(meant, passage * times):
        return None
    return Flag(Reason.HALLUCINATION_LOOP, f"{times} times {' '.join(passage)[:40]!r}")


def _prompt(heard: Sequence[str], meant: Sequence[str], prompt: str | None, language: str) -> Flag | None:
    units = _units(prompt or "", language)
    shared = _longest_shared(heard, units)
    enough = min(PROMPT_UNITS[metric(language)], len(units))
    if not shared or len(shared) < enough or _holds(meant, shared):
        return None
    return Flag(Reason.HALLUCINATION_PROMPT, f"{len(shared)} units of the prompt are heard")


def _other_language(text: str, language: str) -> Flag | None:
    own = _SCRIPTS.get(primary_subtag(language))
    scripts = list(_scripts(text))
    if own is None or len(scripts) < MIN_SCRIPT_UNITS:
        return None
    share = sum(script in own for script in scripts) / len(scripts)
    if share >= OWN_SCRIPT_SHARE:
        return None
    return Flag(Reason.HALLUCINATION_LANGUAGE, f"{share:.0%} of the words are in the script of {language}")


def _units(text: str, language: str) -> list[str]:
    """Words, or characters of an unspaced script, normalised as for scoring."""
    normalized = normalize(text, language)
    return list(normalized.replace(" ", "")) if metric(language) == "cer" else normalized.split()


def _longest_loop(units: Sequence[str]) -> tuple[int, list[str]]:
    """The passage whose repetition in a row covers most of the text, and how many times it stands there."""
    best: tuple[int, list[str]] = (1, [])
    for period in range(1, len(units) // REPEATS + 1):
        run = 0
        for end in range(period, len(units)):
            run = run + 1 if units[end] == units[end - period] else 0
            times = run // period + 1
            if times >= REPEATS and times * period > best[0] * len(best[1]):
                start = end - run - period + 1
                best = times, list(units[start : start + period])
    return best


def _longest_shared(heard: Sequence[str], units: Sequence[str]) -> Sequence[str]:
    match = SequenceMatcher(None, heard, units, autojunk=False).find_longest_match()
    return heard[match.a : match.a + match.size]


def _holds(units: Sequence[str], passage: Sequence[str]) -> bool:
    """Whether the passage stands in the units, in a row."""
    size = len(passage)
    return bool(size) and any(units[i : i + size] == passage for i in range(len(units) - size + 1))


def _scripts(text: str) -> Iterator[str]:
    """The script of each word; of scripts without spaces, of each character."""
    for word in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text)):
        names = [unicodedata.name(character, "").split(" ")[0] for character in word]
        unspaced = {"CJK", "HIRAGANA", "KATAKANA"}
        yield from (name for name in names if name in unspaced)
        if rest := [name for name in names if name not in unspaced]:
            yield rest[0]
