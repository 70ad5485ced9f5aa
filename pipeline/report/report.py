"""Makes the report of a corpus: one HTML page, and the clips beside it or inside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from manifests.corpus import Corpus, decode
from manifests.errors import CorpusError, RecipeError, UserError
from manifests.manifest import FINAL_STATUSES, Manifest, load_manifest
from manifests.private_paths import public_text
from manifests.reasons import Reason
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.audit.corpus_view import recipe_of
from pipeline.recipe import Recipe
from pipeline.report.clips import ClipsWhere, PageClips
from pipeline.report.cost import read_cost
from pipeline.report.errors import Errors
from pipeline.report.flow import Flow
from pipeline.report.limits import Limits
from pipeline.report.mixture import mixture_of
from pipeline.report.rows import peaks, row_data
from pipeline.report.sample import Sample, Where
from pipeline.report.sound import Sound
from pipeline.report.timing import Timing
from pipeline.report.voices import VoiceCounts
from pipeline.show.report.page import write_page
from pipeline.stages.cast import CastSettings
from pipeline.stages.gate import gate_of
from voicebank.bank import load_bank, shipped_banks

PAGE_NAME = "report.html"
ROWS = 2000
"""Rows in the page unless another number is asked for: a page of some 6 MB, and 4,000 clips."""


@dataclass(frozen=True)
class Written:
    """What was written: `page`, `folder` with clips or None, rows in the page and in the corpus."""

    page: Place
    folder: Place | None
    shown: int
    rows: int


def write_report(
    corpus: Place,
    out: Place,
    clips: ClipsWhere = "beside",
    rows: int = ROWS,
    bank: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Written:
    """Write the report of the finished corpus to `out`: a file that ends in .html, or a directory.

    The numbers are those of the whole corpus; the page shows at most `rows` rows. `bank` names the voice bank that
    tells the voices' genders; without it, a bank that ships is known by the name in the manifest. `progress` is
    told the numbers of rows read and of all rows. Raises CorpusError for a corpus that cannot be read, and UserError
    for a wrong `out`.
    """
    page = _page_place(corpus, out)
    folder = Place(page.filesystem, f"{page.path.rpartition('.')[0]}-clips")
    manifest = load_manifest(corpus)
    recipe = _recipe(manifest)
    genders = _genders(recipe, bank)
    figures = _Figures(recipe, manifest, rows)
    total = sum(shard.rows for shards in manifest.shards.values() for shard in shards)
    for done, (where, dialogue) in enumerate(_all_rows(corpus, manifest), start=1):
        figures.add(where, dialogue)
        progress(done, total)
    chosen = figures.sample.chosen()
    data = figures.data(genders) | _head(corpus, manifest) | {"cost": read_cost(corpus), "clips": clips}
    with PageClips(clips, folder) as stored:
        write_page(page, data, _shown(corpus, chosen, figures.limits, stored), stored.inside)
    return Written(page, folder if clips == "beside" else None, len(chosen), manifest.counts.input_rows)


class _Figures:
    """Everything that is counted over the whole corpus, and the choice of the rows to show."""

    def __init__(self, recipe: Recipe | None, manifest: Manifest, rows: int) -> None:
        order = manifest.recipe.settings.get("order")
        self._flow = Flow([name for name in order if isinstance(name, str)] if isinstance(order, list) else [])
        self._errors, self._sound, self._voices = Errors(), Sound(), VoiceCounts()
        self._timing = Timing()
        self.limits = Limits(gate_of(recipe) if recipe else None)
        self.sample = Sample(rows)

    def add(self, where: Where, dialogue: Dialogue) -> None:
        rate = self.limits.rate(dialogue)
        for part in (self._flow, self._errors, self._sound, self._timing, self._voices):
            part.add(dialogue)
        self.limits.add(dialogue, rate)
        self.sample.offer(dialogue, where, self.limits.is_borderline(dialogue, rate))

    def data(self, genders: Mapping[str, str] | None) -> dict[str, Any]:
        return {
            "flow": self._flow.figures(),
            "errors": self._errors.figures(),
            "limits": self.limits.figures(),
            "sound": self._sound.figures(),
            "timing": self._timing.figures(),
            "voices": self._voices.figures(genders, self._errors.voices()),
        }


def _page_place(corpus: Place, out: Place) -> Place:
    page = out if out.name.lower().endswith((".html", ".htm")) else out / PAGE_NAME
    if page.is_inside(corpus):
        raise UserError(
            "--out is inside the corpus, which must hold only what its manifest lists: choose a place outside"
        )
    if page is not out and out.is_file():
        raise UserError(f"--out is a file that is no page: {out.name}; name a directory, or a file that ends in .html")
    return page


def _recipe(manifest: Manifest) -> Recipe | None:
    """Return the recipe of the manifest, or None where this installation cannot read it."""
    try:
        return recipe_of(manifest)
    except RecipeError:
        return None


def _genders(recipe: Recipe | None, bank: str | None) -> dict[str, str] | None:
    """Return the gender of each voice of the bank. A corpus names no place to read from: only banks that ship."""
    cast = recipe.find(CastSettings) if recipe else None
    name = bank or (cast.bank if cast and cast.bank in shipped_banks() else None)
    return None if name is None else {voice.voice_id: str(voice.gender) for voice in load_bank(name).voices}


def _all_rows(corpus: Place, manifest: Manifest) -> Iterator[tuple[Where, Dialogue]]:
    for status in FINAL_STATUSES:
        if status in manifest.shards:
            for place, dialogue in enumerate(Corpus(corpus, status).dialogues(audio=False)):
                yield (status, place), dialogue


def _shown(corpus: Place, chosen: list[Where], limits: Limits, clips: PageClips) -> Iterator[dict[str, Any]]:
    """Yield the chosen rows as the page shows them, with their clips stored."""
    readers = {status: Corpus(corpus, status) for status in dict.fromkeys(status for status, _ in chosen)}
    for number, (status, place) in enumerate(chosen):
        dialogue = readers[status][place]
        rate = limits.rate(dialogue)
        row = row_data(dialogue, rate, limits.is_borderline(dialogue, rate))
        for turn, (data, spoken) in enumerate(zip(row["t"], dialogue.turns, strict=True)):
            if spoken.audio is not None and spoken.audio.bytes:
                try:
                    data["w"] = peaks(decode(spoken.audio)[0])
                except CorpusError:
                    data["broken"] = True
                    continue
                if found := clips.put(number, turn, spoken.audio):
                    data["clip"] = found
        if "tl" in row and (both := mixture_of(dialogue)) and (found := clips.put(number, len(dialogue.turns), both)):
            row["tl"]["mix"] = found
        yield row


def _head(corpus: Place, manifest: Manifest) -> dict[str, Any]:
    """Return what the page says of the corpus and how it was made."""
    counts = manifest.counts
    return {
        "corpus": corpus.name,
        "meanings": {reason.value: reason.meaning for reason in Reason},
        "recipe": PurePosixPath(public_text(manifest.recipe.name)).name,
        "parley": manifest.parley_version,
        "seed": manifest.seed,
        "sources": [
            {"dataset": public_text(one.dataset), "rows": one.rows, "license": one.license} for one in manifest.sources
        ],
        "engines": {name: public_text(version) for name, version in sorted(manifest.engines.items())},
        "rows": {status: counts.rows.get(status, 0) for status in FINAL_STATUSES},
        "seconds": {status: counts.audio_s(status) for status in FINAL_STATUSES},
        "languages": {
            language: {
                status: {
                    "rows": counts.languages.get(status, {}).get(language, 0),
                    "seconds": counts.audio_s(status, language),
                }
                for status in FINAL_STATUSES
            }
            for language in sorted({name for rows in counts.languages.values() for name in rows})
        },
    }
