"""A tone synthesizer that ends its process, or dies, at the text "number three".

Only the first FAULTS times, counted in a file, since its process does not live to count.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from manifests.errors import EngineDied
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.engines.tts.tone import version as version


class FaultySynthesizer(ToneSynthesizer):
    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        if any("number three" in request.text for request in requests) and self._strike():
            if os.environ["FAULT"] == "exit":
                os._exit(139)
            raise EngineDied("the engine is gone")
        return super().synthesize(requests)

    def _strike(self) -> bool:
        tally = Path(os.environ["FAULT_TALLY"])
        done = len(tally.read_bytes()) if tally.exists() else 0
        tally.write_bytes(b"x" * (done + 1))
        return done < int(os.environ["FAULTS"])
