"""Makes a token set of a finished corpus, or continues one that was broken off.

::

    CORPUS/tokens/NAME/work/coded/   while it runs: the codes of each row group, see `pipeline.tokens.work`
    CORPUS/tokens/NAME/*.parquet     the files of the set, written when all row groups are there
    CORPUS/tokens/NAME.json          written last
"""

import json
from collections import Counter
from dataclasses import replace
from importlib.metadata import version

from manifests.corpus import Corpus, open_shard_of
from manifests.errors import CorpusError, ResumeRefused, UserError
from manifests.manifest import manifest_hash
from manifests.shards import ShardInfo
from manifests.storage import Place
from manifests.token_sets import (
    TOKENS,
    TokenSet,
    check_set_name,
    load_token_set,
    token_file,
    token_set_names,
    token_shard_path,
    write_token_set,
    write_token_shard,
)
from manifests.validate import check_files
from pipeline.engines.registry import engine_version
from pipeline.job.commits import delete_block_leftovers, finished_blocks, read_reports
from pipeline.job.directory import WORK, JobDirectory, Parts, differences
from pipeline.job.listener import Listener
from pipeline.job.repair import repairing
from pipeline.job.runner.tasks import Runner
from pipeline.tokens.work import KIND, TokenBlocks, TokenOrder, TokenPlan

CODED = "coded"


def make_token_set(place: Place, name: str, order: TokenOrder, runner: Runner, listener: Listener) -> TokenSet:
    """Make the token set `name` of the corpus `place`, whose kept rows it is of; return what it says.

    Raises UserError for a name that cannot be one and a corpus without kept rows, CorpusError for a corpus that is
    damaged, EngineUnavailable, and ResumeRefused where the name is taken by a set that was made otherwise.
    """
    check_set_name(name)
    corpus = Corpus(place)
    check_files(place, corpus.manifest)
    if not len(corpus):
        raise UserError(f"{place.name} has no kept row to tokenize")
    if TOKENS in place.links():
        raise UserError(f"{place.name}: {TOKENS} is a symbolic link: tokens are not written through it")
    parts = _parts(place, order)
    directory = JobDirectory(place / TOKENS / name, place / TOKENS / name / WORK, None, "token set")
    if name not in token_set_names(place):
        with directory.owned() as directory:
            if name not in token_set_names(place):  # a moment ago another process may have finished it
                directory.claim(parts)
                (place / TOKENS).delete_leftovers(token_file(place, name).name)
                _make(corpus, name, order, parts, directory, runner, listener)
    found = load_token_set(place, name)
    if changed := list(differences(found.about, parts)):
        raise ResumeRefused(
            f"the token set {name} was made otherwise; changed: {', '.join(changed)}. Take another --name, or remove "
            f"{TOKENS}/{name} and {TOKENS}/{name}.json"
        )
    directory.work.delete()
    return found


def _parts(place: Place, order: TokenOrder) -> Parts:
    """Return everything that decides the codes; raises EngineUnavailable where the engine is missing."""
    model = order.models.get(order.engine)
    settings = model.model_dump(mode="json", exclude={"serving"}) if model else {"engine": order.engine}
    return {
        "corpus": manifest_hash(place),
        "engine": engine_version(KIND, order.engine, order.models),
        "settings": settings,
        "of": order.of,
        "role": order.role,
        "parley": version("parley"),
    }


def _make(
    corpus: Corpus,
    name: str,
    order: TokenOrder,
    parts: Parts,
    directory: JobDirectory,
    runner: Runner,
    listener: Listener,
) -> None:
    kept = corpus.manifest.shards["kept"]
    blocks = TokenBlocks(corpus.place, directory.work / CODED, tuple(_groups(corpus.place, kept)))

    def make() -> None:
        try:
            _run(blocks, order, directory, runner, listener)
        finally:
            runner.close()
        directory.check_owner()
        _finish(corpus, name, parts, blocks)

    repairing(make, corpus.place, [blocks.target], lambda: None, listener)


def _groups(place: Place, kept: tuple[ShardInfo, ...]) -> list[tuple[ShardInfo, int]]:
    """Return the row groups of the kept shards, in order: the blocks of the job."""
    found = []
    for shard in kept:
        reader = open_shard_of(place, shard)
        found += [(shard, group) for group in range(len(reader.group_rows))]
        reader.close()
    return found


def _run(blocks: TokenBlocks, order: TokenOrder, directory: JobDirectory, runner: Runner, listener: Listener) -> None:
    delete_block_leftovers(blocks.target)
    done = finished_blocks(blocks.target)
    sizes = _sizes(blocks)
    listener.started(sum(sizes.values()), sum(sizes[block] for block in done))
    todo = {block: rows for block, rows in sizes.items() if block not in done}
    directory.run(todo, blocks, [TokenPlan(order)], runner, listener)


def _sizes(blocks: TokenBlocks) -> dict[int, int]:
    """Return about how many rows each block has: a shard's, shared evenly among its row groups."""
    groups = Counter(shard.path for shard, _ in blocks.groups)
    return {block: -(-shard.rows // groups[shard.path]) for block, (shard, _) in enumerate(blocks.groups)}


def _finish(corpus: Corpus, name: str, parts: Parts, blocks: TokenBlocks) -> None:
    """Join the blocks to a file for each shard, and write what the set says last."""
    reports = read_reports(blocks.target)
    if len(facts := {json.dumps(report["facts"], sort_keys=True) for report in reports}) != 1:
        raise CorpusError(
            f"{corpus.place.name}: the tokenizer changed on the way: remove {TOKENS}/{name} and begin again"
        )
    without = Counter[str]()
    for report in reports:
        without.update(report["without"])
    unwritten = TokenSet(
        name=name,
        **json.loads(facts.pop()),
        manifest_sha256=manifest_hash(corpus.place),
        parley_version=version("parley"),
        rows=sum(report["rows"] for report in reports),
        clips=sum(report["clips"] for report in reports),
        frames=sum(report["frames"] for report in reports),
        without=dict(sorted(without.items())),
        shards=(),
        about=json.loads(json.dumps(parts)),
    )
    if unwritten.rows != len(corpus):
        raise CorpusError(f"{corpus.place.name}: {unwritten.rows} rows were tokenized, but {len(corpus)} are kept")
    written = []
    for shard in corpus.manifest.shards["kept"]:
        numbers = [block for block, (of, _) in enumerate(blocks.groups) if of.path == shard.path]
        groups = (blocks.table(number) for number in numbers)
        written.append(write_token_shard(corpus.place, token_shard_path(name, shard), groups, unwritten))
    write_token_set(corpus.place, replace(unwritten, shards=tuple(written)))
