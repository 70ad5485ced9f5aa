"""Decodes clips in windows: guards against silence, cuts, batches by seconds, and joins the windows' transcripts.

The result for a clip depends on that clip alone: windows that are decoded together share nothing but the padding, and
the limit of tokens comes from the window's own length (see `AudioWindow.group`).
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
class AudioWindow:
    """At most 30 s of a clip: samples float32 [T] at 16 kHz, and the row's language code.

    Only windows of one `group` share batches.
    """

    samples: Samples
    language: str
    group: Hashable

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class WindowTranscript:
    """The transcript of one window: `tokens` tokens, with their mean log-probability where it is known.

    `ended` is False where the limit of tokens cut the text off.
    """

    text: str
    log_probability: float | None = None
    no_speech: float | None = None
    tokens: int = 0
    ended: bool = True


@dataclass(frozen=True, slots=True)
class WindowDecoder:
    """How a model decodes windows: `decode` gives one result for each window of a batch, all of one group.

    `group` separates windows that cannot share a batch; `refuse` says why a language cannot be recognized, None where
    it can. `encoded_s` says how long a window of so many seconds becomes by padding, which is what it costs.
    """

    decode: Callable[[Sequence[AudioWindow]], Sequence[WindowTranscript | Failure]]
    group: Callable[[float, str], Hashable]
    refuse: Callable[[str], Failure | None]
    batch_s: float
    encoded_s: Callable[[float], float] = float


def transcribe(clips: Sequence[Clip], languages: Sequence[str], decoder: WindowDecoder) -> list[Transcript | Failure]:
    """Transcribe clips; returns one result per clip, in order."""
    prepared = [decoder.refuse(language) or prepare(clip) for clip, language in zip(clips, languages, strict=True)]
    windows: list[AudioWindow] = []
    spans: dict[int, range] = {}
    for index, (samples, language) in enumerate(zip(prepared, languages, strict=True)):
        if not isinstance(samples, Transcript | Failure):
            cut = [_window(piece, language, decoder) for piece in cut_windows(samples) if not is_silent(piece)]
            spans[index] = range(len(windows), len(windows) + len(cut))
            windows += cut
    heard = _decode_all(windows, decoder)
    return [
        result
        if isinstance(result, Transcript | Failure)
        else _join([heard[i] for i in spans[index]], languages[index], len(result) / SAMPLE_RATE)
        for index, result in enumerate(prepared)
    ]


def _window(samples: Samples, language: str, decoder: WindowDecoder) -> AudioWindow:
    return AudioWindow(samples, language, decoder.group(len(samples) / SAMPLE_RATE, language))


def _decode_all(windows: Sequence[AudioWindow], decoder: WindowDecoder) -> list[WindowTranscript | Failure]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, window in enumerate(windows):
        groups[window.group].append(index)
    heard: dict[int, WindowTranscript | Failure] = {}
    for members in groups.values():
        costs = [decoder.encoded_s(windows[i].seconds) for i in members]
        for batch in cut_batches(costs, decoder.batch_s):
            chosen = [members[i] for i in batch]
            heard.update(zip(chosen, decoder.decode([windows[i] for i in chosen]), strict=True))
    return [heard[index] for index in range(len(windows))]


def _join(results: Sequence[WindowTranscript | Failure], language: str, duration_s: float) -> Transcript | Failure:
    """Join the windows of one clip: texts in order, log-probabilities weighted by tokens, the least `no_speech`."""
    if failed := [result for result in results if isinstance(result, Failure)]:
        return failed[0]
    heard = [result for result in results if isinstance(result, WindowTranscript)]
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
