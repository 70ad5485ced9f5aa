"""Preference pairs: the rejected takes of a real second pass, and what is refused."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from manifests.corpus import Corpus
from manifests.schema import AlignmentChunk, Dialogue, Hearing, Turn
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.corpora import make_audio, make_kept, make_score, without_bytes
from parley.testing.exports import export_rows
from parley.testing.stages import take_of
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.stages.contract import run_stage
from pipeline.stages.registry import find_stage

WRONG = replace(make_audio(90), bytes=make_audio(91).bytes)


class LosesTheEnd(ToneSynthesizer):
    """Stops in the middle of every first take."""

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [
            Clip(clip.samples[: len(clip.samples) // 2], clip.sample_rate)
            if isinstance(clip, Clip) and request.rate == 1.0
            else clip
            for request, clip in zip(requests, super().synthesize(requests), strict=True)
        ]


def misheard(text: str) -> Hearing:
    words = text.split()
    last = AlignmentChunk("substitute", words[-1], "zebra")
    score = make_score(AlignmentChunk("equal", " ".join(words[:-1]), " ".join(words[:-1])), last)
    return Hearing("echo 1", f"{' '.join(words[:-1])} zebra", score)


def with_rejected(dialogue: Dialogue, number: int = 0, **changes: object) -> Dialogue:
    """The dialogue with a rejected first take, and the accepted one as its second, of that turn."""

    def second(turn: Turn) -> Turn:
        assert turn.take is not None
        first = replace(turn.take, audio=WRONG, reason="error_rate", hearing=misheard(turn.text or ""))
        take = replace(turn.take, number=2)
        return replace(turn, take=take, attempts=(replace(first, **changes), without_bytes(take)))  # type: ignore[arg-type]

    turns = [second(turn) if place == number else turn for place, turn in enumerate(dialogue.turns)]
    return replace(dialogue, turns=tuple(turns))


def test_a_row_is_an_accepted_and_a_rejected_clip_of_one_text(tmp_path: Path) -> None:
    rows = [make_kept(0), with_rejected(make_kept(1), 0), with_rejected(make_kept(2), 1)]
    result, out = export_rows("hf-preference", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (2, {"no take of it was rejected": 1})
    (file,) = out.rglob("*.parquet")
    assert str(file.relative_to(out)) == "data/train-00000.parquet"
    table = pq.read_table(file).to_pylist()
    assert [(row["dialogue_id"], row["turn"], row["text"], row["reason"]) for row in table] == [
        (rows[1].dialogue_id, 0, "what is number 1", "error_rate"),
        (rows[2].dialogue_id, 1, "it is number 2", "error_rate"),
    ]
    for row, turn in zip(table, (rows[1].turns[0], rows[2].turns[1]), strict=True):
        assert turn.audio is not None
        assert (row["chosen"]["bytes"], row["rejected"]["bytes"]) == (turn.audio.bytes, WRONG.bytes)
    paths = [row[side]["path"] for row in table for side in ("chosen", "rejected")]
    assert len(set(paths)) == 4


def test_both_audio_columns_are_exactly_what_datasets_takes(tmp_path: Path) -> None:
    _, out = export_rows("hf-preference", [with_rejected(make_kept(0))], tmp_path)
    schema = pq.read_schema(next(out.rglob("*.parquet")))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    for side in ("chosen", "rejected"):
        assert schema.field(side).type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        assert features[side] == {"sampling_rate": make_audio().sample_rate, "decode": False, "_type": "Audio"}


def test_pairs_of_two_voices_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    row = with_rejected(make_kept(0), voice_id="another")
    result, _ = export_rows("hf-preference", [row, with_rejected(make_kept(1))], tmp_path / "same")
    assert (result.written, dict(result.refused)) == (1, {"its rejected takes have another voice, or are no worse": 1})
    result, out = export_rows("hf-preference", [row], tmp_path / "any", same_voice=False)
    assert result.written == 1
    (pair,) = pq.read_table(next(out.rglob("*.parquet"))).to_pylist()
    assert (pair["chosen_voice_id"], pair["rejected_voice_id"]) == ("voice-user", "another")


def test_a_take_that_was_heard_as_well_as_the_accepted_one_is_no_worse_unless_its_sound_was(tmp_path: Path) -> None:
    as_good = take_of(make_kept(0).turns[0]).hearing
    rows = [
        with_rejected(make_kept(0), hearing=as_good),
        with_rejected(make_kept(1), hearing=as_good, reason="cut_off"),
        with_rejected(make_kept(2)),
    ]
    result, _ = export_rows("hf-preference", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (2, {"its rejected takes have another voice, or are no worse": 1})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio": replace(WRONG, bytes=b"")}, "the clips of its rejected takes were not kept"),
        ({"audio": replace(WRONG, sample_rate=8_000)}, "its sample rate is not that of the corpus"),
    ],
)
def test_what_would_be_wrong_is_refused_and_counted(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    rows = [with_rejected(make_kept(0)), with_rejected(make_kept(1), **changes)]
    result, _ = export_rows("hf-preference", rows, tmp_path)
    assert (result.written, dict(result.refused)) == (1, {message: 1})


def test_a_rejected_clip_is_checked_in_depth_and_left_out_where_no_audio_is_asked_for(tmp_path: Path) -> None:
    broken = with_rejected(make_kept(1), audio=replace(WRONG, bytes=b"RIFF?"))
    export_rows("hf-preference", [with_rejected(make_kept(0)), broken], tmp_path)
    place = open_place(tmp_path / "corpus")
    assert ["turn 0, rejected take 1: " in str(problem) for problem in validate(place, deep=True).problems] == [True]
    assert validate(place).ok
    assert [turn.rejected_clips for row in Corpus(place).dialogues(audio=False) for turn in row.turns] == [()] * 4
    assert len(Corpus(place)[0].turns[0].rejected_clips) == 1


def test_the_pairs_of_a_second_pass_are_of_one_text_and_voice_and_carry_the_mark(tmp_path: Path) -> None:
    recipe = tone_recipe("gate.ladder=[{rate: 0.9}]", "gate.keep_rejected_takes=true")
    context = make_context(recipe, recipe.stages, engines={("tts", "tone"): LosesTheEnd()})
    rows: Sequence[Dialogue] = [make_dialogue(("What is tea made of?", "Of leaves of a bush."), spoken=True)]
    rows = [replace(row, recipe="0123456789abcdef" * 4) for row in rows]
    for stage in ("cast", *("synthesize", "render", "watermark", "transcribe", "gate") * 2):
        rows = run_stage(find_stage(stage), rows, context)
    assert [row.status for row in rows] == ["kept"]
    result, out = export_rows("hf-preference", rows, tmp_path)
    assert result.written == 1
    pairs = pq.read_table(next(out.rglob("*.parquet"))).to_pylist()
    assert [pair["turn"] for pair in pairs] == [0, 1]
    detect = context.engines["watermark", recipe.stages["watermark"].engine].detect  # type: ignore[attr-defined]
    for pair in pairs:
        assert pair["reason"] in ("too_short", "error_rate") and pair["chosen_voice_id"] == pair["rejected_voice_id"]
        chosen, rejected = (_clip(pair[side]["bytes"]) for side in ("chosen", "rejected"))
        assert len(rejected.samples) < 0.7 * len(chosen.samples)
        assert all(found.score >= 0.5 for found in detect([chosen, rejected]))


def _clip(data: bytes) -> Clip:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    return Clip(samples, rate)
