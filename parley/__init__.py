"""The door to Parley for training code: read or stream a corpus, decode its clips, check that it is whole.

>>> import parley
>>> corpus = parley.Corpus("demo")                                        # doctest: +SKIP
>>> samples, sample_rate = parley.decode(corpus[0].turns[0].audio)        # doctest: +SKIP
>>> stream = parley.CorpusStream(corpus, sample_rate=16_000)              # doctest: +SKIP
>>> assert parley.validate("demo").ok                                     # doctest: +SKIP

Importing it loads pyarrow and NumPy, and nothing that only making a corpus needs. `parley.testing` has what tests of
a stage or an engine need.
"""

import os
from collections.abc import Collection
from importlib.metadata import version

from manifests.batches import BatchBudget
from manifests.corpus import Corpus, decode
from manifests.spoken_corpus import SpokenCorpus
from manifests.storage import Place, open_place
from manifests.stream import CorpusStream
from manifests.validate import Report
from manifests.validate import validate as _validate

__all__ = ["BatchBudget", "Corpus", "CorpusStream", "SpokenCorpus", "__version__", "decode", "validate"]

__version__ = version("parley")


def validate(where: str | os.PathLike[str] | Place, deep: bool = False, beside: Collection[str] = ("work",)) -> Report:
    """Check the corpus at `where`; `deep` also checks every hash and decodes every clip.

    Whatever is wrong is a problem of the report, never an error. `beside` names what may stand in the directory
    besides the corpus: by default, the work directory that `parley run` leaves there.
    """
    return _validate(where if isinstance(where, Place) else open_place(where), deep, beside)
