"""Decodes clips in windows: guards against silence, cuts, batches by seconds, and joins the windows' transcripts.

The batches are planned by the lengths of the clips. While the model decodes one, a thread prepares the next: it
resamples the clips, guards and cuts.

The result for a clip depends on that clip alone: windows that are decoded together share nothing but the padding, and
the limit of tokens comes from the window's own length (see `AudioWindow.group`).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.engines.asr._windows import WINDOW_S, cut_windows
from pipeline.engines.contract import Clip, Failure, Samples, Transcript
from pipeline.engines.shared.batches import cut_batches
from pipeline.engines.shared.prefetch import prefetch
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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A clip of `seconds` cut into windows, without the silent ones; or the result, where nothing is to be decoded."""

    windows: Sequence[AudioWindow]
    seconds: float = 0.0
    result: Transcript | Failure | None = None


def transcribe(clips: Sequence[Clip], languages: Sequence[str], decoder: WindowDecoder) -> list[Transcript | Failure]:
    """Transcribe clips; returns one result per clip, in order."""

    def prepare_batch(batch: Sequence[int]) -> list[_Prepared]:
        return [_prepare(clips[index], languages[index], decoder) for index in batch]

    results: dict[int, Transcript | Failure] = {}
    batches = _plan(clips, languages, decoder)
    for batch, prepared in zip(batches, prefetch(prepare_batch, batches), strict=True):
        heard = iter(_decode_all([window for clip in prepared for window in clip.windows], decoder))
        for index, clip in zip(batch, prepared, strict=True):
            parts = [next(heard) for _ in clip.windows]
            results[index] = clip.result or _join(parts, languages[index], clip.seconds)
    return [results[index] for index in range(len(clips))]


def _plan(clips: Sequence[Clip], languages: Sequence[str], decoder: WindowDecoder) -> list[list[int]]:
    """Cut the clips' indices into batches, as `_decode_all` would if the clips were cut into windows already.

    The windows of a clip that is longer than one are taken to be as long as can be.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    costs: dict[int, float] = {}
    for index, (clip, language) in enumerate(zip(clips, languages, strict=True)):
        seconds = len(clip.samples) / clip.sample_rate if clip.sample_rate > 0 else 0.0
        count = max(1, math.ceil(seconds / WINDOW_S))
        each = seconds if count == 1 else WINDOW_S
        costs[index] = count * decoder.encoded_s(each)
        groups[decoder.group(each, language)].append(index)
    return [
        [members[i] for i in batch]
        for members in groups.values()
        for batch in cut_batches([costs[index] for index in members], decoder.batch_s)
    ]


def _prepare(clip: Clip, language: str, decoder: WindowDecoder) -> _Prepared:
    samples = decoder.refuse(language) or prepare(clip)
    if isinstance(samples, Transcript | Failure):
        return _Prepared((), result=samples)
    windows = [_window(piece, language, decoder) for piece in cut_windows(samples) if not is_silent(piece)]
    return _Prepared(windows, len(samples) / SAMPLE_RATE)


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
