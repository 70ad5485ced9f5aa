"""Spoiled files that people or other programs write: recipes, `--set`, prompts, banks, manifests, files of a job."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.corpus import Corpus
from manifests.manifest import checksum_text
from manifests.stats import stats
from manifests.storage import Place, open_place
from manifests.validate import validate
from parley.testing import make_corpus, make_rows
from pipeline.audit.corpus_view import open_view
from pipeline.bank.recipe import load_bank_recipe, shipped_bank_recipes
from pipeline.engines.text._chat.template import load_template
from pipeline.job.directory import WORK
from pipeline.prompts import named_digest, prompt_names, prompt_root, write_lock
from pipeline.recipe_file import text_of
from pipeline.recipes.load import load_recipe, shipped_recipes
from tests.mutations.mutate import Outcome, odd_value, spoil, spoil_json
from tests.pipeline.tone_job import ROWS, StopAfter, make_job, run_tone
from voicebank.bank import load_bank, load_card
from voicebank.exchange.entry import read_side_table
from voicebank.exchange.formats import exchange_format
from voicebank.layouts import LAYOUTS

_OVERRIDES = (
    "gate.wer_limit=0.1", "block_rows=4", "pack.clips=true", "synthesize.engine=tone", "name=x", "languages=[en, zh]",
    "texts.question_limit={en: 30}", "models.x={engine: openai, model: m}", "assess={}", "dedup=null", "stages=[gate]",
    "gate.ladder=[{rate: 0.9}]", "pools.x={stages: [gate]}", "render.edge_silence_ms=100", "transcribe.engine={en: x}",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file in its place, what reads it, and how it is spoiled; `after` mends what depends on it, such as a lock."""

    what: str
    file: Path
    read: Callable[[], Any]
    spoil: Callable[[bytes, random.Random], bytes] = spoil
    after: Callable[[], Any] = lambda: None


def spoil_written(count: int, seed: int, where: Path) -> Outcome:
    """Read that many spoiled files; each is whole again afterwards."""
    outcome, cases = Outcome(), list(_cases(where))
    for number in range(count):
        dice = random.Random(f"{seed} written {number}")
        if dice.random() < 0.15:
            overrides = [_override(dice) for _ in range(dice.choice((1, 1, 2)))]
            outcome.attempt(f"--set {overrides!r}", lambda given=overrides: load_recipe("tone-dry-run", given))
            continue
        case = dice.choice(cases)
        whole = case.file.read_bytes()
        case.file.write_bytes(case.spoil(whole, dice))
        case.after()
        outcome.attempt(f"{case.what} (number {number})", case.read)
        case.file.write_bytes(whole)
        case.after()
    return outcome


def _override(dice: random.Random) -> str:
    """Return a spoiled `--set`, as a shell can pass it on: no NUL, and what is no text is refused before."""
    key, _, value = dice.choice(_OVERRIDES).partition("=")
    if dice.random() < 0.3:
        value = str(odd_value(dice))
    text = f"{key}={value}".encode("utf-8", "replace")
    text = spoil(text, dice) if dice.random() < 0.8 else text
    return text.decode("utf-8", "replace").replace("\0", "")


def _cases(where: Path) -> Iterator[Case]:
    yield from _recipes(where / "recipes")
    yield from _prompts(where / "prompts")
    yield from _banks(where / "banks")
    yield from _corpora(where / "corpora")
    yield from _jobs(where / "jobs")


def _recipes(where: Path) -> Iterator[Case]:
    kinds: tuple[tuple[Sequence[str], str, Callable[[str], Any]], ...] = (
        (shipped_recipes(), "pipeline.recipes", load_recipe),
        (shipped_bank_recipes(), "pipeline.bank.recipes", load_bank_recipe),
    )
    for names, package, load in kinds:
        for name in names:
            file = _written(where / package / f"{name}.yaml", text_of(name, package, "recipe").encode())
            yield Case(f"recipe {name}", file, lambda file=file, load=load: load(str(file)))


def _prompts(root: Path) -> Iterator[Case]:
    shutil.copytree(prompt_root(), root)

    def read() -> None:
        for name in prompt_names(root):
            named_digest(str(name), name.languages, root)

    yield Case("prompts/LOCK", root / "LOCK", read)
    for file in sorted(root.rglob("v*.yaml")):
        task, language, name = file.relative_to(root).parts
        full = f"{task}/{name.removesuffix('.yaml')}"
        wanted = lambda full=full, language=language: load_template(full, language, root)  # noqa: E731
        yield Case(f"prompt {full} {language}", file, wanted, after=lambda: write_lock(root))


def _banks(where: Path) -> Iterator[Case]:
    bank = where / "tone"
    shutil.copytree(Path(__file__).parents[2] / "voicebank" / "voices" / "tone", bank)
    yield Case("voices.jsonl", bank / "voices.jsonl", lambda: load_bank(bank))
    yield Case("card.json", bank / "card.json", lambda: (load_bank(bank), load_card(bank)), spoil_json)
    references = where / "references"
    rows = b'[{"ref_wav_path": "a.wav", "prompt_text": "Hello."}, {"ref_wav_path": "b.wav", "prompt_text": "Hi."}]'
    file = _written(references / "ref.json", rows)
    kind = exchange_format("cleans2s")
    yield Case("ref.json", file, lambda: kind.read(open_place(references), "cosyvoice"), spoil_json)
    lines = b'{"name": "a", "speaker": "' + b"\xe8\x98\x81" * 30 + b'"}\n'
    file = _written(where / "speakers.jsonl", lines)
    yield Case(
        "speakers.jsonl", file, lambda: exchange_format("chattts").read(open_place(where / "speakers.jsonl"), "")
    )
    file = _written(where / "genders.csv", b"name,gender,language\na,female,en\nb,male,zh\n")
    yield Case("genders.csv", file, lambda: read_side_table(open_place(where / "genders.csv")))
    corpus = where / "recordings"
    line = b'{"path": "a.wav", "language": "en", "speaker": "s", "quality": 4.5, "text": "Hello."}\n'
    file = _written(corpus / "manifest.jsonl", line * 3)
    yield Case("manifest.jsonl", file, lambda: list(LAYOUTS["manifest"].read(open_place(corpus))))


def _corpora(where: Path) -> Iterator[Case]:
    make_corpus(where, make_rows(6, 3, 2), clips=True)
    manifest = where / "manifest.json"
    sign = lambda: (where / "manifest.sha256").write_text(checksum_text(manifest.read_bytes()))  # noqa: E731
    yield Case("manifest.json", manifest, lambda: _read_corpus(where), spoil_json, sign)
    yield Case("shard", where / "shards" / "kept-00000.parquet", lambda: _read_corpus(where))


def _read_corpus(where: Path) -> None:
    """Validate the corpus, and read it in every way, also where one of them refuses it."""
    place, inner = open_place(where), Outcome()
    validate(place, deep=True)
    for read in (stats, lambda place: list(Corpus(place)), first_row, open_view):
        inner.attempt("reader", lambda read=read: read(place))
    if inner.faults:
        raise AssertionError("\n".join(inner.faults))


def first_row(place: Place) -> Any:
    """Read one row at random access, if there is one."""
    corpus = Corpus(place)
    return corpus[0] if len(corpus) else None


def _jobs(where: Path) -> Iterator[Case]:
    """A job that stopped half-way, continued in a copy after one of its files was spoiled."""
    where.mkdir(parents=True)
    rows = where / "rows.json"
    rows.write_text(json.dumps(ROWS[:8], ensure_ascii=False), encoding="utf-8")
    job, half, copy = make_job(str(rows), "dedup={}"), where / "half", where / "copy"
    with suppress(KeyboardInterrupt):
        run_tone(job, half, listener=StopAfter(3))

    def go_on() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(half, copy)
        run_tone(job, copy)

    for file in sorted((half / WORK).rglob("*")):
        if file.is_file():
            how = spoil_json if file.suffix == ".json" else spoil
            yield Case(f"work/{file.relative_to(half / WORK)}", file, go_on, how)


def _written(file: Path, data: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file
