"""What a speech server is asked, to see whether it obeys: clips that differ from a first one in one thing each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from manifests.errors import EngineUnavailable
from manifests.schema import Style
from pipeline.engines.contract import Clip, Failure, SpeechRequest, SpeechSynthesizer
from voicebank.voice import Voice

Thing = Literal["voice", "seed", "language", "style", "speed"]
"""What a server may obey or ignore."""

ClipName = Literal["first", "again", "seed", "voice", "voice_seed", "language", "style", "speed"]

FASTER = 1.5
"""How much faster the clip is that tests the speed: more than two takes of a sentence differ by."""
STYLE = Style(instruction="Whisper, very slowly and sadly, as if somebody were asleep in the room.")
SEEDS = (20_260_701, 407)
_HINT = "if that is not the server's, name another: `parley servers dialects`"
TEXTS: Mapping[str, str] = {
    "en": "The quick brown fox jumps over the lazy dog, and the river runs slowly to the sea.",
    "zh": "今天的天气很好，我们一起去公园散步，晚上再回来吃饭。",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one server: two voices, the language of the text, another one, and the things to look at."""

    voices: tuple[Voice, ...]
    language: str
    other_language: str | None
    things: frozenset[Thing]


def requests_for(question: Question) -> dict[ClipName, SpeechRequest]:
    """Return the requests, by what is changed in each; there are only those that the things need."""
    voice, *others = question.voices
    text = TEXTS.get(question.language, TEXTS["en"])
    first = SpeechRequest(text, question.language, voice, 1.0, SEEDS[0])
    wanted: dict[ClipName, SpeechRequest] = {"first": first, "again": first}
    if "seed" in question.things or "voice" in question.things:
        wanted["seed"] = replace(first, seed=SEEDS[1])
    if "voice" in question.things and others:
        wanted["voice"] = replace(first, voice=others[0])
        wanted["voice_seed"] = replace(first, voice=others[0], seed=SEEDS[1])
    if "language" in question.things and question.other_language:
        wanted["language"] = replace(first, language=question.other_language)
    if "style" in question.things:
        wanted["style"] = replace(first, style=STYLE)
    if "speed" in question.things:
        wanted["speed"] = replace(first, rate=FASTER)
    return wanted


def ask(engine: SpeechSynthesizer, requests: Mapping[ClipName, SpeechRequest], dialect: str) -> dict[ClipName, Clip]:
    """Return the clips. One request after the other, so that no other one in the server's batch changes the result.

    Raises EngineUnavailable for a request that fails: what the recipe will send is not what the server takes.
    """
    clips: dict[ClipName, Clip] = {}
    for name, request in requests.items():
        (result,) = _synthesized(engine, [request], dialect)
        if isinstance(result, Failure):
            raise EngineUnavailable(
                f"{engine.name}: the server does not take what the dialect {dialect} sends"
                f"{'' if name in ('first', 'again') else f' to change the {_told(name)}'}: {result.detail}; {_HINT}"
            )
        clips[name] = result
    return clips


def _synthesized(engine: SpeechSynthesizer, requests: Sequence[SpeechRequest], dialect: str) -> list[Clip | Failure]:
    try:
        return engine.synthesize(requests)
    except EngineUnavailable as error:
        raise EngineUnavailable(f"{error} (it was asked in the dialect {dialect}; {_HINT})") from None


def _told(name: ClipName) -> str:
    return "voice" if name == "voice_seed" else name
