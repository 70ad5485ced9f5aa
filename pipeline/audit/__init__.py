"""`parley corpus audit`: what a corpus promises, measured again from its files alone.

::

    structure   manifests.validate, deep: hashes, counts, clips
    marks       the watermark in the delivered bytes, against what the rows record
    survival    the same after codecs, resampling, noise and cropping, beside controls without a mark
    speech      a sample heard and judged again by the recipe's own stages
    speakers    voices used, of those that the bank has

`audit.py` puts them together; `text.py`, `html.py` and `plots.py` show the result. No part of it holds a path.
"""
