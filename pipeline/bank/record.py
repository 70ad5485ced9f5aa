"""Records a synthesizer's own voices: a small corpus of speech, from which `parley voicebank build` makes speakers.

So the voices that a synthesizer comes with are measured like people who were recorded, and virtual voices are blended
from them by the same rules. The corpus has the layout "manifest".
"""

import json
from collections.abc import Callable, Mapping, Sequence

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Failure, SpeechRequest, SpeechSynthesizer
from pipeline.seeds import derive_seed
from voicebank.layouts.manifest import MANIFEST_FILE
from voicebank.voice import Voice

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "The ferry to the islands was late again this morning.",
        "Please put the blue cups back on the upper shelf.",
        "A good map shows more than roads and rivers.",
        "We talked about music until the lamps went out.",
    ),
    "zh": (
        "今天早上去海岛的轮船又晚点了。",
        "请把蓝色的杯子放回上面的架子。",
        "一张好地图不只画着道路和河流。",
        "我们聊音乐一直聊到熄灯的时候。",
    ),
}
"""Four short sentences: two and two give the similarity of a voice's halves."""

BATCH = 8


def record(
    synthesizer: SpeechSynthesizer,
    voices: Sequence[Voice],
    language: str,
    out: Place,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Let each voice speak the sentences of a language into a corpus; return the number of clips.

    The manifest is written last. Raises UserError where the directory holds a corpus, the language has no sentences,
    or a voice cannot speak one.
    """
    if (out / MANIFEST_FILE).exists():
        raise UserError(f"{out.name} holds a corpus already; remove it, or name another directory")
    if language not in SENTENCES:
        raise UserError(f"there are no sentences to record in {language!r}; there are: {', '.join(SENTENCES)}")
    wanted = [(voice, index) for voice in voices for index in range(len(SENTENCES[language]))]
    lines = []
    for begin in range(0, len(wanted), BATCH):
        part = wanted[begin : begin + BATCH]
        requests = [_request(voice, language, index) for voice, index in part]
        for (voice, index), clip in zip(part, synthesizer.synthesize(requests), strict=True):
            lines.append(_store(voice, index, language, clip, out))
        progress(begin + len(part), len(wanted))
    (out / MANIFEST_FILE).write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def _request(voice: Voice, language: str, index: int) -> SpeechRequest:
    text = SENTENCES[language][index]
    return SpeechRequest(text, language, voice, 1.0, derive_seed(0, "record", voice.voice_id, index))


def _store(voice: Voice, index: int, language: str, clip: Clip | Failure, out: Place) -> str:
    """Write a clip, and return its line of the manifest."""
    if isinstance(clip, Failure):
        raise UserError(f"{voice.speaker} did not speak sentence {index + 1}: {clip.detail or clip.reason.value}")
    audio = encode(clip.samples, clip.sample_rate, "flac")
    path = f"{voice.speaker}/{index}.flac"
    (out / path).write_bytes(audio.bytes)
    text = SENTENCES[language][index]
    row = {"path": path, "speaker": voice.speaker, "gender": voice.gender, "text": text, "language": language}
    return json.dumps(row, ensure_ascii=False)
