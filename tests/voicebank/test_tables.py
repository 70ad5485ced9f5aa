"""Speakers and voices as Parquet: what comes back, what is refused, and in what words."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import CorpusError, LawBroken
from manifests.storage import Place, open_place
from voicebank.tables import (
    SPEAKERS_FILE,
    VOICES_TABLE,
    VoiceWriter,
    iter_voices,
    read_speakers,
    write_speakers,
)
from voicebank.voice import Speaker, Vector, Voice


def unit(*numbers: float) -> Vector:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


NAN = np.array([np.nan, 1, 0], np.float32)
ZERO = np.zeros(3, np.float32)
LONG = np.array([2, 0, 0], np.float32)
PLAIN = Voice("plain", "flite", "rms", "en", "male")
BLENDED = Voice(
    "blended",
    "cosyvoice",
    "blended",
    "zh",
    "female",
    rate=1.25,
    license="CC-BY-4.0",
    parents=("s1", "s2"),
    weights=(0.25, 0.75),
    ms_per_character=180,
    embedding=unit(1, 2, 3),
)
PROMPTED = Voice("prompted", "cosyvoice", "x", "mul", "male", prompt_text="你好", prompt_audio=b"fLaC\0\xff")
SPEAKER = Speaker("s1", "zh", "female", None, 12, 60.5, 66, 0.98, 0.1834, 180, None, "CC0-1.0", unit(1, 0, 2))


def place(path: Path) -> Place:
    return open_place(path)


def write(path: Path, *groups: list[Voice], xvectors: list[list[Vector] | None] | None = None) -> Place:
    with VoiceWriter(place(path)) as writer:
        for number, group in enumerate(groups):
            writer.write(group, xvectors[number] if xvectors else None)
    return place(path)


def comparable(row: Voice | Speaker) -> dict[str, Any]:
    """Vectors are not compared by ==, so they are turned into bytes here."""
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in asdict(row).items()}


def voices_of(directory: Place) -> list[list[Voice]]:
    return [group for group, _ in iter_voices(directory)]


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [[PLAIN]],
        [[PLAIN, PROMPTED]],
        [[BLENDED, PLAIN], [PROMPTED]],
        [[PLAIN, BLENDED, PROMPTED, replace(BLENDED, voice_id="b2", embedding=unit(3, 0, 1))]],
    ],
    ids=["none", "no vectors", "clip bytes", "groups", "vectors in some rows"],
)
def test_voices_come_back_group_by_group(tmp_path: Path, groups: list[list[Voice]]) -> None:
    read = voices_of(write(tmp_path, *groups))
    assert [list(map(comparable, g)) for g in read] == [list(map(comparable, g)) for g in groups]


def test_xvectors_come_only_when_asked_for(tmp_path: Path) -> None:
    groups = [[PLAIN, BLENDED], [PROMPTED]]
    xvectors = [[unit(1, 1), unit(0, 1)], [unit(1, 3)]]
    directory = write(tmp_path, *groups, xvectors=xvectors)
    assert [matrix for _, matrix in iter_voices(directory)] == [None, None]
    read = [matrix for _, matrix in iter_voices(directory, xvectors=True)]
    assert [m.tolist() for m in read if m is not None] == [np.stack(group).tolist() for group in xvectors]
    assert [m.dtype for m in read if m is not None] == [np.float32, np.float32]
    without = write(tmp_path / "without", *groups)
    assert [matrix for _, matrix in iter_voices(without, xvectors=True)] == [None, None]


def test_the_same_voices_give_the_same_bytes(tmp_path: Path) -> None:
    files = [write(tmp_path / name, [PLAIN, BLENDED], [PROMPTED]) / VOICES_TABLE for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


@given(
    st.lists(
        st.builds(
            Speaker,
            speaker_id=st.text(min_size=1),
            language=st.sampled_from(["en", "zh"]),
            gender=st.sampled_from(["female", "male"]),
            gender_confidence=st.none() | st.floats(0.5, 1),
            clips=st.integers(1, 2**40),
            speech_s=st.floats(0.1, 1e6),
            similar_pairs=st.integers(0, 2**40),
            half_similarity=st.floats(-1, 1),
            seconds_per_character=st.floats(0.01, 1),
            ms_per_character=st.integers(10, 1000),
            quality=st.none() | st.floats(1, 5),
            license=st.none() | st.text(),
            xvector=st.sampled_from([unit(1, 2), unit(3, 1)]),
            embedding=st.none() | st.sampled_from([unit(1, 2, 3), unit(3, 1, 0)]),
        ),
        unique_by=lambda s: s.speaker_id,
        max_size=8,
    )
)
@settings(max_examples=30, deadline=None)
def test_speakers_come_back_sorted(tmp_path_factory: pytest.TempPathFactory, speakers: list[Speaker]) -> None:
    directory = place(tmp_path_factory.mktemp("bank"))
    assert write_speakers(directory, iter(speakers)) == len(speakers)
    expected = sorted(speakers, key=lambda s: s.speaker_id)
    assert list(map(comparable, read_speakers(directory))) == list(map(comparable, expected))


def test_more_speakers_than_one_group(tmp_path: Path) -> None:
    many = (replace(SPEAKER, speaker_id=f"s{i:05d}") for i in range(5000))
    assert write_speakers(place(tmp_path), many) == 5000
    assert len(read_speakers(place(tmp_path))) == 5000
    assert pq.ParquetFile(tmp_path / SPEAKERS_FILE).num_row_groups == 2


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[BLENDED, replace(BLENDED, voice_id="b2", embedding=unit(1, 2))]], r"shape \(2,\) in row 1, not \(3,\)"),
        ([[BLENDED], [replace(BLENDED, voice_id="b2", embedding=unit(1, 2))]], r"not \(3,\)"),
        ([[replace(BLENDED, embedding=NAN)]], "embedding is NaN or infinite in row 0"),
        ([[replace(BLENDED, embedding=np.full(3, np.inf, np.float32))]], "NaN or infinite"),
        ([[PLAIN, replace(BLENDED, embedding=ZERO)]], "of length 0, not 1"),
        ([[replace(BLENDED, embedding=LONG)]], "of length 2, not 1"),
        ([[PLAIN], [BLENDED]], "embedding is there, but the first rows had none"),
        ([[PLAIN, PLAIN]], "'plain' is there twice"),
        ([[PLAIN], [PLAIN]], "'plain' is there twice"),
        ([[replace(PLAIN, voice_id="../x")]], "bad voice_id"),
        ([[replace(PLAIN, gender="other")]], "bad gender 'other'"),
        ([[replace(PLAIN, engine="")]], "bad engine ''"),
        ([[replace(PLAIN, rate=0)]], "bad rate 0"),
        ([[replace(PLAIN, pitch=float("nan"))]], "bad pitch nan"),
        ([[replace(PLAIN, license="")]], "bad license"),
        ([[replace(PLAIN, prompt_audio=b"")]], "bad prompt_audio"),
        ([[replace(PLAIN, ms_per_character=0)]], "bad ms_per_character 0"),
        ([[replace(PLAIN, parents=("a",))]], "0 weights for 1 parents"),
        ([[replace(PLAIN, parents=("a",), weights=(-1.0,))]], "bad weights"),
        ([[replace(PLAIN, speaker="\ud800")]], "speaker holds a value that does not fit string"),
    ],
)
def test_what_cannot_be_right_is_refused_at_writing(tmp_path: Path, groups: list[list[Voice]], message: str) -> None:
    with pytest.raises(LawBroken, match=message) as caught:
        write(tmp_path, *groups)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("xvectors", "message"),
    [
        ([[unit(1, 0)], None], "xvector is missing in row 0"),
        ([None, [unit(1, 0)]], "xvector is there, but the first rows had none"),
        ([[unit(1, 0), unit(1, 0)], None], "2 x-vectors for 1 voices"),
        ([[NAN], None], "xvector is NaN"),
    ],
)
def test_xvectors_come_for_all_voices_or_none(
    tmp_path: Path, xvectors: list[list[Vector] | None], message: str
) -> None:
    with pytest.raises(LawBroken, match=message):
        write(tmp_path, [PLAIN], [PROMPTED], xvectors=xvectors)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xvector": ZERO}, "xvector is of length 0"),
        ({"xvector": np.zeros(0, np.float32)}, "xvector"),
        ({"embedding": NAN}, "embedding is NaN"),
        ({"speaker_id": ""}, "bad speaker_id ''"),
        ({"gender": "x"}, "bad gender 'x'"),
        ({"language": ""}, "bad language ''"),
        ({"quality": float("nan")}, "bad quality nan"),
        ({"clips": 0}, "bad clips 0"),
        ({"similar_pairs": -1}, "bad similar_pairs -1"),
        ({"half_similarity": 1.1}, "bad half_similarity 1.1"),
        ({"license": 3}, "license holds a value that does not fit string"),
    ],
)
def test_speakers_that_cannot_be_right(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LawBroken, match=message):
        write_speakers(place(tmp_path), [replace(SPEAKER, **changes)])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_is_interrupted_leaves_nothing_and_spares_the_old_file(tmp_path: Path) -> None:
    before = (write(tmp_path, [PLAIN]) / VOICES_TABLE).read_bytes()
    with pytest.raises(KeyboardInterrupt), VoiceWriter(place(tmp_path)) as writer:
        writer.write([BLENDED])
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == [VOICES_TABLE]
    assert (tmp_path / VOICES_TABLE).read_bytes() == before


def _table(path: Path) -> pa.Table:
    return pq.read_table(path / VOICES_TABLE)


def _set(name: str, values: list[Any], arrow_type: Any = None) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        index = table.schema.get_field_index(name)
        return table.set_column(index, name, pa.array(values, arrow_type or table.schema.field(name).type))

    return change


VECTORS = pa.list_(pa.float32(), 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["gender", "rate"]), "lacks gender, rate"),
        (lambda t: t.append_column("age", pa.array([1, 2])), "has the unknown age"),
        (_set("rate", ["1", "2"], pa.string()), "wrong type in rate"),
        (_set("embedding", [[1.0, 0.0]] * 2, pa.list_(pa.float32())), "wrong type in embedding"),
        (_set("gender", ["female", "other"], pa.string()), "'plain': bad gender 'other'"),
        (_set("voice_id", ["a", "a"], pa.string()), "'a' is there twice"),
        (_set("voice_id", ["a", "../../b"], pa.string()), "bad voice_id '../../b'"),
        (_set("rate", [1.0, None], pa.float64()), "Voice.rate is missing in 1 of 2 rows"),
        (_set("rate", [1.0, float("nan")], pa.float64()), "bad rate nan"),
        (_set("embedding", [[1.0, 0.0, float("nan")], None], VECTORS), "embedding is NaN"),
        (_set("embedding", [[0.0, 0.0, 0.0], None], VECTORS), "of length 0"),
        (_set("embedding", [[1.0, None, 0.0], None], VECTORS), "embedding has missing values"),
    ],
)
def test_a_foreign_table_is_one_clear_error(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    directory = write(tmp_path / "my-bank", [BLENDED, PLAIN])
    pq.write_table(change(_table(tmp_path / "my-bank")), tmp_path / "my-bank" / VOICES_TABLE)
    with pytest.raises(CorpusError, match=f"^my-bank/{VOICES_TABLE}: ") as caught:
        voices_of(directory)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("spoil", ["missing", "empty", "text", "cut", "flipped"])
@pytest.mark.parametrize("name", [VOICES_TABLE, SPEAKERS_FILE])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, spoil: str, name: str) -> None:
    directory = write(tmp_path, [replace(BLENDED, voice_id=f"v{i}", embedding=unit(i, 1, 2)) for i in range(50)])
    write_speakers(directory, [SPEAKER])
    data = (tmp_path / name).read_bytes()
    middle = 300
    spoilt = {
        "empty": b"",
        "text": b"not a table",
        "cut": data[: len(data) // 2],
        "flipped": data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :],
    }
    (tmp_path / name).unlink() if spoil == "missing" else (tmp_path / name).write_bytes(spoilt[spoil])
    with pytest.raises(CorpusError, match=name) as caught:
        voices_of(directory) if name == VOICES_TABLE else read_speakers(directory)
    assert "\n" not in str(caught.value)


def test_the_smallest_change_of_a_number_is_noticed(tmp_path: Path) -> None:
    vector = unit(*np.random.default_rng(0).normal(size=192))
    directory = write(tmp_path, [replace(BLENDED, embedding=vector)])
    data = bytearray((tmp_path / VOICES_TABLE).read_bytes())
    data[data.index(vector.tobytes())] ^= 1  # the last bit of the first number
    (tmp_path / VOICES_TABLE).write_bytes(data)
    with pytest.raises(CorpusError, match="damaged"):
        voices_of(directory)


def test_memory_holds_one_group_at_a_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with VoiceWriter(place(tmp_path)) as writer:
        for start in range(0, 8_000, 1_000):
            matrix = rng.normal(size=(1_000, 512)).astype(np.float32)
            matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
            voices = [replace(PLAIN, voice_id=f"v{start + i}") for i in range(1_000)]
            writer.write(voices, list(matrix))
    before = pa.total_allocated_bytes()
    most = 0
    for voices, matrix in iter_voices(place(tmp_path), xvectors=True):
        most = max(most, pa.total_allocated_bytes() - before)
        assert matrix is not None and matrix.shape == (len(voices), 512)
    one_group = 1_000 * 512 * 4
    # The file holds 8. Reading one takes 3.3 times its size, and Arrow's threads may free the last one a bit later.
    assert most < 6 * one_group
