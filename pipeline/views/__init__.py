"""Makes views of a finished corpus (`manifests.views`): nested subsets, splits, and what other rooms choose."""
