"""Text engines on vLLM that are not in the test's own process: in a Ray actor, and in a process that gets killed."""

import time
from typing import Any

from pipeline.engines.contract import Failure, TextAnswer
from pipeline.engines.text._chat.vllm_model import open_generator
from pipeline.engines.text.vllm import VllmModel
from tests.peers.asking import text_requests
from tests.peers.servers import READY_S


class Holder:
    """What is made an actor of."""

    def __init__(self, settings: VllmModel) -> None:
        self._engine: Any = open_generator(settings, None)

    def generate(self, language: str, count: int) -> list[TextAnswer | Failure]:
        return list(self._engine.generate(text_requests(language, count)))


def hold_until_killed() -> None:
    """Reads the model's settings, a line of JSON, and says when they are loaded."""
    holder = Holder(VllmModel.model_validate_json(input()))
    print("ready", flush=True)
    time.sleep(READY_S)
    raise SystemExit(f"nobody killed {holder}")


if __name__ == "__main__":
    hold_until_killed()
