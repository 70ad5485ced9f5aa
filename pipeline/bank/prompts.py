"""Gives the voices of a bank clips, so that synthesizers that clone can speak with them: its identity and its steps.

::

    OUT/work/...          job.json, input.json, log.jsonl: see `pipeline.job.directory`
    OUT/work/real/        blocks of real voices that spoke, to measure the leak limit (`real-voices/`: before)
    OUT/work/voices/      the blocks of voices
    OUT/work/spoken/      the finished blocks, see `pipeline.bank.prompt_blocks`
    OUT/voices.parquet    the voices with clips; prompts.jsonl: a line for each voice; card.json is written last
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from manifests.errors import RecipeError, UserError
from manifests.storage import Place
from pipeline.bank.prompt_bank import pack_prompts
from pipeline.bank.prompt_blocks import (
    PROMPTS_FILE,
    PromptBlocks,
    candidates_of,
    read_figures,
    write_candidates,
)
from pipeline.bank.prompt_worker import (
    Candidate,
    PromptOrder,
    PromptPlan,
    check_languages,
    real_voice,
    sentences,
    spoken_language,
)
from pipeline.bank.recipe import BankRecipe
from pipeline.engines.registry import check_verifier, engine_version
from pipeline.job.commits import block_folder, block_name, delete_block_leftovers, finished_blocks, write_hashes
from pipeline.job.directory import WORK, Cut, JobDirectory, Parts
from pipeline.job.libraries import library_versions
from pipeline.job.listener import Listener
from pipeline.job.repair import repairing
from pipeline.job.runner.tasks import Runner
from pipeline.recipe import Recipe
from pipeline.scoring.normalize import metric
from pipeline.stages.cast import engines_and_models
from pipeline.stages.gate import gate_of
from pipeline.stages.synthesize import speaks_with
from pipeline.stages.transcribe import TranscribeSettings
from voicebank.bank import Bank, bank_place, load_bank, load_card
from voicebank.blend_options import LEAK_QUANTILE
from voicebank.prompts import PromptRule, dataset_prefixes, measured_limit, own_name
from voicebank.speaker_table import load_speaker_table
from voicebank.tables import CARD_FILE, VOICES_TABLE, read_card

REAL_VOICES, REAL, VOICES, SPOKEN = "real-voices", "real", "voices", "spoken"
OWN_NAMES = (WORK, VOICES_TABLE, PROMPTS_FILE, CARD_FILE)
BLOCK_VOICES = 32
_FIXED = ("bank", "options", "engines.encoder/", "sentences", "real")


@dataclass(frozen=True)
class VoiceListing:
    """Describes the voices in `input.json`."""

    voices: int
    blocks: int
    sha256: str


@dataclass(frozen=True)
class PromptJob:
    """Describes the clips to make, of the voices of `bank`, a name or a directory.

    `real` is the bank of the people that no clip may sound like, None: nobody is compared; `rules` names the encoder
    that compares. A `leak_limit` of None is measured on `real_voices` real voices of each language, which speak the
    same sentence; an `error_limit` of None is the gate's of the recipe. A voice that is not heard well speaks up to
    `takes` times.
    """

    bank: str
    recipe: Recipe
    real: Place | None = None
    rules: BankRecipe | None = None
    takes: int = 2
    error_limit: float | None = None
    leak_limit: float | None = None
    real_voices: int = 40


def make_prompts(
    job: PromptJob, out: Place, runner: Runner, listener: Listener, accept_changes: bool = False
) -> dict[str, Any]:
    """Make the bank with clips in `out`, continuing an earlier run of the same job; return its card.

    Raises UserError for a bank that needs or gets no clips; RecipeError where the recipe cannot speak with or hear its
    voices; EngineUnavailable, and ResumeRefused for another job's directory.
    """
    bank = load_bank(job.bank)
    _check(job, bank)
    directory = JobDirectory(out, out / WORK, OWN_NAMES, "bank", TypeAdapter(VoiceListing))
    parts = prompt_parts(job, bank)
    if not (out / CARD_FILE).exists():
        with directory.owned() as directory:
            if not (out / CARD_FILE).exists():  # a moment ago another process may have finished it
                directory.claim(parts, _FIXED, accept_changes)
                return _make(job, bank, directory, runner, listener)
    directory.check_finished(parts)
    return read_card(out)


def prompt_parts(job: PromptJob, bank: Bank) -> Parts:
    """Return everything that decides the clips; raises EngineUnavailable for a missing engine."""
    recipe = job.recipe
    engines = {f"tts/{name}": engine_version("tts", name, recipe.models) for name in _speaking(job, bank).values()}
    listeners = recipe.section(TranscribeSettings)
    for name in sorted({name for name in map(listeners.engine_for, _languages(bank)) if name}):
        engines[f"asr/{name}"] = engine_version("asr", name, recipe.models)
    if job.rules is not None:
        encoder = job.rules.pair_rule.encoder
        engines[f"encoder/{encoder}"] = engine_version("encoder", encoder, job.rules.models)
    return {
        "parley": version("parley"),
        "libraries": library_versions(),
        "bank": bank.digest,
        "real": None if job.real is None else load_speaker_table(job.real).digest,
        "engines": engines,
        "models": recipe.content()["models"],
        "sentences": hashlib.sha256(json.dumps(sentences(), ensure_ascii=False).encode("utf-8")).hexdigest(),
        "options": {
            "takes": job.takes,
            "error_limits": _error_limits(job, bank),
            "leak_limit": job.leak_limit,
            "real_voices": job.real_voices,
        },
    }


def _check(job: PromptJob, bank: Bank) -> None:
    if any(voice.is_recorded for voice in bank.voices):
        raise UserError(f"the voices of the bank {bank.name} have clips already")
    with_embedding = sum(voice.embedding is not None for voice in bank.voices)
    if with_embedding not in (0, len(bank.voices)):
        raise UserError(
            f"only {with_embedding} of {len(bank.voices)} voices of the bank {bank.name} have an embedding"
        )
    check_languages(bank.voices)
    _speaking(job, bank)
    listeners = job.recipe.section(TranscribeSettings)
    if deaf := [language for language in _languages(bank) if listeners.engine_for(language) is None]:
        raise RecipeError(f"the recipe {job.recipe.name} has no recognizer for {', '.join(deaf)}")
    if job.real is not None and job.rules is not None:
        check_verifier(job.rules.pair_rule.encoder, job.rules.models)
        built_with = (read_card(job.real).get("encoder") or {}).get("label")
        label = engine_version("encoder", job.rules.pair_rule.encoder, job.rules.models)
        if built_with is not None and built_with != label:
            raise UserError(f"the real speakers' encoder is {built_with}, that of --bank-recipe is {label}")


def _speaking(job: PromptJob, bank: Bank) -> dict[str, str]:
    """Return the recipe's name of each engine that the voices name."""
    engines = sorted({voice.engine for voice in bank.voices})
    if strange := [engine for engine in engines if engine not in engines_and_models(job.recipe)]:
        raise RecipeError(f"the recipe {job.recipe.name} has no speech engine for voices of {', '.join(strange)}")
    return {engine: speaks_with(job.recipe, engine) for engine in engines}


def _languages(bank: Bank) -> list[str]:
    return sorted({spoken_language(voice) for voice in bank.voices})


def _error_limits(job: PromptJob, bank: Bank) -> dict[str, float]:
    gate = gate_of(job.recipe)
    limits = {language: gate.limit(metric(language)) for language in _languages(bank)}
    return limits if job.error_limit is None else dict.fromkeys(limits, job.error_limit)


def _make(job: PromptJob, bank: Bank, directory: JobDirectory, runner: Runner, listener: Listener) -> dict[str, Any]:
    """Run the steps, and make damaged blocks again."""
    voices, spoken = directory.work / VOICES, directory.work / SPOKEN

    def cut() -> Cut:
        return _cut(_candidates(job, bank), voices, bank.raw)

    def make() -> dict[str, Any]:
        try:
            order = _order(job, bank)
            if job.real is not None and job.leak_limit is None:
                limit = _measure_limit(job, bank, order, directory, runner, listener)
                order = replace(order, rule=replace(order.rule, leak=limit))
            listing = VoiceListing(**directory.cut_once(voices, cut))
            _run(PromptBlocks(voices, spoken, bank.raw), listing.voices, order, directory, runner, listener)
        finally:
            runner.close()
        directory.check_owner()
        made = _made(job, bank, order)
        return pack_prompts(directory.out, spoken, listing.blocks, bank.raw, load_card(job.bank), made)

    return repairing(make, voices, [directory.work / REAL, spoken], lambda: directory.cut_again(voices, cut), listener)


def _order(job: PromptJob, bank: Bank) -> PromptOrder:
    rules = job.rules if job.real is not None else None
    return PromptOrder(
        recipe=job.recipe,
        engines=tuple(_speaking(job, bank)),
        rule=PromptRule(_error_limits(job, bank), job.leak_limit),
        takes=job.takes,
        real=job.real,
        prefixes=tuple(_prefixes(job)),
        encoder=None if rules is None else rules.pair_rule.encoder,
        encoder_models={} if rules is None else rules.models,
    )


def _prefixes(job: PromptJob) -> list[str]:
    return [] if job.real is None else dataset_prefixes(read_card(job.real).get("sources", []))


def _candidates(job: PromptJob, bank: Bank) -> Iterator[Candidate]:
    """Yield the voices with their x-vectors; a bank written by hand has none."""
    place = bank_place(job.bank)
    return candidates_of(place) if (place / VOICES_TABLE).is_file() else map(Candidate, bank.voices)


def _cut(candidates: Iterator[Candidate], target: Place, raw: bool) -> Cut:
    hashes: list[str] = []
    voices = 0
    while block := list(islice(candidates, BLOCK_VOICES)):
        hashes.append(write_candidates(block_folder(target, len(hashes)) / block_name(len(hashes)), block, raw))
        voices += len(block)
    total = hashlib.sha256("".join(hashes).encode("ascii")).hexdigest()
    return Cut(asdict(VoiceListing(voices, len(hashes), total)), hashes)


def _run(
    blocks: PromptBlocks, voices: int, order: PromptOrder, directory: JobDirectory, runner: Runner, listener: Listener
) -> None:
    delete_block_leftovers(blocks.target)
    done = finished_blocks(blocks.target)
    settled, kept = (sum(counts[name] for counts in done.values()) for name in ("voices", "kept"))
    listener.started(voices, settled, kept)
    sizes = {block: min(BLOCK_VOICES, voices - start) for block, start in enumerate(range(0, voices, BLOCK_VOICES))}
    todo = {block: size for block, size in sizes.items() if block not in done}
    directory.run(todo, blocks, [PromptPlan(order)], runner, listener)


def _measure_limit(
    job: PromptJob, bank: Bank, order: PromptOrder, directory: JobDirectory, runner: Runner, listener: Listener
) -> float:
    """Let real voices speak the sentence, and return their leak limit, or that of blending where it is lower."""
    before, after = directory.work / REAL_VOICES, directory.work / REAL
    real = _real_candidates(job, bank)
    before.delete()
    cut = _cut(iter(real), before, bank.raw)
    write_hashes(before, cut.hashes)
    _run(PromptBlocks(before, after, bank.raw, keep=False), len(real), order, directory, runner, listener)
    figures = [line for block in range(len(cut.hashes)) for line in read_figures(after, block)]
    own = [line["to_parents"][0] for line in figures if line["to_parents"]]
    return min([measured_limit(own), *_blending_limit(job)])


def _blending_limit(job: PromptJob) -> list[float]:
    """Return the leak limit by which blending goes, where the real bank's card has one."""
    halves = {} if job.real is None else read_card(job.real).get("half_similarity") or {}
    return [float(halves[LEAK_QUANTILE])] if LEAK_QUANTILE in halves else []


def _real_candidates(job: PromptJob, bank: Bank) -> list[Candidate]:
    """Return some real voices of each language that the bank speaks, spread evenly, for the first engine."""
    assert job.real is not None
    table, prefixes = load_speaker_table(job.real), _prefixes(job)
    engine = next(iter(_speaking(job, bank)))
    chosen: list[int] = []
    for language in _languages(bank):
        rows = [row for row in range(len(table)) if table.languages[row] == language]
        spread = np.unique(np.linspace(0, max(len(rows) - 1, 0), min(job.real_voices, len(rows))).astype(int))
        chosen += [rows[index] for index in spread] if rows else []
    if table.embeddings is not None and not any(voice.embedding is not None for voice in bank.voices):
        table = replace(table, embeddings=None)
    return [Candidate(real_voice(table, row, engine, own_name(table.ids[row], prefixes))) for row in chosen]


def _made(job: PromptJob, bank: Bank, order: PromptOrder) -> dict[str, Any]:
    """Return how the clips were made, for the card."""
    return {
        "bank": {"name": bank.name, "digest": bank.digest},
        "engines": prompt_parts(job, bank)["engines"],
        "sentences": {language: list(sentences()[language]) for language in _languages(bank)},
        "limits": {"error": dict(order.rule.errors), "leak": order.rule.leak},
        "leak_limit_measured": job.real is not None and job.leak_limit is None,
    }
