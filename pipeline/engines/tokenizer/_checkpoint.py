"""What the checkpoints of tokenizers share: their settings, where they lie, and reading weights without pickle."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local
from pipeline.weights.cache import label, locate
from pipeline.weights.table import load_table

INSTALL = extra("tokens")

# What transformers, safetensors and PyTorch raise for files that are missing, broken or of another kind of model.
BROKEN = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,  # 1e999 where a whole number is wanted
    pickle.UnpicklingError,
)


class TokenizerCheckpoint(Checkpoint):
    """Settings of all tokenizers that have a checkpoint."""

    license: str | None = Field(
        None, description="license of the weights, recorded beside the tokens; none: that of the table of models"
    )
    serving: Local = Field(Local(), description="where it runs")


def revision_of(model: TokenizerCheckpoint, engine: str) -> str:
    """Return the checkpoint's name and revision, which rows record. Raises EngineUnavailable like `label`."""
    return label(model.model, model.revision, engine)


def license_of(model: TokenizerCheckpoint) -> str | None:
    """Return the license that the recipe gives, or else that of the table of models."""
    entry = load_table().get(model.model)
    return model.license or (entry.license if entry else None)


def directory_of(model: TokenizerCheckpoint, engine: str, patterns: tuple[str, ...]) -> Path:
    """Return the model's directory: of the table, a local one, or that of the snapshot from the hub.

    Only files of `patterns` are taken from the hub. Raises EngineUnavailable if there is no such model.
    """
    directory = Path(locate(model.model, engine)).expanduser()
    if directory.is_dir():
        return directory
    hub = library("huggingface_hub", engine, INSTALL)
    try:
        return Path(hub.snapshot_download(model.model, revision=model.revision, allow_patterns=list(patterns)))
    except (OSError, ValueError) as error:
        raise unloadable(engine, model, error) from None


def unloadable(engine: str, model: Checkpoint, error: Exception) -> EngineUnavailable:
    """Return the error for a checkpoint that cannot be loaded; the library's own message may hold paths."""
    return EngineUnavailable(
        f"{engine} cannot load the model {model.label}: it is neither a local checkpoint nor on the hub, the hub "
        f"cannot be reached, or it is not of this kind ({type(error).__name__})"
    )


def state_of(torch: Any, directory: Path, pickled: str, engine: str, model: Checkpoint) -> Any:
    """Read a state dict: `model.safetensors` where there is one, or else the file `pickled`, whose code is not run.

    Raises EngineUnavailable for a file that is missing or broken.
    """
    safe = directory / "model.safetensors"
    try:
        if safe.is_file():
            return library("safetensors.torch", engine, INSTALL).load_file(str(safe))
        return torch.load(directory / pickled, map_location="cpu", weights_only=True)
    except (*BROKEN, library("safetensors", engine, INSTALL).SafetensorError) as error:
        raise unloadable(engine, model, error) from None


def from_transformers(kind: str, directory: Path, engine: str, model: Checkpoint) -> Any:
    """Load a model of transformers, of the class `kind`, in float32.

    Raises EngineUnavailable where it does not load, and where its file lacks weights, which would stay random.
    """
    prepare_torchaudio()
    transformers = library("transformers", engine, INSTALL)
    try:
        network, loaded = getattr(transformers, kind).from_pretrained(
            str(directory), dtype="float32", output_loading_info=True, trust_remote_code=False
        )
    except (*BROKEN, library("safetensors", engine, INSTALL).SafetensorError) as error:
        raise unloadable(engine, model, error) from None
    if missing := sorted(key for key in loaded["missing_keys"] if "masked_spec_embed" not in key):
        raise EngineUnavailable(f"the model {model.label} lacks weights of a {kind}: {missing[0]} and others")
    return network


def sha256_digits(file: Path) -> str:
    """Return the first digits of a file's SHA-256, by which a row's provenance tells files of one name apart."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:12]
