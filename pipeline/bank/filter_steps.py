"""Runs in a worker: turns the clips of whole groups into speakers and rejects.

Cheap checks come first: a group that is too small by its metadata alone is never decoded, and clips are encoded only
once their group has enough good ones. So a clip that needs a predicted score is decoded twice, which costs a
thousandth of the engines' time.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from manifests.storage import Place
from pipeline.bank.clips import Unusable, read_blocks
from pipeline.bank.listing import shipped_score
from pipeline.bank.recipe import BankRecipe, WorkerPool
from pipeline.bank.results import BuiltGroups, RejectedClips
from pipeline.bank.speaker import HeardClip, contradiction, make_speaker
from pipeline.engines.contract import Clip, Failure, GenderGuess, Samples
from pipeline.engines.registry import load_engine
from pipeline.job.libraries import check_libraries, library_versions
from pipeline.job.usage import Effort
from voicebank.layouts.clip import SourceClip
from voicebank.reasons import BankReason, bank_reason_of
from voicebank.voice import Speaker

Result = TypeVar("Result")


@dataclass(frozen=True)
class BuildOrder:
    """Tells a worker everything it needs, also on another machine. `roles` are the engines that it must load,
    `libraries` those of the machine where the job began; `raw` says that embeddings keep their length."""

    recipe: BankRecipe
    corpus: Place
    dataset: str
    license: str | None
    roles: tuple[str, ...]
    libraries: Mapping[str, str] = field(default_factory=library_versions)
    raw: bool = False


class BuildWorker:
    """Loads its engines once; raises EngineUnavailable if one cannot load."""

    def __init__(self, order: BuildOrder) -> None:
        check_libraries(order.libraries)
        self._order = order
        named = {role: key for role, key in order.recipe.engines.items() if role in order.roles}
        loaded = {key: load_engine(*key, order.recipe.models) for key in dict.fromkeys(named.values())}
        self._engines = {role: loaded[key] for role, key in named.items()}

    def run(self, clips: Sequence[SourceClip]) -> tuple[BuiltGroups, Effort]:
        speakers, rejects = build_groups(clips, self._order, self._engines)
        return BuiltGroups(len(clips), speakers, rejects), Effort()

    def close(self) -> None:
        """Release what the engines hold outside this process."""
        for engine in self._engines.values():
            if close := getattr(engine, "close", None):
                close()


@dataclass(frozen=True)
class BuildPlan:
    """Plans the only pool of workers of a bank's job."""

    order: BuildOrder
    name: str = "bank"
    blocks_in_flight: int = 1

    @property
    def claims(self) -> WorkerPool:
        return self.order.recipe.pool

    @property
    def takes_batches(self) -> bool:
        return self.claims.gpus > 0

    @property
    def keeps_blocks_whole(self) -> bool:
        return False

    def open(self) -> BuildWorker:
        return BuildWorker(self.order)


class _RemainingClips:
    """Holds the remaining clips, by group, and the rejects so far."""

    def __init__(self, clips: Sequence[SourceClip]) -> None:
        self.rejects: list[RejectedClips] = []
        self.groups: dict[str, list[SourceClip]] = defaultdict(list)
        for clip in clips:
            self.groups[clip.group].append(clip)

    @property
    def clips(self) -> list[SourceClip]:
        return [clip for group in self.groups.values() for clip in group]

    def drop_clips(self, problem: Callable[[SourceClip], Unusable | None]) -> None:
        for name, clips in self.groups.items():
            verdicts = [(clip, problem(clip)) for clip in clips]
            self.rejects += [_reject(name, clip.clip_id, 1, why) for clip, why in verdicts if why]
            self.groups[name] = [clip for clip, why in verdicts if not why]

    def drop_groups(self, problem: Callable[[Sequence[SourceClip]], Unusable | None]) -> None:
        for name, clips in list(self.groups.items()):
            if why := problem(clips):
                self.drop_group(name, why)

    def drop_group(self, name: str, why: Unusable) -> None:
        """Reject the remaining clips of the group; a group without any is still counted, with 0 clips."""
        self.rejects.append(_reject(name, None, len(self.groups.pop(name)), why))


def build_groups(
    clips: Sequence[SourceClip], order: BuildOrder, engines: Mapping[str, Any]
) -> tuple[list[Speaker], list[RejectedClips]]:
    """Return the speakers and rejects of whole groups: each clip is a speaker's, rejected, or in a rejected group."""
    remaining, recipe = _RemainingClips(clips), order.recipe
    too_few = partial(_too_few, recipe.groups.min_clips)
    remaining.drop_clips(_known_problem)
    remaining.drop_groups(_contradictory)
    remaining.drop_groups(too_few)
    scores = _scores(remaining.clips, order, engines.get("quality"))
    remaining.drop_clips(lambda clip: _quality_problem(scores[clip], recipe.quality.threshold))
    remaining.drop_groups(too_few)
    spare = _spare_clips(remaining.groups, recipe.groups.max_clips)
    remaining.drop_clips(lambda clip: Unusable(BankReason.NOT_NEEDED) if clip in spare else None)
    heard = _hear(remaining, order, engines, scores)
    remaining.drop_clips(lambda clip: result if isinstance(result := heard[clip], Unusable) else None)
    remaining.drop_groups(too_few)
    return _speakers(remaining, heard, order), remaining.rejects


def _speakers(
    block: _RemainingClips, heard: Mapping[SourceClip, HeardClip | Unusable], order: BuildOrder
) -> list[Speaker]:
    speakers = []
    for name, clips in list(block.groups.items()):
        good = [result for clip in clips if isinstance(result := heard[clip], HeardClip)]
        made = make_speaker(f"{order.dataset}-{name}", good, order.recipe, order.license, order.raw)
        if isinstance(made, Unusable):
            block.drop_group(name, made)
        else:
            speakers.append(made)
    return speakers


def _known_problem(clip: SourceClip) -> Unusable | None:
    reason = bank_reason_of(clip.reason)
    return Unusable(reason) if reason else None


def _contradictory(clips: Sequence[SourceClip]) -> Unusable | None:
    named = contradiction(clips)
    return Unusable(BankReason.CONTRADICTORY_METADATA, named) if named else None


def _too_few(min_clips: int, clips: Sequence[SourceClip]) -> Unusable | None:
    few = len(clips) < min_clips
    return Unusable(BankReason.TOO_FEW_CLIPS, f"{len(clips)} good clips, {min_clips} needed") if few else None


def _scores(clips: Sequence[SourceClip], order: BuildOrder, engine: Any) -> dict[SourceClip, float | Unusable]:
    """Return each clip's quality: the corpus's score on the recipe's scale, or else the engine's prediction."""
    scale = order.recipe.quality.scale
    scores: dict[SourceClip, float | Unusable] = {}
    unscored = []
    for clip in clips:
        score = shipped_score(clip, scale)
        scores[clip] = Unusable(BankReason.QUALITY_UNKNOWN) if score is None else score
        if score is None:
            unscored.append(clip)
    if engine is None:
        return scores
    for read in read_blocks(order.corpus, unscored, order.recipe.clips):
        block = _LoadedClips(read)
        scores |= block.ask(engine.predict, partial(_predicted, scale))
        scores |= block.bad
    return scores


def _predicted(scale: str, result: Mapping[str, float] | Failure) -> float | Unusable:
    if isinstance(result, Failure):
        return Unusable(BankReason.QUALITY_UNKNOWN, result.detail)
    return result[scale] if math.isfinite(result[scale]) else Unusable(BankReason.QUALITY_UNKNOWN)


def _quality_problem(score: float | Unusable, threshold: float) -> Unusable | None:
    if isinstance(score, Unusable):
        return score
    return Unusable(BankReason.LOW_QUALITY, f"{score:.2f}") if score < threshold else None


def _spare_clips(groups: Mapping[str, Sequence[SourceClip]], most: int | None) -> set[SourceClip]:
    """Choose clips beyond the limit of a group, by hash: the first clips may all come from one moment."""
    if most is None:
        return set()
    return {clip for clips in groups.values() for clip in sorted(clips, key=_hash_of)[most:]}


def _hash_of(clip: SourceClip) -> str:
    return hashlib.sha256(clip.clip_id.encode("utf-8")).hexdigest()


def _hear(
    remaining: _RemainingClips,
    order: BuildOrder,
    engines: Mapping[str, Any],
    scores: Mapping[SourceClip, float | Unusable],
) -> dict[SourceClip, HeardClip | Unusable]:
    heard: dict[SourceClip, HeardClip | Unusable] = {}
    untold = {name for name, clips in remaining.groups.items() if all(clip.gender is None for clip in clips)}
    for read in read_blocks(order.corpus, remaining.clips, order.recipe.clips):
        block = _LoadedClips(read)
        seconds = block.ask(engines["vad"].detect_speech, _speech_s)
        xvectors = block.ask(engines["encoder"].encode, _vector)
        embeddings = _embeddings(block, engines, xvectors)
        guesses = _guesses([pair for pair in block.good if pair[0].group in untold], engines.get("gender"))
        for source, _ in block.good:
            score = scores[source]
            heard[source] = HeardClip(
                source=source,
                quality=None if isinstance(score, Unusable) else score,
                speech_s=seconds[source],
                xvector=xvectors[source],
                embedding=embeddings.get(source),
                guess=guesses.get(source),
            )
        heard |= block.bad
    return heard


class _LoadedClips:
    """Holds some clips in memory: the `good` ones, and the reason for each of the others."""

    def __init__(self, read: Sequence[tuple[SourceClip, Clip | Unusable]]) -> None:
        self.good = [(source, clip) for source, clip in read if isinstance(clip, Clip)]
        self.bad = {source: clip for source, clip in read if isinstance(clip, Unusable)}

    def ask(
        self, verb: Callable[[list[Clip]], Sequence[Any]], read: Callable[[Any], Result | Unusable]
    ) -> dict[SourceClip, Result]:
        """Ask an engine about the good clips; a clip without a usable result becomes bad."""
        answers = verb([clip for _, clip in self.good]) if self.good else []
        results: dict[SourceClip, Result] = {}
        for (source, _), answer in zip(self.good, answers, strict=True):
            result = read(answer)
            if isinstance(result, Unusable):
                self.bad[source] = result
            else:
                results[source] = result
        self.good = [pair for pair in self.good if pair[0] in results]
        return results


def _embeddings(
    block: _LoadedClips, engines: Mapping[str, Any], xvectors: Mapping[SourceClip, Samples]
) -> Mapping[SourceClip, Samples]:
    if "embedding" not in engines:
        return {}
    if engines["embedding"] is engines["encoder"]:
        return xvectors
    return block.ask(engines["embedding"].encode, _vector)


def _speech_s(result: Sequence[tuple[float, float]] | Failure) -> float | Unusable:
    if isinstance(result, Failure):
        return Unusable(BankReason.NO_SPEECH, result.detail)
    seconds = math.fsum(end - start for start, end in result)
    return seconds if seconds > 0 else Unusable(BankReason.NO_SPEECH)


def _vector(result: Samples | Failure) -> Samples | Unusable:
    return Unusable(BankReason.NOT_ENCODED, result.detail) if isinstance(result, Failure) else result


def _guesses(pairs: Sequence[tuple[SourceClip, Clip]], engine: Any) -> dict[SourceClip, GenderGuess]:
    """Return the predicted genders, without clips that failed: the other clips of the group are enough."""
    if engine is None or not pairs:
        return {}
    results = engine.predict([clip for _, clip in pairs])
    return {source: guess for (source, _), guess in zip(pairs, results, strict=True) if isinstance(guess, GenderGuess)}


def _reject(group: str, clip_id: str | None, clips: int, why: Unusable) -> RejectedClips:
    return RejectedClips(group, clip_id, clips, why.reason.value, why.detail or None)
