"""Makes token sets: speech tokens of a finished corpus, beside its shards (`manifests.token_sets` has the format).

=====  ==========================================================================================
make   the job: its identity, its blocks (a row group of the corpus each), the files of the set
work   what a worker does with a block, and how blocks are stored
=====  ==========================================================================================
"""
