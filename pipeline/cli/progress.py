"""What people see of a running job: a bar on stderr."""

from collections import Counter
from typing import Any

from tqdm import tqdm

from pipeline.job.blocks import BlockReport
from pipeline.job.job import Listener


class ProgressBar(Listener):
    """Rows read; then rows settled out of all rows, time left, and of this run: yield so far, hours of kept audio."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._status: Counter[str] = Counter()
        self._kept_audio_s = 0.0

    def ingested(self, rows: int) -> None:
        if self._bar is None:
            self._bar = tqdm(unit="row", desc="rows read")
        self._bar.update(rows)

    def started(self, total: int, settled: int) -> None:
        self._close()
        self._bar = tqdm(total=total, initial=settled, unit="row", desc="rows settled", dynamic_ncols=True)

    def finished(self, report: BlockReport) -> None:
        self._status.update(report.status)
        self._kept_audio_s += report.kept_audio_s
        kept, settled = self._status["kept"], sum(self._status.values()) - self._status["live"]
        share = f"{kept / settled:.0%}" if settled else "-"
        self._bar.set_postfix_str(f"kept {kept} ({share}), {self._kept_audio_s / 3600:.3f} h", refresh=False)
        self._bar.update(report.rows - report.live)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
