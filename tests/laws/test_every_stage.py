"""Every stage that ships obeys the laws on rows of every kind: alone, together, backwards."""

import json
from importlib import resources

import pytest

from manifests.schema import Dialogue
from manifests.storage import open_place
from parley.testing import make_context, tone_recipe
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.job.blocks import read_block
from pipeline.job.commits import write_hashes
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import open_inputs
from pipeline.job.job import take_stages
from pipeline.stages.contract import audit_stage, run_stage
from pipeline.stages.registry import find_stage


class SometimesCutOff(ToneSynthesizer):
    """Loses the end of every third seed's clip, so that gate and ladder have something to do."""

    def synthesize(self, requests: list[SpeechRequest]) -> list[Clip | Failure]:  # type: ignore[override]
        return [
            Clip(clip.samples[: len(clip.samples) // 2], clip.sample_rate)
            if isinstance(clip, Clip) and request.seed % 3 == 0
            else clip
            for request, clip in zip(requests, super().synthesize(requests), strict=True)
        ]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Dialogue]:
    """The first 36 sample rows of each language, as ingested."""
    directory = tmp_path_factory.mktemp("rows")
    found: list[Dialogue] = []
    for language in ("en", "zh"):
        sample = resources.files("pipeline.samples") / f"instructions_{language}.json"
        path = directory / f"{language}.json"
        path.write_text(json.dumps(json.loads(sample.read_text(encoding="utf-8"))[:36]), encoding="utf-8")
        blocks = open_place(directory / language)
        files, scratch = open_inputs([str(path)]), open_place(directory / "ids")
        cut = ingest(files, IngestOptions(), tone_recipe(), "digest", blocks, scratch, lambda rows: None)
        write_hashes(blocks, cut.hashes)
        found += read_block(blocks, 0)
    return found


def test_every_stage_is_pure_through_two_attempts(rows: list[Dialogue]) -> None:
    recipe = tone_recipe("gate.ladder=[{voice: another}]")
    context = make_context(recipe, recipe.stages, engines={("tts", "tone"): SometimesCutOff()})
    assert {d.status for d in rows} == {"live", "rejected"}
    for name in (*recipe.stages, *take_stages(recipe)):
        audit_stage(find_stage(name), rows, context)
        rows = run_stage(find_stage(name), rows, context)
    assert not [d for d in rows if d.status == "live"]
    takes = [len(turn.attempts) for d in rows if d.status == "kept" for turn in d.turns]
    assert {1, 2} <= set(takes), "some turns needed a second take"
    assert [d for d in rows if d.reason in ("error_rate", "too_short")], "and some were dropped after it"
