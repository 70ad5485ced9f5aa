"""The synthesizer's own times: what the engine or the server that spoke a clip told about it, or nothing.

The tone engine and flite know them exactly, Kokoro by the durations that it predicts for its phonemes, to 25 ms. A
recipe may name this engine for a language all of whose voices tell times; a clip without them has none.
"""

from collections.abc import Sequence

from manifests.reasons import Reason
from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.contract import AlignRequest, Engine, Failure
from pipeline.engines.shared.word_times import fit_spans, word_times

NAME = "synthesizer"


def version() -> str:
    return "1"


class SynthesizerTimes:
    """Passes on the times that came with the clip. What spoke it stays their source (`WordTimes.aligner`)."""

    name = NAME
    version = version()
    languages: frozenset[str] | None = None

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]:
        return [_given(request) for request in requests]


def _given(request: AlignRequest) -> WordTimes | Failure:
    given = request.given
    if given is None:
        return Failure(Reason.UNALIGNED, "the synthesizer told no times")
    if not given.words:
        return Failure(Reason.UNALIGNED, given.problem or "the synthesizer told the times of no word")
    if [word.text for word in given.words] == [word.text for word in words_of(request.text, request.language)]:
        return given
    # A server cuts the text into words of its own.
    pieces = [
        (word.text, word.start_sample, word.end_sample)
        for word in given.words
        if word.start_sample is not None and word.end_sample is not None
    ]
    spans = fit_spans(request.text, request.language, pieces)
    return word_times(given.aligner, request.text, request.language, spans, given.problem)


ENGINE = Engine("aligner", NAME, "the times that the synthesizer told", open=SynthesizerTimes, version=version)
