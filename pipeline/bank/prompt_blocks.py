"""Stores the blocks of voices that get clips.

::

    WORK/voices/000017/voices.parquet     the voices of block 17, as their bank has them
    WORK/spoken/000017/voices.parquet     those that got a clip
    WORK/spoken/000017/prompts.jsonl      a line for each voice: what was measured, and why one was left out

Blocks of real voices, with which the leak limit is measured, have no `voices.parquet` behind them: no clip of a real
person's voice is kept.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from manifests.json_text import parse_json
from manifests.storage import Place
from pipeline.bank.prompt_worker import Candidate, Prompted
from pipeline.job.commits import block_folder, block_name, commit, read_checked
from pipeline.job.listener import Measure, Part
from pipeline.job.usage import Effort
from voicebank.tables import VOICES_TABLE, VoiceWriter, iter_voices
from voicebank.voice import Voice

PROMPTS_FILE = "prompts.jsonl"


@dataclass(frozen=True)
class PromptReport:
    """Records a finished block. The reasons count voices that were left out."""

    block: int
    voices: int
    kept: int
    reasons: Mapping[str, int]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class PromptBlocks:
    """Loads blocks of voices from `source` and commits what became of them to `target`; `raw`: embeddings keep their
    length; without `keep`, only the figures are kept."""

    source: Place
    target: Place
    raw: bool
    keep: bool = True
    part_rows: int = 8

    def load(self, block: int) -> Sequence[Candidate]:
        return read_candidates(self.source, block)

    def cut(self, whole: Sequence[Candidate], part: Part) -> list[Candidate]:
        return part.cut(whole)

    def measure(self, content: Sequence[Candidate] | Sequence[Prompted]) -> Measure:
        settled = [one for one in content if isinstance(one, Prompted)]
        kept = [one for one in settled if one.judged.drop is None]
        return Measure(len(content), len(settled), len(kept), sum(one.clip.seconds for one in kept))

    def pack(self, content: Any) -> Any:
        return content

    def unpack(self, packed: Any) -> Any:
        return packed

    def commit(self, block: int, contents: Sequence[Sequence[Prompted]], effort: Effort) -> PromptReport:
        """Write voices and figures, then the commit."""
        prompted = [one for part in contents for one in part]
        place = block_folder(self.target, block) / block_name(block)
        kept = [one for one in prompted if one.judged.drop is None]
        names = [PROMPTS_FILE]
        (place / PROMPTS_FILE).write_text(
            "".join(f"{json.dumps(_line(one), ensure_ascii=False)}\n" for one in prompted)
        )
        if self.keep:
            write_candidates(place, [_with_clip(one) for one in kept], self.raw)
            names.append(VOICES_TABLE)
        report = PromptReport(
            block,
            len(prompted),
            len(kept),
            dict(sorted(Counter(one.judged.drop.value for one in prompted if one.judged.drop).items())),
            {f"{block_name(block)}/{name}": _hash(place / name) for name in names},
        )
        commit(self.target, block, {"voices": report.voices, "kept": report.kept}, report)
        return report


def write_candidates(place: Place, candidates: Sequence[Candidate], raw: bool) -> str:
    """Write voices with their x-vectors, where they have some, and return the file's SHA-256."""
    vectors = [one.xvector for one in candidates if one.xvector is not None]
    with VoiceWriter(place, raw) as writer:
        writer.write([one.voice for one in candidates], vectors or None)
    return _hash(place / VOICES_TABLE)


def read_candidates(directory: Place, block: int) -> list[Candidate]:
    """Read the voices of a block; raises BlockDamaged if they are missing or not what was written."""
    read_checked(directory, block, f"{block_name(block)}/{VOICES_TABLE}")
    return list(candidates_of(block_folder(directory, block) / block_name(block)))


def candidates_of(bank: Place) -> Iterator[Candidate]:
    """Yield the voices of a bank in the order of its file, with their x-vectors if it has them."""
    for voices, matrix in iter_voices(bank, xvectors=True):
        for row, voice in enumerate(voices):
            yield Candidate(voice, None if matrix is None else matrix[row])


def read_figures(directory: Place, block: int) -> list[dict[str, Any]]:
    """Read the lines of a block; raises BlockDamaged if they are missing or not what was written."""
    data = read_checked(directory, block, f"{block_name(block)}/{PROMPTS_FILE}")
    return [parse_json(line) for line in data.decode("utf-8").splitlines()]


def _with_clip(one: Prompted) -> Candidate:
    voice: Voice = replace(one.candidate.voice, prompt_audio=one.clip.audio, prompt_text=one.clip.text)
    return replace(one.candidate, voice=voice)


def _line(one: Prompted) -> dict[str, Any]:
    voice, judged = one.candidate.voice, one.judged
    figures = {key: value for key, value in asdict(judged).items() if key not in ("drop", "to_parents")}
    return {
        "voice_id": voice.voice_id,
        "language": voice.language,
        "gender": voice.gender,
        "drop": judged.drop.value if judged.drop else None,
        **{key: round(value, 6) if isinstance(value, float) else value for key, value in figures.items()},
        "to_parents": [round(value, 6) for value in judged.to_parents],
        "take": one.clip.take,
        "seconds": round(one.clip.seconds, 3),
        "error_rate": None if one.clip.error_rate is None else round(one.clip.error_rate, 6),
    }


def _hash(place: Place) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()
