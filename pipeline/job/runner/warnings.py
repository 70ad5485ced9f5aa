"""Collects what engines and stages log for the user, wherever they run: a worker's stderr reaches nobody under Ray."""

import logging
from collections.abc import Callable

LOGGER = "pipeline"


class Warnings(logging.Handler):
    """Hands on each warning of Parley's own modules, once; those of libraries are not for the user."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._told: set[str] = set()

    def __enter__(self) -> "Warnings":
        logging.getLogger(LOGGER).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(LOGGER).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        sentence = record.getMessage()
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)
