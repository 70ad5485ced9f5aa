"""The five formats of `reader.py`: how each writes dialogues, and opens them again as a user of it would.

Every reader gives a dialogue as a list of turns: text and samples, float32 [T]. `numbered` is there where a format can
give any row by its number, `given` where what a `DataLoader` gives is not yet such a list. The clips are the same FLAC
files in all formats (Lhotse encodes them once more), decoded by soundfile, which Parley and Lhotse call themselves.
"""

import io
import itertools
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from torch.utils.data import IterableDataset

from manifests.schema import Dialogue

SHARD_ROWS, BUFFER, SEED = 125, 256, 7

Turns = list[tuple[str, np.ndarray]]


lean_decoder = False
"""Whether `decoded` calls soundfile as Parley does, without the seek of `soundfile.read`."""


def decoded(data: bytes) -> np.ndarray:
    if not lean_decoder:
        return soundfile.read(io.BytesIO(data), dtype="float32")[0]
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        samples = np.empty(file.frames, np.float32)
        file.buffer_read_into(samples, "float32")
    return samples


def meta(row: Dialogue) -> dict[str, Any]:
    turns = [{"role": turn.role, "text": turn.text} for turn in row.turns]
    return {"id": row.dialogue_id, "language": row.language, "turns": turns}


def shards(rows: Iterable[Dialogue]) -> Iterator[tuple[int, list[Dialogue]]]:
    return enumerate(map(list, itertools.batched(rows, SHARD_ROWS))) if hasattr(itertools, "batched") else _cut(rows)


def _cut(rows: Iterable[Dialogue]) -> Iterator[tuple[int, list[Dialogue]]]:
    iterator = iter(rows)
    for number in itertools.count():
        if not (shard := list(itertools.islice(iterator, SHARD_ROWS))):
            return
        yield number, shard


class Mapped(IterableDataset):
    """Applies a function to what an iterable dataset gives, in the worker."""

    def __init__(self, source: Any, function: Any) -> None:
        self.source, self.function = source, function

    def __iter__(self) -> Iterator[Any]:
        return map(self.function, self.source)

    def by_number(self) -> "Mapping":
        return Mapping(self.source, self.function)


class Mapping:
    """Applies a function to the rows of a sequence."""

    def __init__(self, data: Any, function: Any) -> None:
        self.data, self.function = data, function

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Turns:
        return self.function(self.data[index])


class Parley:
    """As its users read it: workers give dialogues, of which the loop takes the samples."""

    modules = ("parley", "manifests.spoken")

    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        from parley.testing import make_corpus

        make_corpus(where, rows, max_rows=SHARD_ROWS)

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        from parley import Corpus, CorpusStream

        return CorpusStream(Corpus(where), shuffle=shuffle, buffer=BUFFER, seed=SEED), False

    @staticmethod
    def numbered(where: Path) -> Any:
        from parley import Corpus, SpokenCorpus

        return SpokenCorpus(Corpus(where))

    @staticmethod
    def given(row: Any) -> Turns:
        return [(turn.text, turn.samples) for turn in row.turns]


class ParleyArrays:
    """The same, but the workers give what those of the others give: texts and arrays."""

    modules = Parley.modules
    write = Parley.write

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        return Mapped(Parley.open(where, shuffle)[0], Parley.given), False

    @staticmethod
    def numbered(where: Path) -> Any:
        return Mapping(Parley.numbered(where), Parley.given)


class WebDataset:
    modules = ("webdataset",)

    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        where.mkdir()
        for number, shard in shards(rows):
            with tarfile.open(where / f"{number:06d}.tar", "w") as tar:
                for row in shard:
                    members = {"json": json.dumps(meta(row)).encode()}
                    members |= {f"{i}.flac": turn.audio.bytes for i, turn in enumerate(row.turns) if turn.audio}
                    for name, data in members.items():
                        info = tarfile.TarInfo(f"{row.dialogue_id}.{name}")
                        info.size = len(data)
                        tar.addfile(info, io.BytesIO(data))

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        import webdataset as wds

        tars = sorted(map(str, where.glob("*.tar")))
        # Without a limit of its own it leaves shards out where there are more workers than shards; here there are not.
        data = wds.WebDataset(tars, shardshuffle=len(tars) if shuffle else False, seed=SEED if shuffle else None)
        return (data.shuffle(BUFFER, seed=SEED) if shuffle else data).map(WebDataset.turns), False

    @staticmethod
    def turns(sample: dict[str, Any]) -> Turns:
        texts = json.loads(sample["json"])["turns"]
        return [(turn["text"], decoded(sample[f"{i}.flac"])) for i, turn in enumerate(texts)]


class LhotseShar:
    modules = ("lhotse", "lhotse.shar")

    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        from lhotse import MonoCut, Recording, SupervisionSegment
        from lhotse.shar import SharWriter

        where.mkdir()
        fields = {"recording": "flac", "target_audio": "flac"}  # Lhotse encodes again, without loss
        with SharWriter(str(where), fields=fields, shard_size=SHARD_ROWS) as writer:
            for row in rows:
                user, agent = (Recording.from_bytes(t.audio.bytes, f"{row.dialogue_id}-{t.role}") for t in row.turns)
                said = [
                    SupervisionSegment(f"{row.dialogue_id}-{t.role}", user.id, 0, user.duration, text=t.text)
                    for t in row.turns
                ]
                cut = MonoCut(row.dialogue_id, 0, user.duration, 0, recording=user, supervisions=said)
                cut.target_audio = agent
                writer.write(cut)

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        from lhotse import CutSet

        cuts = CutSet.from_shar(in_dir=where, split_for_dataloading=True, shuffle_shards=shuffle, seed=SEED)
        return Mapped(cuts.shuffle(buffer_size=BUFFER) if shuffle else cuts, LhotseShar.turns), False

    @staticmethod
    def turns(cut: Any) -> Turns:
        user, agent = cut.load_audio()[0], cut.target_audio.load_audio()[0]
        return [(said.text, samples) for said, samples in zip(cut.supervisions, (user, agent), strict=True)]


class _HuggingFace:
    modules = ("datasets",)

    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        from datasets import Dataset

        where.mkdir()
        for number, shard in shards(rows):
            table = [{**meta(row), "clips": [turn.audio.bytes for turn in row.turns if turn.audio]} for row in shard]
            Dataset.from_list(table).to_parquet(where / f"{number:06d}.parquet")

    @staticmethod
    def turns(row: dict[str, Any]) -> Turns:
        return [(turn["text"], decoded(clip)) for turn, clip in zip(row["turns"], row["clips"], strict=True)]


class HuggingFaceMap(_HuggingFace):
    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        _HuggingFace.write(where, rows)
        HuggingFaceMap.open(where, False)  # the Arrow files of its cache are written when it is first opened

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        return HuggingFaceMap.numbered(where), shuffle

    @staticmethod
    def numbered(where: Path) -> Any:
        from datasets import load_dataset

        files = str(where / "*.parquet")
        data = load_dataset("parquet", data_files=files, split="train", cache_dir=str(where / "cache"))
        return Mapping(data, _HuggingFace.turns)


class HuggingFaceStream(_HuggingFace):
    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        from datasets import load_dataset

        data = load_dataset("parquet", data_files=str(where / "*.parquet"), split="train", streaming=True)
        return Mapped(data.shuffle(seed=SEED, buffer_size=BUFFER) if shuffle else data, _HuggingFace.turns), False


class Mds:
    modules = ("benchmarks.stand_ins", "streaming")

    @staticmethod
    def write(where: Path, rows: Iterable[Dialogue]) -> None:
        import benchmarks.stand_ins  # noqa: F401, I001  first
        from streaming import MDSWriter

        columns = {"meta": "json", "user": "bytes", "agent": "bytes"}
        # About as many rows as a shard of the others has: of clips of 5 s.
        with MDSWriter(out=str(where), columns=columns, size_limit=SHARD_ROWS * 170_000) as writer:
            for row in rows:
                writer.write({"meta": meta(row), **{turn.role: turn.audio.bytes for turn in row.turns if turn.audio}})

    @staticmethod
    def open(where: Path, shuffle: bool) -> tuple[Any, bool]:
        from streaming import StreamingDataset
        from streaming.base.util import clean_stale_shared_memory

        clean_stale_shared_memory()
        data = StreamingDataset(local=str(where), shuffle=shuffle, shuffle_seed=SEED, batch_size=1)
        return Mapped(data, Mds.turns), False

    @staticmethod
    def numbered(where: Path) -> Any:
        return Mds.open(where, False)[0].by_number()

    @staticmethod
    def turns(row: dict[str, Any]) -> Turns:
        return [(turn["text"], decoded(row[turn["role"]])) for turn in row["meta"]["turns"]]


SIDES: dict[str, Any] = {
    "parley": Parley,
    "parley-arrays": ParleyArrays,
    "webdataset": WebDataset,
    "lhotse-shar": LhotseShar,
    "hf-map": HuggingFaceMap,
    "hf-stream": HuggingFaceStream,
    "mds": Mds,
}
SAME_FILES = {"parley-arrays": "parley", "hf-stream": "hf-map"}
