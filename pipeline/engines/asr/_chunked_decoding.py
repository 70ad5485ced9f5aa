"""What all recognizers share: guard the clips, cut them into windows, batch these by seconds, join what was heard.

The result for a clip depends on that clip alone: windows that are heard together share nothing but the padding, and
the limit of tokens comes from the window's own length (see `Window.group`).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.engines.asr._windows import cut_windows
from pipeline.engines.contract import Clip, Failure, Samples, Transcript
from pipeline.engines.shared.batches import cut_batches
from pipeline.engines.shared.silence_guard import SAMPLE_RATE, is_silent, prepare
from pipeline.scoring.hallucination import flags
from pipeline.scoring.normalize import metric


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Samples (float32 [T], 16 kHz, at most 30 s) in `language`, a row's code. Windows of one group share batches."""

    samples: Samples
    language: str
    group: Hashable

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one window, from `tokens` tokens whose mean log-probability is given where it is known.

    `ended` is False where the limit of tokens cut the text off.
    """

    text: str
    log_probability: float | None = None
    no_speech: float | None = None
    tokens: int = 0
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Hearer:
    """One batch through a model: `hear` gives one result per window, all windows being of one group.

    `group` tells windows apart that cannot share a batch, `refuse` why a language cannot be heard (None: it can).
    `floor_s` is what a window costs at least: Whisper's encoder always takes 30 s.
    """

    hear: Callable[[Sequence[Window]], Sequence[Heard | Failure]]
    group: Callable[[float, str], Hashable]
    refuse: Callable[[str], Failure | None]
    batch_s: float
    floor_s: float = 0.0


def transcribe(clips: Sequence[Clip], languages: Sequence[str], hearer: Hearer) -> list[Transcript | Failure]:
    """One result per clip, in order."""
    prepared = [hearer.refuse(language) or prepare(clip) for clip, language in zip(clips, languages, strict=True)]
    windows: list[Window] = []
    spans: dict[int, range] = {}
    for index, (samples, language) in enumerate(zip(prepared, languages, strict=True)):
        if not isinstance(samples, Transcript | Failure):
            cut = [_window(piece, language, hearer) for piece in cut_windows(samples) if not is_silent(piece)]
            spans[index] = range(len(windows), len(windows) + len(cut))
            windows += cut
    heard = _hear_all(windows, hearer)
    return [
        result
        if isinstance(result, Transcript | Failure)
        else _join([heard[i] for i in spans[index]], languages[index], len(result) / SAMPLE_RATE)
        for index, result in enumerate(prepared)
    ]


def _window(samples: Samples, language: str, hearer: Hearer) -> Window:
    return Window(samples, language, hearer.group(len(samples) / SAMPLE_RATE, language))


def _hear_all(windows: Sequence[Window], hearer: Hearer) -> list[Heard | Failure]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, window in enumerate(windows):
        groups[window.group].append(index)
    heard: dict[int, Heard | Failure] = {}
    for members in groups.values():
        costs = [max(windows[i].seconds, hearer.floor_s) for i in members]
        for batch in cut_batches(costs, hearer.batch_s):
            chosen = [members[i] for i in batch]
            heard.update(zip(chosen, hearer.hear([windows[i] for i in chosen]), strict=True))
    return [heard[index] for index in range(len(windows))]


def _join(results: Sequence[Heard | Failure], language: str, duration_s: float) -> Transcript | Failure:
    """Texts one after the other; log-probabilities weighed by tokens; no speech only if no window has any."""
    if failed := [result for result in results if isinstance(result, Failure)]:
        return failed[0]
    heard = [result for result in results if isinstance(result, Heard)]
    between = "" if metric(language) == "cer" else " "
    text = between.join(part for h in heard if (part := h.text.strip()))
    if not all(h.ended for h in heard) and not flags(text, language, duration_s):
        # A transcript that loops is cut off too, and says more about itself than this does.
        return Failure(Reason.RECOGNITION_FAILED, f"the transcript was cut off after {heard[-1].tokens} tokens")
    scored = [(h.log_probability, h.tokens) for h in heard if h.log_probability is not None and h.tokens]
    tokens = sum(count for _, count in scored)
    silent = [h.no_speech for h in heard if h.no_speech is not None]
    return Transcript(
        text=text,
        log_probability=sum(value * count for value, count in scored) / tokens if tokens else None,
        no_speech=min(silent) if silent else None,
    )
