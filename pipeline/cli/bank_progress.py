"""What people see of a build that runs: a bar on stderr."""

from typing import Any

from tqdm import tqdm

from pipeline.bank.build import BankListener
from pipeline.bank.results import BankReport


class BankProgress(BankListener):
    """Clips listed; then clips settled out of all of them, time left, and the speakers so far."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._speakers = 0

    def listed(self, clips: int) -> None:
        if self._bar is None:
            self._bar = tqdm(unit="clip", desc="clips listed")
        self._bar.update(clips)

    def started(self, clips: int, settled: int, speakers: int) -> None:
        self._close()
        self._speakers = speakers
        self._bar = tqdm(total=clips, initial=settled, unit="clip", desc="clips settled", dynamic_ncols=True)

    def finished(self, report: BankReport) -> None:
        self._speakers += report.speakers
        self._bar.set_postfix_str(f"{self._speakers} speakers", refresh=False)
        self._bar.update(report.clips)

    def __enter__(self) -> "BankProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
