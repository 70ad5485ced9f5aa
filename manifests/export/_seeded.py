"""Draws of exporters: each depends on the user's seed and on the dialogue alone."""

import numpy as np

from manifests.hashes import hash64
from manifests.schema import Dialogue

SEED = "seed of what is drawn at random; the draw of a dialogue depends on nothing else"


def generator_for(seed: int, exporter: str, dialogue: Dialogue) -> np.random.Generator:
    """Return the generator of this dialogue's draws."""
    return np.random.Generator(np.random.PCG64(hash64(f"{seed}\n{exporter}\n{dialogue.dialogue_id}")))
