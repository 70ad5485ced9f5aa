"""Draws times from a profile. A draw depends on its own seed alone, and is recorded in samples that can be heard."""

from dataclasses import dataclass, field

import numpy as np

from manifests.schema import Draw
from pipeline.timing.profile import RandomTime


def draw_s(time: RandomTime, seed: int) -> float:
    """Return one time of the distribution, in seconds."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return min(max(_drawn(time, generator), time.min_s), time.max_s)


def _drawn(time: RandomTime, generator: np.random.Generator) -> float:
    if time.fixed_s is not None:
        return time.fixed_s
    if time.normal is not None:
        return float(generator.normal(time.normal.mean_s, time.normal.std_s))
    if time.log_normal is not None:
        return float(generator.lognormal(np.log(time.log_normal.median_s), time.log_normal.log_std))
    bins = time.histogram
    if bins is None:
        raise ValueError("a time without a distribution, which its validator refuses")
    edges = np.cumsum((0.0, *bins.counts))
    chosen = generator.random() * edges[-1]
    # A draw in the k-th bin lies as far inside it as inside the bin's share of the weight: one number decides both.
    place = float(np.interp(chosen, edges, np.arange(len(edges))))
    return bins.low_s + bins.width_s * place


@dataclass
class DrawRecord:
    """Collects what was drawn for one dialogue: whole samples at `sample_rate`, recorded in seconds."""

    sample_rate: int
    draws: list[Draw] = field(default_factory=list)

    def add(self, name: str, seconds: float, turn: int | None) -> int:
        """Record a time and return its samples; the recorded value is that of the samples."""
        num_samples = round(seconds * self.sample_rate)
        self.draws.append(Draw(name, num_samples / self.sample_rate, turn))
        return num_samples
