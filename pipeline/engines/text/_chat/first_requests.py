"""Tells of first requests that all come to nothing for one cause, and stops a job in which they go on."""

import logging
from collections import Counter

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Failure

_log = logging.getLogger(__name__)

TOLD_AFTER = 3
"""Requests without a success after which the user is told; one alone may be the fault of its row."""

# Of the model, its server or the prompt; what else may fail depends on the row.
_OF_THE_MODEL = frozenset({Reason.TEXT_ENGINE_FAILED, Reason.WRONG_LANGUAGE, Reason.REFUSED})


class FirstRequests:
    """Counts the first `limit` requests of the model that messages call `name`; 0: counts nothing.

    One good answer ends the watch. Which requests come first depends on the server, so this may stop a job, but never
    changes what a row becomes.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._causes: Counter[str] = Counter()

    def succeeded(self) -> None:
        self._limit = 0

    def failed(self, failure: Failure, cause: str, note: str) -> None:
        """Count a failure, and log it once; `cause` is the same text for like failures, `note` what the user can do.

        Raises EngineUnavailable if this was the last of the first requests, and all had the same cause.
        """
        if failure.reason not in _OF_THE_MODEL or not self._limit:
            return
        self._causes[cause] += 1
        failed, limit = sum(self._causes.values()), self._limit
        said = f"{failure.detail}{f'; {note}' if note and note not in failure.detail else ''}"
        if failed == TOLD_AFTER < limit and len(self._causes) == 1:
            _log.warning("%s: so far every request has failed for one cause, %s", self._name, said)
        if failed < limit:
            return
        self._limit = 0
        if len(self._causes) == 1:
            raise EngineUnavailable(
                f"{self._name}: the first {limit} requests all failed for one cause, {said} "
                "(give_up_after: 0 goes on regardless)"
            )
