"""Opens an export with the program that it is for, and saves what that gives for the test to look at.

    python reading.py PROGRAM DIRECTORY RESULT [ARGUMENT]

It runs in the environment of these programs, where Parley is not. RESULT gets `read.json`, a list of dialogues, and
the tracks, NAME.npy, float32 [T].
"""

import importlib.machinery
import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

FRAME_S, USER_RATE, AGENT_RATE = 0.08, 16_000, 22_050
Read = Iterator[dict[str, Any]]


def webdataset(directory: Path) -> Read:
    import webdataset as wds

    def audio(key: str, data: bytes) -> Any:
        return samples(data) if key.endswith(("flac", "wav")) else None

    files = [str(path) for path in sorted(directory.glob("train-*.tar"))]
    for sample in wds.WebDataset(files, shardshuffle=False).decode(audio):
        tracks = {name.partition(".")[0]: value for name, value in sample.items() if name.endswith(("flac", "wav"))}
        yield {"id": sample["__key__"], **tracks, **sample["json"]}


def mds(directory: Path) -> Read:
    stand_in_for_torchvision()
    from streaming import StreamingDataset

    data = StreamingDataset(local=str(directory), remote=None, split="train", shuffle=False, batch_size=1)
    for number in range(len(data)):
        row = data[number]
        yield row | {"id": row["dialogue_id"], "user": samples(row["user"]), "agent": samples(row["agent"])}


def mds_written(directory: Path, shards: str) -> Read:
    """Write the rows of the index in `directory` again, with the program's own writer, to the directory `shards`."""
    stand_in_for_torchvision()
    from streaming import MDSWriter
    from streaming.base.format.mds import MDSReader

    (shard,) = json.loads((directory / "train" / "index.json").read_text())["shards"]
    reader = MDSReader.from_json(str(directory), "train", shard)
    columns = dict(zip(shard["column_names"], shard["column_encodings"], strict=True))
    with MDSWriter(columns=columns, out=shards, size_limit=None) as writer:
        for number in range(shard["samples"]):
            writer.write(reader.get_item(number))
    yield {"id": "written"}


def stand_in_for_torchvision() -> None:
    """`streaming` imports it for its picture sets alone."""
    for name in ("", ".datasets", ".transforms", ".transforms.functional"):
        module: Any = types.ModuleType(f"torchvision{name}")
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
        module.VisionDataset = module.to_tensor = object
        sys.modules[module.__name__] = module


def lhotse(directory: Path) -> Read:
    from lhotse import CutSet, validate

    yield from cuts(CutSet.from_shar(in_dir=str(directory / "train")))
    validate(CutSet.from_shar(in_dir=str(directory / "train")).to_eager(), read_data=True)


def lhotse_files(directory: Path) -> Read:
    """With indexes beside the files: by lists of files."""
    from lhotse import CutSet

    names = ("cuts", "recording", "target_audio")
    ends = {"cuts": "jsonl", "recording": "tar", "target_audio": "tar"}
    files = {
        name: [str(path) for path in sorted((directory / "train").glob(f"{name}.*.{ends[name]}"))] for name in names
    }
    yield from cuts(CutSet.from_shar(fields=files))


def cuts(found: Any) -> Read:
    for cut in found:
        yield {
            "id": cut.id,
            "rates": [cut.sampling_rate, cut.target_audio.sampling_rate],
            "user": cut.load_audio()[0],
            "agent": cut.load_target_audio()[0],
            "turns": [
                {
                    "role": each.speaker,
                    "text": each.text,
                    "language": each.language,
                    "start_sample": round(each.start * cut.sampling_rate),
                    "num_samples": round(each.duration * cut.sampling_rate),
                    **each.custom,
                }
                for each in cut.supervisions
            ],
            "dialogue_id": cut.dialogue_id,
        }


def nemo(directory: Path, tokenizer: str) -> Read:
    """A batch of each cut: with the data set's own file, and a tokenizer like NeMo's own around `transformers`."""
    from lhotse import CutSet

    warnings: list[str] = []
    data = nemo_data_set(warnings).DuplexS2SDataset(Tokenizer(tokenizer), FRAME_S, USER_RATE, AGENT_RATE)
    for cut in CutSet.from_shar(in_dir=str(directory / "train")):
        batch = data[CutSet.from_cuts([cut])]
        yield {
            "id": cut.id,
            "user": batch["source_audio"][0].numpy(),
            "agent": batch["target_audio"][0].numpy(),
            "user_tokens": batch["source_tokens"][0].tolist(),
            "agent_tokens": batch["target_tokens"][0].tolist(),
            "texts": batch["target_texts"],
            "turns": [[each.speaker, each.start, each.end, each.text] for each in cut.supervisions],
            "warnings": warnings,
        }


def moshi(directory: Path, duration_sec: str) -> Read:
    """As moshi-finetune opens its data: by sphn, in chunks, with the words from the file beside each."""
    import sphn

    lines = str(directory / "train" / "data.jsonl")
    chunks = sphn.dataset_jsonl(
        lines, duration_sec=float(duration_sec), num_threads=1, sample_rate=24_000, pad_last_segment=True
    )
    for chunk in chunks.seq(skip=0, step_by=1):
        wav = Path(chunk["path"])
        agent, user = chunk["data"][..., : chunk["unpadded_len"]]
        alignments = json.loads(wav.with_suffix(".json").read_text(encoding="utf-8"))["alignments"]
        start = chunk["start_time_sec"]
        yield {"dialogue_id": wav.stem, "start": start, "agent": agent, "user": user, "alignments": alignments}


class Tokenizer:
    """What the data set asks of NeMo's tokenizers, in NeMo's way: tokens of the text, then their ids."""

    bos, eos, pad, unk_id = 1, 2, 0, 3

    def __init__(self, directory: str) -> None:
        from transformers import AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)

    def text_to_ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.convert_tokens_to_ids(self._tokenizer.tokenize(text))
        return ids


def nemo_data_set(warnings: list[str]) -> Any:
    """Load the data set's file alone: its package imports all models. What the file takes from NeMo is a log, a type
    for a hint, and a helper, which is loaded too."""
    found = importlib.util.find_spec("nemo")
    assert found is not None and found.submodule_search_locations
    root = Path(next(iter(found.submodule_search_locations)))
    parts = ("", ".utils", ".collections", ".collections.common", ".collections.common.tokenizers")
    for name in (*parts, ".collections.speechlm2", ".collections.speechlm2.data"):
        sys.modules[f"nemo{name}"] = types.ModuleType(f"nemo{name}")
    stand_ins: Any = sys.modules
    stand_ins["nemo.collections.common.tokenizers"].TokenizerSpec = object
    stand_ins["nemo.utils"].logging = types.SimpleNamespace(warning=warnings.append)
    for name in ("utils", "s2s_dataset"):
        spec = importlib.util.spec_from_file_location(
            f"nemo.collections.speechlm2.data.{name}", root / "collections" / "speechlm2" / "data" / f"{name}.py"
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return module


def samples(data: bytes) -> "np.ndarray[Any, Any]":
    return np.asarray(soundfile.read(BytesIO(data), dtype="float32")[0])


def main(program: str, directory: str, result: str, *arguments: str) -> None:
    out, found = Path(result), []
    out.mkdir()
    for number, dialogue in enumerate(globals()[program](Path(directory), *arguments)):
        for role in ("user", "agent"):
            if role in dialogue:
                np.save(out / f"{number}-{role}.npy", dialogue.pop(role))
        found.append(dialogue)
    (out / "read.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
