"""Signing: what a signature shows, that it changes nothing but the file around the samples, and whose key it is."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from manifests import shards
from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.errors import CorpusError, LawBroken, ResumeRefused, UserError
from manifests.manifest import SIGNER, load_manifest, manifest_digest
from manifests.parts import with_parts
from manifests.schema import Audio, Dialogue, Turn
from manifests.storage import Place, open_place
from manifests.validate import validate
from parley.testing.corpora import make_audio, make_corpus, make_rows, with_take
from pipeline.cli.main import cli
from pipeline.job.runner.local import LocalRunner
from pipeline.sign import clip as clips
from pipeline.sign import sign as signing
from pipeline.sign.clip import ALGORITHMIC, TRAINED, prove_same, read_signature, reading_context, unsigned_bytes
from pipeline.sign.sign import Signed, sign_corpus
from pipeline.sign.signer import SignerPlan
from pipeline.sign.verify import verify_corpus
from tests.manifests.test_token_sets import KEPT, write_set
from tests.mixed import make_mixed, with_track
from tests.pipeline.audit.audited import first_kept, rewrite
from tests.pipeline.sign.certificates import write_signer

pytest.importorskip("c2pa", reason="the extra `sign` is not installed")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    return write_signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def plan(signer: tuple[str, str, str]) -> SignerPlan:
    return SignerPlan(signer[0], signer[1])


@pytest.fixture
def corpus(tmp_path: Path) -> Place:
    return make_corpus(tmp_path / "corpus", make_rows(3, 2, 1), clips=True, max_rows=2)


def flac(seed: int = 0) -> Audio:
    noise = np.random.default_rng(seed).normal(size=8000) * 0.1
    soundfile.write(out := io.BytesIO(), noise.astype(np.float32), 16_000, format="FLAC", subtype="PCM_16")
    return Audio(out.getvalue(), None, "flac", 16_000, 8000)


def sign(place: Place, out: Path, plan: SignerPlan) -> Signed:
    return sign_corpus(place, open_place(out), plan, LocalRunner(), lambda done, total: None)


def signed_clip(audio: Audio, plan: SignerPlan, **claim: Any) -> Audio:
    return clips.sign_clip(audio, claim, TRAINED, "1", plan.open())


@pytest.mark.parametrize("audio", [make_audio(), make_audio(num_samples=801), flac()], ids=["wav", "odd", "flac"])
def test_a_signed_clip_has_the_same_samples_and_says_that_it_is_synthetic(audio: Audio, plan: SignerPlan) -> None:
    signed = signed_clip(audio, plan, dialogue_id="d", turn=1)
    assert signed.bytes != audio.bytes and len(signed.bytes) < len(audio.bytes) + 20_000
    assert np.array_equal(decode(signed)[0], decode(audio)[0])
    assert unsigned_bytes(signed.bytes, signed.codec) == audio.bytes
    found = read_signature(signed, reading_context())
    assert (found.state, found.source_types, found.signer) == ("Valid", (TRAINED,), "made-up signer, Test")
    assert (found.claim["dialogue_id"], found.claim["turn"], found.is_stamped) == ("d", 1, False)


@pytest.mark.parametrize("audio", [make_audio(), flac()], ids=["wav", "flac"])
def test_one_changed_bit_anywhere_makes_a_signature_invalid(audio: Audio, plan: SignerPlan) -> None:
    signed = signed_clip(audio, plan)
    assert read_signature(signed, reading_context()).is_sound
    last = len(signed.bytes) - 1
    of_samples = 60 if audio.codec == "wav" else last - 100  # the tag of a FLAC file is in front, a chunk behind
    for place in (of_samples, len(signed.bytes) - len(audio.bytes) // 2 if audio.codec == "flac" else 200):
        data = bytearray(signed.bytes)
        data[place] ^= 1
        found = read_signature(replace(signed, bytes=bytes(data)), reading_context())
        assert found.state == "Invalid" and not found.is_sound
    assert read_signature(audio, reading_context()).state is None


@pytest.mark.parametrize("kind", ["es256", "es384", "ed25519", "ps256"])
def test_kinds_of_keys(kind: str, tmp_path: Path) -> None:
    chain, key, root = write_signer(tmp_path, kind)
    signed = signed_clip(make_audio(), SignerPlan(chain, key))
    assert read_signature(signed, reading_context(Path(root).read_text())).state == "Trusted"


def test_an_address_in_a_clip_is_not_asked(plan: SignerPlan) -> None:
    library = clips.c2pa()
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with HTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        builder = library.Builder.from_json(json.dumps(clips._manifest({}, TRAINED, "1")))
        builder.set_no_embed()
        builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest.c2pa")
        builder.sign(plan.open(), "audio/wav", io.BytesIO(make_audio().bytes), out := io.BytesIO())
        pointing = replace(make_audio(), bytes=out.getvalue())
        assert b"manifest.c2pa" in pointing.bytes, "the clip holds no address: this test shows nothing"
        with pytest.raises(library.C2paError):
            library.Reader("audio/wav", io.BytesIO(pointing.bytes))
        assert asked, "the library itself asks"
        asked.clear()
        assert not read_signature(pointing, reading_context()).is_sound and not asked
        server.shutdown()


def test_a_clip_is_not_signed_twice(plan: SignerPlan) -> None:
    with pytest.raises(UserError, match="signed already"):
        signed_clip(signed_clip(flac(), plan), plan)


def test_what_signing_must_not_change_is_checked(plan: SignerPlan) -> None:
    audio, other = flac(), flac(seed=1)
    signed = signed_clip(other, plan)
    with pytest.raises(LawBroken, match="changed the samples"):
        prove_same(audio, signed)
    longer = make_audio()
    with pytest.raises(CorpusError, match="not be the same file again"):
        prove_same(replace(longer, bytes=longer.bytes + b"junk"), signed_clip(longer, plan))


def test_a_signed_corpus_is_sound_and_proves_where_it_comes_from(
    corpus: Place, plan: SignerPlan, signer: tuple[str, str, str], tmp_path: Path
) -> None:
    before = [path.read_bytes() for path in sorted(Path(corpus.path).rglob("*")) if path.is_file()]
    done = sign(corpus, tmp_path / "signed", plan)
    place = open_place(tmp_path / "signed")
    assert done == Signed(10, "CN=made-up signer,O=Test", manifest_digest(load_manifest(corpus)))
    assert validate(place, deep=True).problems == ()
    assert before == [path.read_bytes() for path in sorted(Path(corpus.path).rglob("*")) if path.is_file()]
    found = verify_corpus(place, signer[2], corpus)
    assert found.passed and (found.clips, found.valid, found.trusted) == (10, 10, 10)
    assert found.of == {done.of: 10} and not found.problems
    one, same = Corpus(place)[0], Corpus(corpus)[0]
    assert [step.stage for step in one.provenance] == [*(step.stage for step in same.provenance), "sign"]
    assert load_manifest(place).engines[SIGNER].startswith("c2pa-python ")
    assert signing.source_type(load_manifest(place)) == ALGORITHMIC, "the made corpus holds tones"


def test_nothing_that_is_written_holds_the_key_or_a_path(
    corpus: Place, plan: SignerPlan, signer: tuple[str, str, str], tmp_path: Path
) -> None:
    sign(corpus, tmp_path / "signed", plan)
    secret = Path(signer[1]).read_text().splitlines()[1].encode()
    for path in (tmp_path / "signed").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert secret not in data and b"PRIVATE KEY" not in data, path
            assert str(tmp_path).encode() not in data and signer[0].encode() not in data, path
    assert signer[1] not in repr(plan)


def forged(dialogue: Dialogue, audio: Audio) -> Dialogue:
    return replace(dialogue, turns=(with_take(dialogue.turns[0], audio=audio), *dialogue.turns[1:]))


def test_each_lie_is_found(corpus: Place, plan: SignerPlan, tmp_path: Path) -> None:
    sign(corpus, tmp_path / "signed", plan)
    rows = list(Corpus(tmp_path / "signed"))
    first, second = rows[0].turns[0].audio, rows[1].turns[0].audio
    plain = Corpus(corpus)[0].turns[0].audio
    assert first and second and plain
    flipped = bytearray(first.bytes)
    flipped[100] ^= 1
    stranger = SignerPlan(*write_signer(tmp_path / "stranger")[:2])
    lies = {
        "no C2PA manifest": plain,
        "not valid": replace(first, bytes=bytes(flipped)),
        "that of another clip": second,
        "does not say how": clips.sign_clip(plain, {}, TRAINED, "1", stranger.open()),
    }
    for number, (expected, audio) in enumerate(lies.items()):
        changed = [forged(rows[0], replace(audio, path=None)), *rows[1:]]
        changed = [replace(row, turns=tuple(map(_without_file, row.turns))) for row in changed]
        place = make_corpus(tmp_path / str(number), changed)
        found = verify_corpus(place)
        assert not found.passed and any(expected in problem for problem in found.problems), (expected, found.problems)


def _without_file(turn: Any) -> Any:
    return with_take(turn, audio=replace(turn.audio, path=None))


def test_another_root_is_not_trusted(corpus: Place, plan: SignerPlan, tmp_path: Path) -> None:
    sign(corpus, tmp_path / "signed", plan)
    other = write_signer(tmp_path / "other")[2]
    found = verify_corpus(open_place(tmp_path / "signed"), other)
    assert (found.valid, found.trusted, found.failing) == (10, 0, 10)


def test_another_unsigned_corpus_is_told(corpus: Place, plan: SignerPlan, tmp_path: Path) -> None:
    sign(corpus, tmp_path / "signed", plan)
    other = make_corpus(tmp_path / "other", [*make_rows(4, 2, 1)][1:], max_rows=2)
    found = verify_corpus(open_place(tmp_path / "signed"), unsigned=other)
    assert found.failing == 10 and "names another corpus" in found.problems[0]


def test_wrong_signers_are_refused_before_any_work(
    corpus: Place, signer: tuple[str, str, str], tmp_path: Path
) -> None:
    chain, key, _ = signer
    _, other_key, _ = write_signer(tmp_path / "other")
    late_chain, late_key, _ = write_signer(tmp_path / "late", days=-1)
    wrong = {
        "not the key of": SignerPlan(chain, other_key),
        "cannot be read": SignerPlan(chain, str(tmp_path / "nowhere.pem")),
        "not a PEM file of a private key": SignerPlan(chain, chain),
        "not a PEM file of certificates": SignerPlan(key, key),
    }
    for words, plan in wrong.items():
        with pytest.raises(UserError, match=words):
            sign(corpus, tmp_path / "out", plan)
        assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match=r"cannot sign|not valid"):
        sign(corpus, tmp_path / "late-out", SignerPlan(late_chain, late_key))


def test_a_key_in_a_token_needs_a_whole_address(signer: tuple[str, str, str]) -> None:
    pytest.importorskip("pkcs11", reason="the package python-pkcs11 is not installed")
    with pytest.raises(UserError, match="pkcs11:token=NAME;object=NAME"):
        SignerPlan(signer[0], "pkcs11:token=none").open()


def test_a_killed_signing_keeps_the_shards_that_are_written(
    corpus: Place, plan: SignerPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = signing.write_shard, tmp_path / "signed"

    def killed(place: Place, rows: Iterator[Dialogue], path: str) -> Any:
        if path.endswith("kept-00001.parquet"):
            raise RuntimeError("killed")
        return whole(place, rows, path)

    monkeypatch.setattr(signing, "write_shard", killed)
    with pytest.raises(RuntimeError):
        sign(corpus, out, plan)
    first = (out / "shards" / "kept-00000.parquet").read_bytes()
    monkeypatch.setattr(signing, "write_shard", whole)
    with pytest.raises(ResumeRefused, match="changed: certificate"):
        sign(corpus, out, SignerPlan(*write_signer(tmp_path / "other")[:2]))
    assert sign(corpus, out, plan).clips == 10
    assert (out / "shards" / "kept-00000.parquet").read_bytes() == first
    assert validate(open_place(out), deep=True).ok and verify_corpus(open_place(out), unsigned=corpus).passed
    with pytest.raises(UserError, match="signed already"):
        sign(open_place(out), tmp_path / "again", plan)


def test_the_commands(corpus: Place, signer: tuple[str, str, str], tmp_path: Path) -> None:
    chain, key, root = signer
    out = str(tmp_path / "signed")
    words = ["corpus", "sign", corpus.path, "--out", out, "--certificate", chain, "--key", key, "--runner", "local"]
    ran = CliRunner().invoke(cli, words)
    assert ran.exit_code == 0 and "10 clips; samples equal in all" in ran.stdout
    assert key not in ran.output and chain not in ran.output
    ran = CliRunner().invoke(cli, ["corpus", "verify-signatures", out, "--trust", root, "--unsigned", corpus.path])
    assert ran.exit_code == 0 and ran.stdout.rstrip().endswith("every signature holds")
    ran = CliRunner().invoke(cli, ["corpus", "verify-signatures", corpus.path])
    assert ran.exit_code == 3 and "no C2PA manifest" in ran.stdout


@pytest.mark.slow
def test_the_audit_proves_both_layers(finished: Path, plan: SignerPlan, tmp_path: Path, few: None) -> None:
    sign(open_place(finished), tmp_path / "signed", plan)
    ran = CliRunner().invoke(cli, ["corpus", "audit", str(tmp_path / "signed"), "--sample", "2", "--json"])
    found = json.loads(ran.stdout)
    assert ran.exit_code == 0 and found["signatures"]["valid"] == found["signatures"]["clips"] > 0
    assert found["signatures"]["signers"] == {"made-up signer, Test": found["signatures"]["clips"]}
    place = rewrite(tmp_path / "signed", tmp_path / "changed", first_kept(_unsigned))
    ran = CliRunner().invoke(cli, ["corpus", "audit", place.path, "--sample", "2"])
    total = found["signatures"]["clips"]
    assert ran.exit_code == 3
    assert ran.stdout.endswith(f"signatures: 1 of {total} clips without a valid signature of their own\n")


def _unsigned(turn: Turn) -> Turn:
    assert turn.audio is not None
    return with_take(turn, audio=replace(turn.audio, bytes=unsigned_bytes(turn.audio.bytes, turn.audio.codec)))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.audit import audit as auditing
    from pipeline.audit.attacks import ATTACKS

    monkeypatch.setattr(auditing, "ATTACKS", ATTACKS[:1])


def test_tracks_are_signed_like_clips_each_under_its_own_name(tmp_path: Path, plan: SignerPlan) -> None:
    corpus = make_corpus(tmp_path / "corpus", [make_mixed()], clips=True)
    assert sign(corpus, tmp_path / "signed", plan).clips == 5
    signed = open_place(tmp_path / "signed")
    assert validate(signed, deep=True).problems == ()
    found = verify_corpus(signed, unsigned=corpus)
    assert (found.clips, found.valid, found.passed) == (5, 5, True)
    (row,) = Corpus(tmp_path / "signed")
    assert row.timeline is not None
    assert read_signature(row.timeline.tracks[2].audio, reading_context()).claim["track"] == "user-clean"
    swapped = with_track(row, 2, replace(row.timeline.tracks[0], is_clean=True))
    place = rewrite(tmp_path / "signed", tmp_path / "swapped", lambda dialogue: _without_paths(swapped))
    assert list(verify_corpus(place).problems) == [
        f"{row.dialogue_id} track user-clean: the signature is that of another clip"
    ]


def _without_paths(dialogue: Dialogue) -> Dialogue:
    return with_parts(dialogue, lambda key, audio: replace(audio, path=None))


def _with_rejected_take(dialogue: Dialogue) -> Dialogue:
    turn = dialogue.turns[0]
    assert turn.take is not None
    rejected = replace(turn.take, number=9, reason="error_rate", audio=make_audio(900))
    return replace(dialogue, turns=(replace(turn, attempts=(*turn.attempts, rejected)), *dialogue.turns[1:]))


def test_rejected_takes_are_signed_too_and_token_sets_follow(
    tmp_path: Path, plan: SignerPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [_with_rejected_take(row) if row.status == "kept" else row for row in make_rows(KEPT, 2, 1)]
    monkeypatch.setattr(shards, "ROW_GROUP_ROWS", 3)
    corpus = make_corpus(tmp_path / "corpus", rows, clips=True)
    write_set(tmp_path / "corpus")
    monkeypatch.setattr(shards, "ROW_GROUP_ROWS", 2)  # a signed clip is larger: other rows are together
    assert sign(corpus, tmp_path / "signed", plan).clips == 2 * (KEPT + 2) + KEPT
    place = open_place(tmp_path / "signed")
    assert validate(place, deep=True).problems == ()
    found = verify_corpus(place, unsigned=corpus)
    assert (found.clips, found.valid, found.passed) == (25, 25, True)
    one, same = (list(Corpus(where, tokens="mine")) for where in (place, corpus))
    assert [_tokens(row) for row in one] == [_tokens(row) for row in same]
    (rejected,) = one[0].turns[0].rejected_clips
    assert rejected.audio is not None
    claim = read_signature(rejected.audio, reading_context()).claim
    assert (claim["turn"], claim["take"]) == (0, 9)
    taken = rewrite(tmp_path / "signed", tmp_path / "taken", _take_the_rejected_one)
    assert {problem.split(": ")[1] for problem in verify_corpus(taken).problems} == {
        "the signature is that of another clip"
    }


def _tokens(row: Dialogue) -> list[Any]:
    return [turn.take and turn.take.tokens for turn in row.turns]


def _take_the_rejected_one(dialogue: Dialogue) -> Dialogue:
    turn = dialogue.turns[0]
    if turn.take is None or not turn.rejected_clips:
        return dialogue
    taken = replace(turn, take=replace(turn.take, audio=turn.rejected_clips[0].audio))
    return _without_paths(replace(dialogue, turns=(taken, *dialogue.turns[1:])))
