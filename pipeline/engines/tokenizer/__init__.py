"""Engines that turn a clip into discrete codes: neural codecs, and speech encoders with a codebook.

All but "tone" are opened for a checkpoint that the recipe names. Clips are encoded one by one, in float32: in a batch
the last bits of a network's output may differ, and a code on the border between two with them, by which a row would
depend on its neighbors (docs/tokens.md).
"""
