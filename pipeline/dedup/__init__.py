"""Find near-duplicate questions by MinHash, spread over a runner and in bounded memory.

Everything that the user of a dialogue asks is one text, and a text is a set of shingles. A live row is a
near-duplicate if an earlier live row of its language shares a band key with it (`bands`) and their Jaccard similarity
reaches the recipe's threshold; it repeats the earliest such row. The similarity is exact for texts of fewer than
`num_perm` shingles, as nearly all spoken questions are, and an estimate for longer ones (`compare`).

So signatures decide only which rows are compared. They could estimate the similarity as well, but questions are short,
and many pairs lie at the threshold itself: if two questions of eleven words differ in the last, nine of eleven word
pairs agree. There the estimate of 128 hash functions has a standard deviation of 0.035.

The earlier row may itself be a near-duplicate of a third row that resembles this one less. So a verdict depends on two
texts and their order, and on no other verdict: all verdicts can be computed in parallel, and a changed row affects
only the rows that resemble it. Of a chain in which each row resembles the one before, only the first row is kept.
Comparing with kept rows alone would keep more of a chain, but its rows would have to be judged one after another.
Keeping one row of each connected component, as is common, would drop even rows that resemble no earlier row.

`build_index` writes the index, `load_index` reads it, and the stage `dedup` rejects the rows that it names. `version`
tells which library and normalizer do this, and raises if the library is missing, so that a job can ask before it
begins.
"""

from pipeline.dedup.bands import version
from pipeline.dedup.build import build_index
from pipeline.dedup.index import load_index

__all__ = ["build_index", "load_index", "version"]
