"""Whole jobs with `assess`: reference embeddings made by the command, found by the job, and refused where they do not
fit."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import voicebank
from manifests.corpus import Corpus, decode
from manifests.errors import RecipeError
from manifests.manifest import Manifest
from manifests.reasons import Reason
from manifests.stats import stats
from manifests.storage import open_place
from parley.testing.stages import take_of
from pipeline.cli.voicebank import voicebank as command
from pipeline.engines import registry as table
from pipeline.engines.contract import Clip, Failure, Samples
from tests.doubles import double
from tests.pipeline.tone_job import STAGES, make_job, run_tone
from voicebank.bank import load_bank
from voicebank.card import write_card
from voicebank.reference_embeddings import read_origin, read_reference_embeddings
from voicebank.tables import VoiceWriter

pytest.importorskip("pyloudnorm", reason="needs the extra 'quality'")

BANDS = 32


class Bands:
    """A "speaker encoder": how loud a clip is in each of 32 bands. Tone voices differ in their pitch."""

    name, version, dimension = "bands", "7", BANDS

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [_bands(clip) for clip in clips]


def _bands(clip: Clip) -> Samples | Failure:
    if not clip.samples.any():
        return Failure(Reason.RECOGNITION_FAILED, "silent")
    power = np.abs(np.fft.rfft(clip.samples, 16_000 if len(clip.samples) < 16_000 else len(clip.samples)))
    bands = np.array([band.mean() for band in np.array_split(power[: len(power) // 2], BANDS)])
    return (bands / np.linalg.norm(bands)).astype(np.float32)


def version(model: object = None) -> str:
    return Bands.version


@pytest.fixture(autouse=True)
def _encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.ENGINES.added, ("encoder", "bands"), double("encoder", "bands", __name__, "Bands"))


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A copy of the tone bank, in a place where it can be written to."""
    return Path(shutil.copytree(Path(voicebank.__file__).parent / "voices" / "tone", tmp_path / "mine"))


def reference_embedding(bank: Path | str, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["reference-embeddings", str(bank), "--recipe", "tone-dry-run", *words])
    return result.exit_code, result.output + str(result.exception or "")


def corpus_of(bank: Path, out: Path, input_file: str, assess: str, *overrides: str) -> Manifest:
    stages = ", ".join([*STAGES[:-1], "assess", "gate"])
    settings = (f"assess={assess}", f"pools.all.stages=[{stages}]", f"cast.bank={bank}", *overrides)
    return run_tone(make_job(input_file, *settings, limit=6), out)


def test_every_clip_is_compared_with_the_voice_that_spoke_it(bank: Path, input_file: str, tmp_path: Path) -> None:
    code, said = reference_embedding(bank, "--encoder", "bands")
    assert (code, said.splitlines()[-1]) == (0, "16 of 16 voices have a reference embedding")
    origin = read_origin(open_place(bank))
    assert origin is not None and (origin.encoder, origin.label, list(origin.synthesizers)) == ("bands", "7", ["tone"])
    manifest = corpus_of(bank, tmp_path / "out", input_file, "{speaker: bands}")
    assert (
        manifest.engines["reference embeddings"].startswith("reference embeddings ")
        and "loudness/bs1770" in manifest.engines
    )
    vectors = read_reference_embeddings(open_place(bank))
    takes = [take_of(turn) for row in Corpus(open_place(tmp_path / "out")) for turn in row.turns]
    assert len(takes) == 12
    for take in takes:
        assert take.audio is not None and take.speaker_similarity is not None
        heard = _bands(Clip(*decode(take.audio)))
        assert take.speaker_similarity == pytest.approx(float(heard @ vectors[take.voice_id]), abs=1e-5)
    shown = stats(open_place(tmp_path / "out"))["quality"]["kept"]["en"]
    assert shown["speaker_similarity"]["turns"] == 12 and shown["loudness_lufs"]["turns"] == 12


def test_a_voice_that_drifts_climbs_the_ladder_and_is_dropped(bank: Path, input_file: str, tmp_path: Path) -> None:
    reference_embedding(bank, "--encoder", "bands")
    assess = "{speaker: bands, speaker_similarity: 1.0}"
    manifest = corpus_of(bank, tmp_path / "out", input_file, assess, "gate.ladder=[{}]")
    assert manifest.counts.reasons == {"voice_drift": 6}
    for row in Corpus(open_place(tmp_path / "out"), status="rejected"):
        drifted = [turn for turn in row.turns if turn.reason == "voice_drift"]
        assert drifted and all([a.reason for a in turn.attempts] == ["voice_drift"] * 2 for turn in drifted)
        last = [take_of(turn) for turn in row.turns]
        assert all(take.quality and take.speaker_similarity is not None for take in last), "the numbers stay"
        assert all(a.speaker_similarity is not None for turn in drifted for a in turn.attempts), "of every take"


def _other_encoder(bank: Path) -> None:
    reference_embedding(bank, "--encoder", "bands")
    Bands.version = "8"


def _other_voices(bank: Path) -> None:
    reference_embedding(bank, "--encoder", "bands")
    lines = (bank / "voices.jsonl").read_text().splitlines()
    (bank / "voices.jsonl").write_text("\n".join(lines[1:]) + "\n")


def _some_voices(bank: Path) -> None:
    reference_embedding(bank, "--encoder", "bands", "--set", "languages=[zh]")


def _nothing(bank: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (
            _nothing,
            "the bank mine has no reference embeddings: parley voicebank reference-embeddings mine --recipe",
        ),
        (
            _other_encoder,
            "the bank mine has reference embeddings of bands 7 only: parley voicebank reference-embeddings",
        ),
        (_other_voices, "the voices of the bank have changed since their reference embeddings were made"),
        (_some_voices, r"8 voices have no reference embeddings \(tone-agent-en-female, tone-user-en-female-0"),
    ],
)
def test_without_a_reference_nothing_begins(
    prepare: object, message: str, bank: Path, input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bands, "version", "7")
    prepare(bank)  # type: ignore[operator]
    with pytest.raises(RecipeError, match=message) as error:
        corpus_of(bank, tmp_path / "out", input_file, "{speaker: bands}")
    assert str(tmp_path) not in str(error.value)
    assert not (tmp_path / "out").exists()


def with_xvectors(bank: Path, label: str) -> None:
    """The bank as a table, with the x-vectors that such an encoder is said to have given."""
    voices = load_bank(bank).voices
    with VoiceWriter(open_place(bank)) as writer:
        writer.write(voices, [np.eye(BANDS, dtype=np.float32)[0] for _ in voices])
    (bank / "voices.jsonl").unlink()
    card = json.loads((bank / "card.json").read_text())
    write_card(open_place(bank), card | {"encoder": {"engine": "bands", "label": label}})


def test_x_vectors_of_the_same_encoder_serve_where_there_are_no_reference_embeddings(
    bank: Path, input_file: str, tmp_path: Path
) -> None:
    with_xvectors(bank, "7")
    manifest = corpus_of(bank, tmp_path / "out", input_file, "{speaker: bands}")
    assert manifest.engines["reference embeddings"].startswith("xvectors ")
    reference_embedding(bank, "--encoder", "bands")
    manifest = corpus_of(bank, tmp_path / "other", input_file, "{speaker: bands}")
    assert manifest.engines["reference embeddings"].startswith("reference embeddings "), "what was heard comes first"


def test_x_vectors_of_another_encoder_do_not(bank: Path, input_file: str, tmp_path: Path) -> None:
    with_xvectors(bank, "6")
    with pytest.raises(RecipeError, match="has no reference embeddings"):
        corpus_of(bank, tmp_path / "out", input_file, "{speaker: bands}")


class Deaf(Bands):
    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [Failure(Reason.RECOGNITION_FAILED, "deaf") for _ in clips]


def test_voices_that_cannot_be_measured_are_named(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.ENGINES.added, ("encoder", "bands"), double("encoder", "bands", __name__, "Deaf"))
    code, said = reference_embedding(bank, "--encoder", "bands")
    assert code == 3 and "not measured: tone-agent-en-female: recognition_failed: deaf" in said
    assert "0 of 16 voices have a reference embedding" in said and read_origin(open_place(bank)) is None


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("tone", ["--encoder", "bands"], "the bank tone ships with Parley and is never changed"),
        ("", [], "--encoder is missing"),
        ("", ["--encoder", "ears"], "no encoder engine 'ears'"),
        ("", ["--encoder", "bands", "--set", "synthesize.engine=flite"], "the bank tone has no voice for flite"),
    ],
)
def test_what_the_command_refuses(name: str, words: list[str], message: str, bank: Path) -> None:
    code, said = reference_embedding(name or bank, *words)
    assert code != 0 and message in said
