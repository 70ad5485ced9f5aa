"""Asks PyTorch, if it is loaded, which worker and which rank this process is; it is never imported here."""

import os
import sys

from manifests.errors import UserError
from manifests.storage import Place


def make_iterable(kind: type) -> None:
    """Let `DataLoader` take objects of this class for its `IterableDataset`, if PyTorch is loaded."""
    if (data := sys.modules.get("torch.utils.data")) is not None:
        data.IterableDataset.register(kind)


def this_worker() -> tuple[int, int]:
    """Return number and count of the `DataLoader` worker that this process is; 0 of 1 elsewhere."""
    data = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data is not None else None
    return (0, 1) if info is None else (int(info.id), int(info.num_workers))


def this_rank() -> tuple[int, int]:
    """Return rank and world size of this process in `torch.distributed`; 0 of 1 where it was not initialized."""
    torch = sys.modules.get("torch")
    distributed = torch.distributed if torch is not None and hasattr(torch, "distributed") else None
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return int(distributed.get_rank()), int(distributed.get_world_size())


def refuse_forked_connections(place: Place, process: int) -> None:
    """Raise a UserError if `place` is on an object store, and `process`, which opened it, is not this one."""
    if not place.is_local and os.getpid() != process:
        raise UserError(
            "the connection to an object store does not survive a fork: give the DataLoader "
            "multiprocessing_context='spawn'"
        )
