"""Writes Lhotse Shar: a manifest of cuts, and for each audio field a tar with the files in the same order.

::

    train/cuts.000000.jsonl.gz    train/recording.000000.tar    train/target_audio.000000.tar

A cut's recording is the user's track, its `target_audio` the agent's; the turns of both are its supervisions. The
folder must hold nothing else: a reader that is given the folder takes each file for a shard of a field. For the same
reason indexes (`.idx`) are an option: with them, Lhotse 1.33 cannot read the folder.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from manifests.export._audio import flac_bytes
from manifests.export._tar import TarFile
from manifests.resampling import Samples
from manifests.storage import Place

_FIELDS = ("recording", "target_audio")
_OFFSET = np.dtype("<u8")
"""An index holds the offset of each sample, and the size of the file."""


@dataclass(frozen=True)
class SharCut:
    """Holds a cut: the two tracks, float32 [T], with their rates in Hz, and mappings ready for JSON."""

    id: str
    user: Samples
    user_rate: int
    agent: Samples
    agent_rate: int
    supervisions: Sequence[dict[str, Any]]
    custom: dict[str, Any]


def user_recording_id(cut_id: str) -> str:
    """Return the id of the recording that the cut's supervisions belong to."""
    return f"{cut_id}-user"


def supervision(facts: dict[str, Any], cut_id: str, language: str, rate: int) -> dict[str, Any]:
    """Return a turn's supervision from its facts at `rate` Hz (`_tracks.turn_facts`). Its speaker is the role."""
    return {
        "id": f"{cut_id}-{facts['turn']}",
        "recording_id": user_recording_id(cut_id),
        "start": facts["start_sample"] / rate,
        "duration": facts["num_samples"] / rate,
        "channel": 0,
        "text": facts["text"],
        "language": language,
        "speaker": facts["role"],
        "custom": {name: facts[name] for name in ("turn", "kind", "voice_id", "hypothesis", "error_rate")},
    }


def write_shard(directory: Place, number: int, cuts: Iterator[SharCut], indexed: bool) -> None:
    """Write a shard into `directory`; nothing if there is no cut. `indexed`: cuts in plain text, an index per file."""
    first = next(cuts, None)
    if first is None:
        return
    lines_name = f"cuts.{number:06d}.jsonl"
    tar_names = [f"{field}.{number:06d}.tar" for field in _FIELDS]
    offsets: dict[str, list[int]] = {name: [] for name in (lines_name, *tar_names)}
    with ExitStack() as stack:
        stream = stack.enter_context((directory / (lines_name if indexed else f"{lines_name}.gz")).writing())
        lines: Any = stream
        if not indexed:  # with no name and no time in it
            lines = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0))
        tars = [TarFile(stack.enter_context((directory / name).writing())) for name in tar_names]
        size = 0
        for cut in chain((first,), cuts):
            offsets[lines_name].append(size)
            size += lines.write(_line(_cut_manifest(cut)))
            tracks = ((cut.user, cut.user_rate), (cut.agent, cut.agent_rate))
            for name, tar, recording, track in zip(tar_names, tars, _recordings(cut), tracks, strict=True):
                offsets[name].append(tar.size)
                tar.add(f"{cut.id}.flac", flac_bytes(*track))
                tar.add(f"{cut.id}.json", _line(recording))
        offsets[lines_name].append(size)
        for name, tar in zip(tar_names, tars, strict=True):
            tar.close()
            offsets[name].append(tar.size)
    for name in offsets if indexed else ():
        (directory / f"{name}.idx").write_bytes(np.array(offsets[name], _OFFSET).tobytes())


def delete_leftovers(out: Place, splits: Iterable[str]) -> None:
    """Remove what a killed process left half written: a reader of the folder would take it for a field."""
    for split in splits:
        (out / split).delete_leftovers()


def _cut_manifest(cut: SharCut) -> dict[str, Any]:
    user, agent = _recordings(cut)
    return {
        "id": cut.id,
        "start": 0,
        "duration": user["duration"],
        "channel": 0,
        "supervisions": list(cut.supervisions),
        "recording": user,
        "custom": {"target_audio": agent, **cut.custom},
        "type": "MonoCut",
    }


def _recordings(cut: SharCut) -> tuple[dict[str, Any], dict[str, Any]]:
    user = _recording(user_recording_id(cut.id), cut.user, cut.user_rate)
    return user, _recording(f"{cut.id}-agent", cut.agent, cut.agent_rate)


def _recording(recording_id: str, samples: Samples, rate: int) -> dict[str, Any]:
    return {
        "id": recording_id,
        "sources": [{"type": "shar", "channels": [0], "source": ""}],
        "sampling_rate": rate,
        "num_samples": len(samples),
        "duration": len(samples) / rate,
        "channel_ids": [0],
    }


def _line(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()
