"""Flag transcripts that the recognizer invented: loops, stock phrases, impossible rates, other languages.

A flag explains why a transcript disagrees with its reference and says nothing about a transcript that agrees, so
callers look at the error rate first. That is why the limits can be simple, and why a text that means to say "no, no,
no, no" is safe.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from manifests.languages import primary_subtag
from manifests.reasons import Reason
from pipeline.scoring.duration import expected_duration
from pipeline.scoring.normalize import metric, tokens
from pipeline.text.scripts import script_of

SILENCE_DBFS = -60.0
"""A clip whose loudest 50 ms (RMS) stay below this level holds no speech.

Rendered clips peak at -3 dBFS and speech in them lies above -30 dBFS; the quietest speech that 16 bits still carry
well is near -50 dBFS, their rounding noise near -98 dBFS. The value leaves ten decibels below any speech.
"""

NO_SPEECH, LOG_PROBABILITY = 0.6, -1.0
"""Whisper's own rule for silence (Radford et al. 2022, section 4.5): the no-speech token is likelier than the first,
and the mean log-probability of the text is below the second. Neither alone is enough."""

REPEATS = 3
"""A passage that stands this many times in a row is a loop. Said twice, it may well be the voice's doing."""
LOOP_TOKENS = {"wer": 6, "cer": 8}
"""The fewest words or characters that a loop covers: people do say "ha ha ha"."""

PROMPT_TOKENS = {"wer": 5, "cer": 8}
"""Words or characters in a row that two texts do not share by chance; of a shorter prompt, all of it."""

OWN_SCRIPT_SHARE = 0.5
"""With a smaller share of words in its own script, a transcript is in another language. Chinese speech with loan words
and names in Latin letters stays far above it."""
MIN_SCRIPT_WORDS = 3

_SCRIPTS = {
    **dict.fromkeys(("zh", "cmn", "yue", "wuu", "nan"), ("han",)),
    "ja": ("han", "kana"),
    "ko": ("hangul",),
    **dict.fromkeys(("ru", "uk", "bg"), ("cyrillic",)),
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl"), ("latin",)),
}
_UNSPACED_SCRIPTS = frozenset({"han", "kana"})

# Whisper has learned these from the ends of subtitles, and writes them where it hears nothing.
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
    """Why a transcript is not to be believed: the reason, and a detail for people to read."""

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
    """Return what is wrong with the transcript `text` of a clip, the most certain flag first; none for an empty text.

    `level_dbfs` is the RMS level of the clip's loudest 50 ms, `prompt` the transcript of the recording that the voice
    is cloned from, and `reference` the text that was to be said: loops and phrases in it do not count. `no_speech` and
    `log_probability` are the recognizer's own, where it gives them.
    """
    if not text.strip():
        return ()
    heard, meant = tokens(text, language), tokens(reference, language)
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
        words = tokens(phrase, language)
        if _holds(heard, words) and not _holds(meant, words):
            return Flag(Reason.HALLUCINATION_SILENCE, f"stock phrase {phrase!r}")
    return None


def _rate(text: str, language: str, duration_s: float) -> Flag | None:
    """Apply the limit of `pipeline.scoring.duration` for the fastest speech to the transcript."""
    shortest, _ = expected_duration(text, language)
    if duration_s >= shortest:
        return None
    return Flag(Reason.HALLUCINATION_RATE, f"needs {shortest:.1f} s, the clip has {duration_s:.1f} s")


def _loop(heard: Sequence[str], meant: Sequence[str], language: str) -> Flag | None:
    times, passage = _longest_loop(heard)
    covered = times * len(passage)
    if times < REPEATS or covered < LOOP_TOKENS[metric(language)] or _holds(meant, passage * times):
        return None
    return Flag(Reason.HALLUCINATION_LOOP, f"{times} times {' '.join(passage)[:40]!r}")


def _prompt(heard: Sequence[str], meant: Sequence[str], prompt: str | None, language: str) -> Flag | None:
    prompted = tokens(prompt or "", language)
    shared = _longest_shared(heard, prompted)
    enough = min(PROMPT_TOKENS[metric(language)], len(prompted))
    if not shared or len(shared) < enough or _holds(meant, shared):
        return None
    noun = "characters" if metric(language) == "cer" else "words"
    return Flag(Reason.HALLUCINATION_PROMPT, f"{len(shared)} {noun} of the prompt are heard")


def _other_language(text: str, language: str) -> Flag | None:
    own = _SCRIPTS.get(primary_subtag(language))
    scripts = list(_scripts(text))
    if own is None or len(scripts) < MIN_SCRIPT_WORDS:
        return None
    share = sum(script in own for script in scripts) / len(scripts)
    if share >= OWN_SCRIPT_SHARE:
        return None
    return Flag(Reason.HALLUCINATION_LANGUAGE, f"{share:.0%} of the words are in the script of {language}")


def _longest_loop(heard: Sequence[str]) -> tuple[int, list[str]]:
    """Find the passage whose repetition in a row covers most of the text; return how often it is said, and itself."""
    best: tuple[int, list[str]] = (1, [])
    for period in range(1, len(heard) // REPEATS + 1):
        run = 0
        for end in range(period, len(heard)):
            run = run + 1 if heard[end] == heard[end - period] else 0
            times = run // period + 1
            if times >= REPEATS and times * period > best[0] * len(best[1]):
                start = end - run - period + 1
                best = times, list(heard[start : start + period])
    return best


def _longest_shared(heard: Sequence[str], prompted: Sequence[str]) -> Sequence[str]:
    match = SequenceMatcher(None, heard, prompted, autojunk=False).find_longest_match()
    return heard[match.a : match.a + match.size]


def _holds(text: Sequence[str], passage: Sequence[str]) -> bool:
    """Whether the text contains the whole passage, which is not empty, in a row."""
    size = len(passage)
    return bool(size) and any(text[i : i + size] == passage for i in range(len(text) - size + 1))


def _scripts(text: str) -> Iterator[str | None]:
    """Yield the script of each word, and of each character in Han and kana, which put no spaces between words."""
    for word in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text)):
        scripts = [script_of(character) for character in word]
        yield from (script for script in scripts if script in _UNSPACED_SCRIPTS)
        if spaced := [script for script in scripts if script not in _UNSPACED_SCRIPTS]:
            yield spaced[0]
