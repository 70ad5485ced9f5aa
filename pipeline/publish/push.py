"""Uploads a published corpus to a hub, with the hub's own client.

The client sends files as streams. After an interruption, the same call sends only what the hub does not have: it
compares hashes. The data comes first and the card last, so that an unfinished upload shows no card.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from manifests.errors import UserError
from manifests.libraries import extra, library
from manifests.storage import Place
from pipeline.export import RECORD
from pipeline.job.directory import WORK, refuse_links
from pipeline.publish.card import CARD, DATA

TOKEN = "HF_TOKEN"
"""Environment variable with the token. It is read nowhere else: not from files, not from the command."""
ENDPOINT = "HF_ENDPOINT"
"""Environment variable with the address of another hub."""

_NEEDED_BY = "the upload"
_LONGEST = 500


def push(out: Place, name: str, private: bool, say: Callable[[str], None]) -> str:
    """Upload the directory `out` as the data set `name`, "organization/name", made if it is not there.

    Files of an earlier upload that are not in `out` any more are deleted there, if they are data. Returns the address.
    Raises UserError without a token, for a directory that is not local, and if the hub refuses; EngineUnavailable
    without the client.
    """
    token = os.environ.get(TOKEN)
    if not token:
        raise UserError(f"--push takes the hub's token from the environment, and {TOKEN} is not set")
    if not out.is_local or not (out / CARD).exists():
        raise UserError("--push uploads a local directory that is published to the end")
    refuse_links(out, deep=True)  # a link would send a file from elsewhere
    hub = library("huggingface_hub", _NEEDED_BY, extra("publish"))
    errors = library("huggingface_hub.errors", _NEEDED_BY, extra("publish"))
    library("huggingface_hub.utils", _NEEDED_BY, extra("publish")).disable_progress_bars()
    api = hub.HfApi(endpoint=os.environ.get(ENDPOINT) or None, token=token)
    try:
        say(f"uploading {name}: data")
        api.create_repo(name, repo_type="dataset", private=private or None, exist_ok=True)
        _upload(api, out, name, {"allow_patterns": [f"{DATA}/*"], "delete_patterns": [f"{DATA}/*"]})
        say(f"uploading {name}: card")
        done = _upload(api, out, name, {"ignore_patterns": [f"{DATA}/*", f"{WORK}/*", RECORD, ".*"]})
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # RuntimeError: its Xet library
        raise UserError(f"the upload stopped: {_reason(error, token)}; the same command continues it") from None
    return str(done.commit_url).split("/commit/")[0]


def _upload(api: Any, out: Place, name: str, chosen: Mapping[str, Any]) -> Any:
    return api.upload_folder(
        repo_id=name, repo_type="dataset", folder_path=out.path, commit_message="Publish with Parley", **chosen
    )


def _reason(error: BaseException, token: str) -> str:
    """Return what the error says, on one line, without the token."""
    return (" ".join(str(error).split()) or type(error).__name__).replace(token, "***")[:_LONGEST]
