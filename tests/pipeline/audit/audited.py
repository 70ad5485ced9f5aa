"""Small finished corpora for the audit's tests: tones, and changes to them that stay valid Parquet and hashes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.manifest import FINAL_STATUSES, load_manifest, write_manifest
from manifests.schema import Dialogue, Turn
from manifests.storage import Place, open_place
from manifests.writer import CorpusWriter
from parley.testing.stages import with_take
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Samples

RATE = 16_000

Change = Callable[[Dialogue], Dialogue]


def rewrite(corpus: Path, where: Path, change: Change, settings: Mapping[str, Any] | None = None) -> Place:
    """The corpus again, with changed rows and a manifest that fits them: what a careful forger would leave.

    `settings` replace sections of the recipe, under the old digest.
    """
    place, manifest = open_place(where), load_manifest(open_place(corpus))
    with CorpusWriter(place) as writer:
        for status in FINAL_STATUSES:
            for dialogue in Corpus(corpus, status=status):
                writer.write(change(_without_files(dialogue)))
    recipe = replace(manifest.recipe, settings=manifest.recipe.settings | dict(settings or {}))
    packed = writer.packed
    changes = {"counts": packed.counts, "shards": packed.shards, "metadata": None, "clips": None}
    write_manifest(place, replace(manifest, recipe=recipe, **changes))
    return place


def first_kept(change: Callable[[Turn], Turn]) -> Change:
    """Changes the first turn of the first kept dialogue that comes by."""
    done: list[str] = []

    def apply(dialogue: Dialogue) -> Dialogue:
        if done or dialogue.status != "kept":
            return dialogue
        done.append(dialogue.dialogue_id)
        return replace(dialogue, turns=(change(dialogue.turns[0]), *dialogue.turns[1:]))

    return apply


def without_mark(turn: Turn) -> Turn:
    """The same tones less everything below 300 Hz, where the pilot tone is."""
    assert turn.audio is not None
    samples, rate = decode(turn.audio)
    spectrum = np.fft.rfft(samples)
    spectrum[: int(300 * len(samples) / rate)] = 0
    made = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    return with_take(turn, audio=encode(made, rate, turn.audio.codec))


def tones(seconds: float = 2.0, rate: int = RATE, seed: int = 0) -> Clip:
    """Something with a spectrum like speech's: noise bursts between 300 and 3,000 Hz, four a second."""
    time = np.arange(int(seconds * rate)) / rate
    noise = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(time)))
    frequencies = np.fft.rfftfreq(len(time), 1 / rate)
    noise[(frequencies < 300) | (frequencies > 3_000)] = 0
    samples = np.fft.irfft(noise, len(time)) * np.abs(np.sin(4 * np.pi * time))
    return Clip((0.5 * samples / np.abs(samples).max()).astype(np.float32), rate)


def lag(changed: Samples, original: Samples) -> int:
    """By how many samples `changed` comes later, by the peak of the cross-correlation."""
    size = 2 * max(len(changed), len(original))
    product = np.fft.rfft(changed, size) * np.conj(np.fft.rfft(original, size))
    peak = int(np.argmax(np.fft.irfft(product, size)))
    return peak if peak < size // 2 else peak - size


def _without_files(dialogue: Dialogue) -> Dialogue:
    turns = tuple(
        with_take(turn, audio=replace(turn.audio, path=None)) if turn.audio else turn for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns)
