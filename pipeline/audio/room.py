"""Put speech into a room: convolve it with the room's impulse response. The direct sound keeps its place and level."""

import numpy as np

from pipeline.audio.convolve import convolve
from pipeline.engines.contract import Samples


def in_room(samples: Samples, response: Samples) -> Samples:
    """Return the samples [T] as they are heard in the room; what rings on after the last of them is cut off.

    The largest sample of the response [K] is taken for the direct sound: it is neither delayed nor changed in level,
    so that a word begins where it began. Raises ValueError for a response that is silent.
    """
    direct = int(np.argmax(np.abs(response)))
    level = float(response[direct])
    if level == 0:
        raise ValueError("the impulse response is silent")
    return convolve(samples, response / np.float32(level), direct)
