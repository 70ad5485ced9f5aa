"""How corpora of recordings lie on disk, one module for each layout."""
