"""Near-duplicate questions, by MinHash; the work is spread over a runner, and memory is bounded.

All that a dialogue's user asks is one text, a set of shingles. A live row is a near-duplicate if an earlier live row
of its language shares a band key with it (`bands`) and their Jaccard similarity reaches the recipe's threshold; it
repeats the earliest such row. The similarity is exact for texts of fewer than `num_perm` shingles, as nearly all
spoken questions are, and an estimate beyond (`compare`).

So signatures decide only who is compared. They could estimate the similarity as well, but questions are short, and
many pairs lie at the threshold itself: of eleven words the last is another, and nine of eleven pairs of words agree.
There the estimate of 128 hash functions has a standard deviation of 0.035.

The earlier row may be a near-duplicate itself, of a row that is less like this one. Therefore a verdict depends on two
texts and their order and on no other verdict: all can be reached side by side, and a row that changes touches the rows
like itself, not a chain of them. Of a chain in which each row is like the one before, only the first is kept. To
compare with kept rows alone would keep some more of a chain, but its rows would have to be judged one after another;
to keep one row of all that hang together, as is common, drops even rows of which no earlier one is like them.

`build_index` writes the index, `load_index` reads it, and the stage `dedup` rejects the rows that it names.
`version` says with what, and raises where that is missing, so that a job can ask before it begins.
"""

from pipeline.dedup.bands import version
from pipeline.dedup.build import build_index
from pipeline.dedup.index import load_index

__all__ = ["build_index", "load_index", "version"]
