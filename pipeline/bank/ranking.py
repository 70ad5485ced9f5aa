"""Runs an audition that only ranks: every voice of a bank on every synthesizer of a recipe that can speak with it.

Its results are a table (`ranking.json`) and a page to listen to (`audition.html`); no voice is chosen, and no bank is
written. What was measured is kept, so that a broken-off audition goes on.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.bank.audition import Panel, Sentences, audition, audition_key, clip_file, owned_record
from pipeline.bank.prompt_worker import spoken_language
from pipeline.show.page import Heading, PageTable, Paragraph, Part, SoundCell, page
from pipeline.yaml_text import load_yaml
from voicebank.audition import VoiceClip
from voicebank.inputs import VoiceInputs, assigned
from voicebank.ranking import RankedEngine, RankedVoice, rank, rank_engines
from voicebank.speaker_table import SpeakerTable
from voicebank.voice import Voice

RANKING_FILE, PAGE_FILE, CLIPS = "ranking.json", "audition.html", "clips"

VOICE_COLUMNS = ("place", "engine", "voice", "error rate", "quality", "own", "nearest real", "who")
ENGINE_COLUMNS = ("engine", "voices", "failed", "error rate", "quality", "own", "nearest real", "mean place")

_ABOUT = (
    "Places are means over the measures, each language on its own: the error rate that the recognizer hears, the "
    "predicted quality, the similarity between a voice's own sentences (own; high is steady) and that to the nearest "
    "real person (low is nobody's)."
)


@dataclass(frozen=True)
class Ranking:
    """What an audition found: voices and synthesizers, the best first, and the clips of each voice to listen to."""

    voices: Sequence[RankedVoice]
    engines: Sequence[RankedEngine]
    files: Mapping[tuple[str, str], Sequence[Path]]


def hold_ranking(
    voices: Sequence[Voice],
    panel: Panel,
    sentences: Sentences,
    real: Sequence[SpeakerTable],
    out: Place,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Ranking:
    """Hear the voices, as `speakable` gives them, and rank them. `real` are the people that nobody may sound like."""
    speaking = [replace(voice, language=spoken_language(voice)) for voice in voices]
    if strange := sorted({voice.language for voice in speaking} - set(sentences)):
        raise UserError(f"--sentences: there is none in {', '.join(strange)}")
    kept = Path(out.path) / CLIPS
    with owned_record(out, (RANKING_FILE, PAGE_FILE, CLIPS)) as record:
        clips = audition(speaking, panel, record, progress, sentences, kept)
    ranked = rank([_measured(clip, real) for clip in clips])
    keys = {(voice.engine, voice.voice_id): audition_key(voice, panel, sentences) for voice in speaking}
    files = {
        (one.engine, one.voice.voice_id): [
            clip_file(kept, keys[one.engine, one.voice.voice_id], index)
            for index in range(len(sentences[one.voice.language]))
        ]
        for one in ranked
        if one.problem is None
    }
    return Ranking(ranked, rank_engines(ranked), files)


def speakable(voices: Iterable[Voice], own: Mapping[str, VoiceInputs | None], cloning: Sequence[str]) -> list[Voice]:
    """Return each voice once for each synthesizer that can speak with it: its own, and those that clone if it has a
    clip. `own` are the recipe's, by the name in `Voice.engine`."""
    found: list[Voice] = []
    for voice in voices:
        engines = [voice.engine] if voice.engine in own else []
        engines += [engine for engine in cloning if engine != voice.engine and voice.is_recorded]
        for engine in engines:
            chosen = {engine: own.get(engine)} if engine == voice.engine else {}
            found += assigned([voice], chosen, [engine] if not chosen else [])
    return found


def read_sentences(file: Place) -> Sentences:
    """Read sentences by language from a YAML file: `en: [..., ...]`. Raises UserError for anything else."""
    try:
        found = load_yaml(file.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--sentences {file.name}: not a readable YAML file: {error}") from None
    if not isinstance(found, dict) or not found or not all(_are_sentences(lines) for lines in found.values()):
        raise UserError(f"--sentences {file.name}: write a list of sentences for each language, as en: [One., Two.]")
    return {str(language): tuple(lines) for language, lines in found.items()}


def write_ranking(ranking: Ranking, out: Place, name: str, sentences: Sentences, panel: Panel, listen: int) -> None:
    """Write the table and the page, which has the clips of the first `listen` voices of each language."""
    content = {
        "bank": name,
        "engines": [asdict(one) for one in ranking.engines],
        "measured_with": panel.versions,
        "scale": panel.scale,
        "sentences": {language: list(texts) for language, texts in sentences.items()},
        "voices": [_line(one) for one in ranking.voices],
    }
    (out / RANKING_FILE).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    (out / PAGE_FILE).write_text(ranking_page(ranking, name, sentences, panel.scale, listen))


def ranking_page(ranking: Ranking, name: str, sentences: Sentences, scale: str, listen: int) -> str:
    """Return the page: synthesizers, then the voices of each language with clips to listen to."""
    parts: list[Part] = [Paragraph(_ABOUT), Heading("Synthesizers"), PageTable(ENGINE_COLUMNS, engine_rows(ranking))]
    for language in sorted({one.voice.language for one in ranking.voices}):
        texts = sentences[language]
        parts += [Heading(f"Voices: {language}"), Paragraph(f"Quality is {scale}. What they say: {' | '.join(texts)}")]
        of_language = [one for one in ranking.voices if one.voice.language == language]
        sound = [one for one in of_language if one.problem is None]
        names = (*VOICE_COLUMNS, *(f"sentence {number}" for number in range(1, len(texts) + 1)))
        parts.append(PageTable(names, [_row(one, ranking, place < listen) for place, one in enumerate(sound)]))
        failed = [(one.engine, one.voice.voice_id, one.problem) for one in of_language if one.problem is not None]
        if failed:
            parts.append(PageTable(("engine", "voice", "not measured"), failed))
    return page(f"{name}: audition", parts)


def engine_rows(ranking: Ranking) -> list[tuple[object, ...]]:
    """Return the rows of a table of synthesizers; the columns are `ENGINE_COLUMNS`."""
    rows: list[tuple[object, ...]] = []
    for one in ranking.engines:
        figures = (one.error_rate, one.quality, one.own, one.nearest_real, one.place)
        rows.append((one.engine, one.voices, one.failed, *map(_shown, figures)))
    return rows


def voice_row(one: RankedVoice) -> tuple[object, ...]:
    """Return the row of a table of voices; the columns are `VOICE_COLUMNS`."""
    figures = map(_shown, (one.error_rate, one.quality, one.own, one.nearest_real))
    return (_shown(one.place), one.engine, one.voice.voice_id, *figures, one.nearest_id or "-")


def _row(one: RankedVoice, ranking: Ranking, with_clips: bool) -> tuple[object, ...]:
    files = ranking.files[one.engine, one.voice.voice_id]
    about = f"{one.voice.voice_id} by {one.engine}"
    clips = [SoundCell(about, file.read_bytes()) if with_clips and file.is_file() else "-" for file in files]
    return (*voice_row(one), *clips)


def _measured(clip: VoiceClip, real: Sequence[SpeakerTable]) -> RankedVoice:
    found = RankedVoice(clip.voice, clip.error_rate, clip.quality, clip.own, problem=clip.problem)
    if clip.problem is None and clip.error_rate is None:
        return replace(found, problem="the sentences hold no words")
    if clip.xvector is None or not real:
        return found
    nearest: list[tuple[float, str]] = []
    for table in real:
        similarities = table.xvectors @ clip.xvector
        row = int(np.argmax(similarities))
        nearest.append((float(similarities[row]), table.ids[row]))
    similarity, who = max(nearest)
    return replace(found, nearest_real=similarity, nearest_id=who)


def _line(one: RankedVoice) -> dict[str, Any]:
    figures = {name: getattr(one, name) for name in ("place", "error_rate", "quality", "own", "nearest_real")}
    return {
        "voice_id": one.voice.voice_id,
        "engine": one.engine,
        "language": one.voice.language,
        "gender": one.voice.gender,
        **{name: None if value is None else round(value, 6) for name, value in figures.items()},
        "nearest_id": one.nearest_id,
        "problem": one.problem,
    }


def _are_sentences(lines: object) -> bool:
    return isinstance(lines, list) and bool(lines) and all(isinstance(line, str) and line.strip() for line in lines)


def _shown(value: float | None) -> object:
    return "-" if value is None else value
