"""Audit a corpus (`parley corpus audit`): measure everything that it promises again, from its files alone.

::

    structure   manifests.validate, deep: hashes, counts, clips
    marks       the watermark in the delivered bytes, against what the rows record
    survival    the same after codecs, resampling, noise and cropping, beside controls without a mark
    speech      a sample transcribed and judged again by the recipe's own stages
    speakers    the voices used, out of the voices in the bank

`audit.py` puts them together; `text.py`, `html.py` and `plots.py` show the result. No part of the result contains a
path.
"""
