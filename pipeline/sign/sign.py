"""Signs a corpus: writes a copy of it whose clips carry C2PA manifests, shard by shard.

::

    OUT/shards, audio, metadata.json   as in the corpus, but for the manifests in the clips
    OUT/tokens                         its token sets, which are then of the signed corpus
    OUT/manifest.json                  written last: as in the corpus, with other hashes and the library that signed
    OUT/work/                          while it runs: job.json, and pieces/NAME.json for each shard that is written

The corpus itself stays as it is. Two signatures of the same clip are never the same bytes, so a shard that is written
is kept; its clips name the corpus and the hash of the unsigned clip.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

from manifests.clips import write_clips
from manifests.errors import CorpusError, UserError
from manifests.manifest import SIGNER, ClipFiles, Manifest, load_manifest, manifest_digest, write_manifest
from manifests.parts import PartKey, RejectedKey, audio_parts, track_name, with_parts, with_rejected
from manifests.schema import Audio, Dialogue, Step, Watermark
from manifests.shards import ShardInfo, read_shard, write_shard
from manifests.storage import Place
from manifests.validate import check_files
from manifests.writer import METADATA_NAME, OWN_NAMES, shard_path
from pipeline.job.blocks import read_json
from pipeline.job.directory import WORK, JobDirectory
from pipeline.job.runner.tasks import Runner
from pipeline.sign.clip import ALGORITHMIC, TRAINED, c2pa_version, sign_clip
from pipeline.sign.signer import SignerPlan
from pipeline.sign.token_copies import copy_token_sets, token_sets_of

_PIECES = "pieces"


@dataclass(frozen=True)
class Signed:
    """Says what was signed: the number of clips, the signer's name, and the hash of the unsigned corpus's manifest."""

    clips: int
    signer: str
    of: str


@dataclass(frozen=True)
class _Task:
    """Names a shard to sign, what its clips are to say, and where its record goes."""

    shard: ShardInfo
    status: str
    claim: Mapping[str, Any]
    source_type: str
    record: Place


def sign_corpus(
    place: Place, out: Place, plan: SignerPlan, runner: Runner, progress: Callable[[int, int], None]
) -> Signed:
    """Write a signed copy of the corpus `place` into `out`, or continue an earlier run of the same.

    `progress` gets the numbers of rows done and of all rows. Raises UserError for a signer that cannot sign or a
    corpus that is signed already, CorpusError for one that is damaged, ResumeRefused if `out` holds something else.
    """
    manifest = load_manifest(place)
    check_files(place, manifest)
    if SIGNER in manifest.engines:
        raise UserError(f"{place.name} is signed already: sign the corpus that it was made of")
    if f"{out.path.rstrip('/')}/".startswith(f"{place.path.rstrip('/')}/"):
        raise UserError("--out lies inside the corpus: choose a directory beside it")
    plan.open()  # a wrong certificate is told before any work, and so are damaged token sets
    token_sets_of(place)
    digest = manifest_digest(manifest)
    identity = {"corpus": digest, "certificate": plan.digest(), "library": c2pa_version(), "parley": version("parley")}
    directory = JobDirectory(out, out / WORK, frozenset({*OWN_NAMES, WORK}), "signed corpus")
    with directory.owned() as directory:
        directory.claim(identity)
        tasks = _tasks(place, manifest, directory.work)
        try:
            _sign_shards(place, tasks, directory, plan, runner, progress)
        finally:
            runner.close()
        directory.check_owner()
        clips = _finish(place, manifest, directory.out, tasks)
    directory.work.delete()
    return Signed(clips, plan.subject(), digest)


def source_type(manifest: Manifest) -> str:
    """Return IPTC's term for how the clips came about: tones are computed, all other voices are trained."""
    voices = {name for name in manifest.engines if name.startswith("tts/")}
    return ALGORITHMIC if voices == {"tts/tone"} else TRAINED


def _tasks(place: Place, manifest: Manifest, work: Place) -> list[_Task]:
    """Return a task for each shard; raises CorpusError for a path that is not a shard's: it may point anywhere."""
    claim = {"corpus": manifest_digest(manifest), "recipe": manifest.recipe.digest}
    tasks = []
    for status, shards in manifest.shards.items():
        for number, shard in enumerate(shards):
            if shard.path != shard_path(status, number):
                raise CorpusError(f"{place.name}: a shard of {status} rows has the wrong path {shard.path}")
            record = work / _PIECES / f"{status}-{number:05d}.json"
            tasks.append(_Task(shard, status, claim, source_type(manifest), record))
    return tasks


def _sign_shards(
    place: Place,
    tasks: list[_Task],
    directory: JobDirectory,
    plan: SignerPlan,
    runner: Runner,
    progress: Callable[[int, int], None],
) -> None:
    """Sign the shards that no earlier run has signed."""
    total = sum(task.shard.rows for task in tasks)
    todo = [task for task in tasks if not task.record.exists()]
    done = total - sum(task.shard.rows for task in todo)
    progress(done, total)
    for rows in runner.map(partial(_sign_shard, place, directory.out, plan), todo):
        done += rows
        progress(done, total)
        directory.check_owner()


def _sign_shard(place: Place, out: Place, plan: SignerPlan, task: _Task) -> int:
    """Write the shard and its clip files with signed clips, then its record; return the number of its rows."""
    signer, counts = plan.open(), Counter[str]()
    rows = (dialogue for group in read_shard(place / task.shard.path) for dialogue in group)
    signed = (_signed(dialogue, task, signer, counts) for dialogue in rows)
    info = write_shard(out / task.shard.path, _with_files(out, signed), task.shard.path)
    if info.rows != task.shard.rows:
        raise CorpusError(f"{task.shard.path}: {info.rows} rows, but the manifest says {task.shard.rows}")
    task.record.write_text(json.dumps({"shard": asdict(info), **counts}))
    return info.rows


def _with_files(out: Place, dialogues: Iterator[Dialogue]) -> Iterator[Dialogue]:
    """Write the clips of the rows that had clip files; yield the dialogues, in order."""
    for dialogue in dialogues:
        has_files = any(audio.path is not None for _, audio in audio_parts(dialogue))
        yield from write_clips(out, [dialogue]) if has_files else [dialogue]


def _signed(dialogue: Dialogue, task: _Task, signer: Any, counts: Counter[str]) -> Dialogue:
    marks = marks_of(dialogue)

    def sign(key: PartKey | RejectedKey, audio: Audio) -> Audio:
        mark = marks[key]
        claim = {
            **task.claim,
            "dialogue_id": dialogue.dialogue_id,
            **part_claim(key),
            "watermark": {"method": mark.method, "message": mark.message} if mark else None,
        }
        signed = sign_clip(audio, claim, task.source_type, version("parley"), signer)
        counts["clips"] += 1
        if signed.path is not None:
            counts.update(files=1, bytes=len(signed.bytes))
        return signed

    signed = with_rejected(with_parts(dialogue, sign), sign)
    last = max((turn.take.number for turn in signed.turns if turn.take), default=0)
    step = Step("sign", "c2pa", c2pa_version(), None, last)
    return replace(signed, provenance=(*signed.provenance, step))


def part_claim(key: PartKey | RejectedKey) -> dict[str, Any]:
    """Return what a signature says of which part of its row it signs: the number of a turn, or the name of a track.

    Of a rejected take that was kept, it says the number of the take too.
    """
    if isinstance(key, tuple):
        return {"turn": key[0], "take": key[1]}
    return {"turn": key} if isinstance(key, int) else {"track": key}


def marks_of(dialogue: Dialogue) -> dict[PartKey | RejectedKey, Watermark | None]:
    """Return the watermark of each clip, track and rejected take, as the row records it."""
    marks: dict[PartKey | RejectedKey, Watermark | None] = {
        number: turn.take.watermark for number, turn in enumerate(dialogue.turns) if turn.take
    }
    for number, turn in enumerate(dialogue.turns):
        marks |= {(number, take.number): take.watermark for take in turn.rejected_clips}
    tracks = dialogue.timeline.tracks if dialogue.timeline else ()
    return marks | {track_name(track): track.watermark for track in tracks}


def _finish(place: Place, manifest: Manifest, out: Place, tasks: list[_Task]) -> int:
    """Copy the index of the dialogues, write the manifest, and return the number of signed clips."""
    if manifest.metadata is not None:
        data = (place / METADATA_NAME).read_bytes()
        if hashlib.sha256(data).hexdigest() != manifest.metadata.sha256:
            raise CorpusError(f"{place.name}/{METADATA_NAME}: the sha256 is not the one in the manifest")
        (out / METADATA_NAME).write_bytes(data)
    records = [read_json(task.record) for task in tasks]
    shards: dict[str, tuple[ShardInfo, ...]] = {}
    for task, record in zip(tasks, records, strict=True):
        shards[task.status] = (*shards.get(task.status, ()), ShardInfo(**record["shard"]))
    total = Counter[str]()
    for record in records:
        total.update({name: record.get(name, 0) for name in ("clips", "files", "bytes")})
    files = ClipFiles(total["files"], total["bytes"]) if total["files"] else None
    engines = {**manifest.engines, SIGNER: c2pa_version()}
    signed = replace(manifest, shards=shards, clips=files, engines=engines)
    copy_token_sets(place, out, signed)
    write_manifest(out, signed)
    return total["clips"]
