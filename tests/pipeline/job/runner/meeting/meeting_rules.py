"""The rules engine, but `generate` returns only when three threads of this process are in it together."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules import RulesGenerator
from pipeline.engines.text.rules import version as version

_TOGETHER = threading.Barrier(3, timeout=60)


class MeetingRules(RulesGenerator):
    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        _TOGETHER.wait()
        with (Path(os.environ["MEETING_DIR"]) / "processes").open("a") as file:
            file.write(f"{os.getpid()}\n")
        return super().generate(requests)
