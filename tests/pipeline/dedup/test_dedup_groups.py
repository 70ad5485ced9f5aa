"""Groups of similar texts against a comparison of every pair."""

import random
import time

import numpy as np
import pytest

from pipeline.dedup.groups import MOST_COMPARED, similar_pairs
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import text_hashes
from pipeline.views.components import Edges, components

SETTINGS = DedupSettings(threshold=0.7)


def groups_of(texts):
    hashes = [text_hashes(text, "en", {"en": 2}) for text in texts]
    pairs = similar_pairs(hashes, SETTINGS)
    things = np.repeat(np.arange(len(pairs)), 2)
    return hashes, components(len(texts), [Edges(pairs.reshape(-1), things)]).tolist()


def test_groups_are_the_components_of_the_similar_pairs():
    """One changed word of fifteen leaves 12 of 16 word pairs, two leave 10 of 18: like enough to be compared."""
    draw = random.Random(3)
    words = [f"w{n}" for n in range(400)]
    texts = [" ".join(draw.choices(words, k=15)) for _ in range(100)]
    for changes in [1] * 100 + [2] * 100:
        changed = draw.choice(texts).split()
        for place in draw.sample(range(1, 14), changes):
            changed[place] = draw.choice(words)
        texts.append(" ".join(changed))
    hashes, groups = groups_of(texts)
    similar = []
    for i in range(len(texts)):
        for j in range(i):
            both = len(np.intersect1d(hashes[i], hashes[j]))
            if both / (len(hashes[i]) + len(hashes[j]) - both) >= 0.7:
                similar += [i, j]
    things = np.repeat(np.arange(len(similar) // 2), 2)
    assert len(similar) > 200
    assert groups == components(len(texts), [Edges(np.array(similar), things)]).tolist()


def test_chains_are_one_group_and_strangers_are_not():
    long = [f"w{n}" for n in range(30)]
    chain = [" ".join(long[start : start + 20]) for start in range(4)]
    _, groups = groups_of([*chain, "quite another thing", "", "", chain[0].upper()])
    assert groups[:4] == [0, 0, 0, 0] and groups[7] == 0
    assert len({*groups[4:7]}) == 3


def test_an_overfull_bucket_is_one_group():
    """They share nearly all words: each pair that is not compared is taken for similar."""
    start = " ".join(f"w{n}" for n in range(60))
    _, groups = groups_of([f"{start} end{n}" for n in range(3 * MOST_COMPARED)])
    assert set(groups) == {0}


def test_no_texts_have_no_groups():
    assert similar_pairs([], SETTINGS).shape == (0, 2)


@pytest.mark.slow
def test_time_grows_with_the_texts_and_not_with_their_square():
    draw = random.Random(5)
    words = [f"w{n}" for n in range(5000)]

    def seconds(rows):
        texts = [" ".join(["tell me about", *draw.choices(words, k=8)]) for _ in range(rows)]
        hashes = [text_hashes(text, "en", {"en": 2}) for text in texts]
        start = time.process_time()
        similar_pairs(hashes, SETTINGS)
        return time.process_time() - start

    seconds(1000)  # libraries are loaded
    assert seconds(20_000) < 10 * seconds(5_000)
