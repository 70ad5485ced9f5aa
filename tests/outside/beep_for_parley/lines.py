"""An exporter: one line of text for each dialogue."""

from collections.abc import Callable

from manifests.corpus import Corpus
from manifests.export.contract import Export, Exporter
from manifests.storage import Place


def write(corpus: Corpus, out: Place, progress: Callable[[int], None]) -> Export:
    lines = []
    for dialogue in corpus.dialogues(audio=False):
        lines.append(" | ".join(f"{turn.role}: {turn.text}" for turn in dialogue.turns))
        progress(1)
    (out / "dialogues.txt").write_text("".join(f"{line}\n" for line in lines))
    return Export(written=len(lines))


EXPORTER = Exporter("lines", "one line of text for each dialogue", write)
