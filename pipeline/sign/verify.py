"""Checks the signature of every clip of a corpus, and what the signature says against the row."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from manifests.corpus import Corpus, open_shard_of
from manifests.errors import CorpusError, UserError
from manifests.manifest import FINAL_STATUSES, SIGNER, Manifest, load_manifest, manifest_digest
from manifests.parts import PartKey, RejectedKey, audio_parts, part_label, rejected_parts
from manifests.schema import Audio, Dialogue, FinalStatus
from manifests.shards import ShardInfo
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from pipeline.sign.clip import Signature, read_signature, reading_context, unsigned_bytes
from pipeline.sign.sign import part_claim, source_type

_LISTED = 100


@dataclass
class Verified:
    """Counts the clips. `trusted` is None if no trusted certificates were given; `stamped` have a time stamp.

    `of` counts clips by the hash of the corpus's manifest that their signatures name. `problems` lists the first of
    the `failing` clips. `compared`: whether the unsigned corpus was at hand.
    """

    clips: int = 0
    valid: int = 0
    trusted: int | None = None
    stamped: int = 0
    signers: dict[str, int] = field(default_factory=dict)
    of: dict[str, int] = field(default_factory=dict)
    failing: int = 0
    problems: list[str] = field(default_factory=list)
    compared: bool = False

    @property
    def passed(self) -> bool:
        """Whether there are clips, and the signatures of all hold."""
        return self.clips > 0 and not self.failing

    def merge(self, other: "Verified") -> None:
        """Add what was found in later clips."""
        self.clips += other.clips
        self.valid += other.valid
        self.stamped += other.stamped
        self.failing += other.failing
        if self.trusted is not None:
            self.trusted += other.trusted or 0
        for own, added in ((self.signers, other.signers), (self.of, other.of)):
            for name, clips in added.items():
                own[name] = own.get(name, 0) + clips
        self.problems = [*self.problems, *other.problems][:_LISTED]

    def add_problem(self, where: str, problem: str) -> None:
        """Count a failing clip, and list it if it is among the first."""
        self.failing += 1
        if len(self.problems) < _LISTED:
            self.problems.append(f"{where}: {problem}")


def verify_corpus(
    place: Place,
    trust: str | None = None,
    unsigned: Place | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    spread: Spread = one_by_one,
) -> Verified:
    """Check every clip of the corpus, kept or not, and compare it with the `unsigned` corpus, if that is given.

    `trust` is a PEM file of certificates. Without it, a signature only shows that the bytes are those that somebody
    signed. Raises UserError for a file that cannot be read, CorpusError for a corpus that cannot.

    `spread` does the work shard by shard, but for a comparison with the unsigned corpus.
    """
    manifest = load_manifest(place)
    chain = None if trust is None else _read(trust)
    check = _Check(manifest, chain, unsigned)
    total, done = sum(manifest.counts.rows.values()), 0
    if unsigned is None:
        shards = [shard for status in FINAL_STATUSES for shard in manifest.shards.get(status, ())]
        verify = partial(_verify_shard, place, replace(manifest, shards={}), chain)
        for shard, found in zip(shards, spread(verify, shards), strict=True):
            check.found.merge(found)
            done += shard.rows
            progress(done, total)
        return check.found
    for status in FINAL_STATUSES:
        for dialogue, before in check.pairs(place, status):
            check.add(dialogue, before)
            done += 1
            progress(done, total)
    return check.found


def _verify_shard(place: Place, manifest: Manifest, trust: str | None, shard: ShardInfo) -> Verified:
    """Check the clips of a shard; what is wrong with the corpus's own manifest is not counted again."""
    check = _Check(manifest, trust, None, is_part=True)
    with closing(open_shard_of(place, shard)) as reader:
        for group in range(len(reader.group_rows)):
            for dialogue in reader.dialogues(group):
                check.add(dialogue, None)
    return check.found


class _Check:
    def __init__(self, manifest: Manifest, trust: str | None, unsigned: Place | None, is_part: bool = False) -> None:
        self.found = Verified(trusted=None if trust is None else 0, compared=unsigned is not None)
        self._context = reading_context(trust)
        self._source_type = source_type(manifest)
        self._recipe = manifest.recipe.digest
        self._unsigned = unsigned
        self._expected = None if unsigned is None else manifest_digest(load_manifest(unsigned))
        if SIGNER not in manifest.engines and not is_part:
            self.found.add_problem("manifest.json", f"its engines name no {SIGNER}")

    def pairs(self, place: Place, status: FinalStatus) -> Iterator[tuple[Dialogue, Dialogue]]:
        """Yield the dialogues of a status, each with the same one before it was signed."""
        assert self._unsigned is not None
        corpus, before = Corpus(place, status), Corpus(self._unsigned, status)
        if len(before) != len(corpus):
            raise CorpusError(f"the unsigned corpus has {len(before)} {status} rows, the signed one {len(corpus)}")
        yield from zip(corpus, before, strict=True)

    def add(self, dialogue: Dialogue, before: Dialogue | None) -> None:
        """Check the clips and tracks of a dialogue, and its rejected takes."""
        earlier = {} if before is None else dict(_all_parts(before))
        for key, audio in _all_parts(dialogue):
            signature = read_signature(audio, self._context)
            self._count(signature)
            if problem := self._problem(signature, dialogue.dialogue_id, key, audio, earlier.get(key)):
                self.found.add_problem(f"{dialogue.dialogue_id} {part_label(key)}", problem)

    def _count(self, signature: Signature) -> None:
        found = self.found
        found.clips += 1
        found.valid += signature.is_sound
        found.stamped += signature.is_stamped
        if found.trusted is not None:
            found.trusted += signature.state == "Trusted"
        if signature.is_sound:
            corpus = str(signature.claim.get("corpus"))
            found.signers[signature.signer] = found.signers.get(signature.signer, 0) + 1
            found.of[corpus] = found.of.get(corpus, 0) + 1

    def _problem(
        self,
        signature: Signature,
        dialogue_id: str,
        key: PartKey | RejectedKey,
        audio: Audio,
        earlier: Audio | None,
    ) -> str | None:
        """Return what is wrong with the clip; None: nothing."""
        claim = signature.claim
        if signature.state is None:
            return "no C2PA manifest"
        if not signature.is_sound:
            return f"not valid: {', '.join(signature.faults)}"
        if self.found.trusted is not None and signature.state != "Trusted":
            return "the signer's chain leads to none of the trusted certificates"
        if self._source_type not in signature.source_types:
            return "the manifest does not say how the clip came about"
        parts = {"turn": None, "track": None, "take": None, **part_claim(key)}
        expected = {"dialogue_id": dialogue_id, "recipe": self._recipe, **parts}
        if {name: claim.get(name) for name in expected} != expected:
            return "the signature is that of another clip"
        unsigned = unsigned_bytes(audio.bytes, audio.codec)
        if claim.get("sha256") != hashlib.sha256(unsigned).hexdigest():
            return "the clip without its signature is not the one that was signed"
        if self._expected is not None and claim.get("corpus") != self._expected:
            return "the signature names another corpus than the unsigned one"
        if self._unsigned is not None and (earlier is None or earlier.bytes != unsigned):
            return "the unsigned corpus has another clip"
        return None


def _all_parts(dialogue: Dialogue) -> Iterator[tuple[PartKey | RejectedKey, Audio]]:
    yield from audio_parts(dialogue)
    yield from rejected_parts(dialogue)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise UserError("--trust: not a PEM file that can be read") from None
