"""CosyVoice's `spk2info.pt`: a dictionary of the speakers that a model knows, each with its tensors.

An entry made by training holds `embedding` [1, 192]; one that `add_zero_shot_spk` made from a recording holds
`flow_embedding` and `llm_embedding` of the same shape, and the recording's features and tokens. The embedding is taken
and scaled to length 1, as the models do too; what is left out is reported.
"""

import io
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import InputError
from manifests.libraries import extra, safe_torch
from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices, ImportReason, VoiceEntry, VoiceReject, entry_problem
from voicebank.exchange.format import ExchangeFormat
from voicebank.voice import Vector, Voice

ENGINE = "cosyvoice"

_EMBEDDINGS = ("embedding", "flow_embedding", "llm_embedding")
_FLOAT32_ROUNDING = 1e-6
_CODE = re.compile(r"unsupported global:? (?:GLOBAL )?([\w.]{1,60})", re.IGNORECASE)
"""PyTorch's words for a file that names code to be called."""


def export_spk2info(voices: Sequence[Voice]) -> bytes:
    """Make the file: {voice_id: {"embedding": float32 tensor [1, D]}}. All voices must have embeddings of one width.

    The tensors are views of one matrix, which is stored once: a storage for each would double the file.
    """
    torch = _torch()
    matrix = torch.from_numpy(np.stack([voice.embedding for voice in voices if voice.embedding is not None]))
    info = {voice.voice_id: {"embedding": matrix[i : i + 1]} for i, voice in enumerate(voices)}
    buffer = io.BytesIO()
    torch.save(info, buffer)
    return buffer.getvalue()


def read_spk2info(file: Place) -> FoundVoices:
    """Read the entries of a file. InputError where it is not such a file, or cannot be loaded without running code."""
    info = _load(file)
    entries, rejects, left = [], [], Counter[str]()
    recorded = False
    for name, values in info.items():
        found = _entry(name, values)
        if isinstance(found, VoiceReject):
            rejects.append(found)
            continue
        entries.append(found)
        left.update(str(key) for key in values if key not in _EMBEDDINGS)
        recorded = recorded or set(values) != {"embedding"}
    entries, odd = _of_one_width(entries)
    notes = tuple(f"left out: {key} of {count} entries" for key, count in sorted(left.items()))
    return FoundVoices(tuple(entries), (*rejects, *odd), notes, real_people=True if recorded else None)


def _entry(name: object, values: object) -> VoiceEntry | VoiceReject:
    if not isinstance(name, str) or not name or not isinstance(values, Mapping):
        return VoiceReject(str(name)[:80], ImportReason.BAD_METADATA, "not a name with a dictionary")
    tensors = [values[key] for key in _EMBEDDINGS if _is_vector(values.get(key))]
    if not tensors:
        return VoiceReject(
            name, ImportReason.NO_EMBEDDING, f"it holds {', '.join(map(str, values)) or 'nothing'}"[:200]
        )
    embedding = _unit(tensors[0].detach().cpu().double().numpy().reshape(-1))
    if embedding is None:
        return VoiceReject(name, ImportReason.BAD_EMBEDDING, "NaN, infinite or all zeros")
    entry = VoiceEntry(name, ENGINE, name, embedding=embedding)
    problem = entry_problem(entry)
    return VoiceReject(name[:80], ImportReason.BAD_METADATA, problem) if problem else entry


def _is_vector(value: object) -> bool:
    """Whether a value is a floating-point tensor [D] or [1, D]."""
    torch = _torch()
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return False
    return value.numel() > 0 and tuple(value.shape) in ((value.numel(),), (1, value.numel()))


def _unit(vector: npt.NDArray[np.float64]) -> Vector | None:
    """Scale to float32 of length 1; a vector that has this length stays as it is, bit by bit."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        return None
    scale = 1.0 if abs(length - 1) < _FLOAT32_ROUNDING else length
    return (vector / scale).astype(np.float32)


def _of_one_width(entries: Sequence[VoiceEntry]) -> tuple[list[VoiceEntry], list[VoiceReject]]:
    """Split the entries into those whose embeddings have the most common width, and rejects."""
    widths = Counter(entry.embedding.size for entry in entries if entry.embedding is not None)
    usual = widths.most_common(1)[0][0] if widths else 0
    kept, odd = [], []
    for entry in entries:
        width = 0 if entry.embedding is None else entry.embedding.size
        if width == usual:
            kept.append(entry)
        else:
            odd.append(VoiceReject(entry.name, ImportReason.BAD_EMBEDDING, f"{width} wide, not {usual}"))
    return kept, odd


def _load(file: Place) -> Mapping[object, Any]:
    torch = _torch()
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file.name}: cannot be read ({type(error).__name__})") from error
    try:
        with warnings.catch_warnings(action="ignore"):
            info = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  an unpickler raises anything at all on bytes that are not its own
        if found := _CODE.search(str(error)):
            what = f"it would run code when loaded ({found[1]})"
            raise InputError(f"{file.name}: {what}; only files of plain tensors are read") from None
        raise InputError(f"{file.name}: not a file of PyTorch, or damaged ({type(error).__name__})") from None
    if not isinstance(info, Mapping):
        raise InputError(f"{file.name}: not a dictionary of speakers")
    return info


def _torch() -> Any:
    return safe_torch("CosyVoice's spk2info.pt", extra("voicebank"))


def _write(file: Place, voices: Sequence[Voice]) -> Sequence[str]:
    file.write_bytes(export_spk2info(voices))
    return ()


FORMAT = ExchangeFormat(
    origin="the speakers of a CosyVoice model (spk2info.pt)",
    requires="with an embedding",
    can_hold=lambda voice: voice.embedding is not None,
    read=lambda file, _: read_spk2info(file),
    write=_write,
)
