"""A corpus becomes blocks of whole groups, in the order of their ids, whatever order its clips come in."""

import random
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import CorpusError, LawBroken
from manifests.storage import open_place
from pipeline.bank.listing import Listing, list_blocks, read_clips
from pipeline.job.commits import write_hashes
from voicebank.layouts.clip import SourceClip


def clip(group: str, number: int, **values: Any) -> SourceClip:
    return SourceClip(f"{group}-{number}", f"{group}/{number}.wav", group, "en", **values)


def clips_of(**sizes: int) -> list[SourceClip]:
    return [clip(group, number) for group, size in sizes.items() for number in range(size)]


def listed(clips: list[SourceClip], directory: Path, block_clips: int = 10, **options: Any) -> Listing:
    place = open_place(directory)
    listing, hashes = list_blocks(
        iter(clips), place / "clips", place / "scratch", block_clips, "dnsmos_p808", **options
    )
    write_hashes(place / "clips", hashes)
    return listing


def blocks_of(directory: Path, listing: Listing) -> list[list[SourceClip]]:
    return [read_clips(open_place(directory) / "clips", block) for block in range(listing.blocks)]


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ({"a": 4, "b": 5, "c": 4, "d": 6}, [["a", "b"], ["c", "d"]]),
        ({"a": 10, "b": 1}, [["a"], ["b"]]),
        ({"a": 25, "b": 1}, [["a"], ["b"]]),
        ({"a": 1, "b": 25, "c": 1}, [["a"], ["b"], ["c"]]),
        ({"a": 3}, [["a"]]),
        ({}, []),
    ],
)
def test_blocks_are_whole_groups(sizes: dict[str, int], blocks: list[list[str]], tmp_path: Path) -> None:
    listing = listed(clips_of(**sizes), tmp_path)
    found = blocks_of(tmp_path, listing)
    assert [[name for name, _ in groupby(block, lambda c: c.group)] for block in found] == blocks
    assert (listing.clips, listing.groups) == (sum(sizes.values()), len(sizes))
    assert not (tmp_path / "scratch").exists()


def test_the_order_of_the_corpus_does_not_matter(tmp_path: Path) -> None:
    clips = clips_of(b=7, é=3, a=5, B=2, 中=4)
    shuffled = random.Random(3).sample(clips, len(clips))
    first, second = listed(clips, tmp_path / "1"), listed(shuffled, tmp_path / "2")
    assert first == second
    assert blocks_of(tmp_path / "1", first) == blocks_of(tmp_path / "2", second)
    groups = [c.group for block in blocks_of(tmp_path / "1", first) for c in block]
    assert groups == sorted(groups)


ANY_CLIP = st.builds(
    SourceClip,
    clip_id=st.text(max_size=4),
    path=st.text(max_size=4),
    group=st.text(max_size=2),
    language=st.sampled_from(["en", "zh", ""]),
    text=st.none() | st.text(st.characters(), max_size=4),
    quality=st.none() | st.floats(1, 5),
    quality_scale=st.sampled_from([None, "dnsmos_p808"]),
)


@given(st.lists(ANY_CLIP, max_size=20), st.integers(1, 8))
def test_nothing_is_lost_and_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, clips: list[SourceClip], block_clips: int
) -> None:
    directory = tmp_path_factory.mktemp("listing")
    listing = listed(clips, directory, block_clips)
    found = [c for block in blocks_of(directory, listing) for c in block]
    assert len(found) == listing.clips == len(clips)
    good = [(c.group, c.path) for c in found if c.reason is None]
    assert len(set(good)) == len(good)
    assert listing.groups == len({c.group for c in found})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({}, None, id="as it should be"),
        pytest.param({"reason": "audio_missing"}, "audio_missing", id="the layout's own"),
        pytest.param({"path": "../a/0.wav"}, "bad_metadata", id="leads out of the corpus"),
        pytest.param({"path": "/etc/passwd"}, "bad_metadata", id="an absolute path"),
        pytest.param({"path": "a/\udcff.wav"}, "bad_metadata", id="a file name that is no UTF-8"),
        pytest.param({"text": "a\0b"}, "bad_metadata", id="NUL"),
        pytest.param({"clip_id": ""}, "bad_metadata", id="no id"),
        pytest.param({"language": ""}, "bad_metadata", id="no language"),
    ],
)
def test_clips_that_no_file_could_hold(changes: dict[str, Any], reason: str | None, tmp_path: Path) -> None:
    ((found,),) = blocks_of(tmp_path, listed([replace(clip("a", 0), **changes)], tmp_path))
    assert found.reason == reason
    assert found.group == "a"


@pytest.mark.parametrize("same", ["clip_id", "path"])
def test_a_clip_that_is_there_twice(same: str, tmp_path: Path) -> None:
    first, second = clip("a", 0), clip("a", 1)
    second = replace(second, **{same: getattr(first, same)})
    ((one, other),) = blocks_of(tmp_path, listed([first, second], tmp_path))
    assert (one.reason, other.reason) == (None, "duplicate_clip")


def test_a_reason_of_no_list_is_our_bug(tmp_path: Path) -> None:
    with pytest.raises(LawBroken, match="sounds odd"):
        listed([clip("a", 0, reason="sounds odd")], tmp_path)


def test_what_engines_are_needed_for_is_counted(tmp_path: Path) -> None:
    clips = [
        clip("a", 0, quality=3.0, quality_scale="dnsmos_p808", gender="male"),
        clip("a", 1, quality=3.0, quality_scale="dnsmos_ovrl", gender="male"),
        clip("a", 2, quality=float("nan"), quality_scale="dnsmos_p808"),
    ]
    listing = listed(clips, tmp_path)
    assert (listing.without_score, listing.without_gender) == (2, 1)


def test_the_first_groups_and_those_who_listen(tmp_path: Path) -> None:
    heard: list[int] = []
    listing = listed(clips_of(c=900, b=700, a=1), tmp_path, limit_groups=2, listed=heard.append)
    assert (listing.clips, listing.groups) == (701, 2)
    assert heard == [1000, 601]


def test_what_a_killed_listing_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "clips.db").write_bytes(b"half a database")
    assert listed(clips_of(a=2), tmp_path).clips == 2


@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_a_block_that_cannot_be_read(damage: str, tmp_path: Path) -> None:
    listed(clips_of(a=2), tmp_path)
    file = tmp_path / "clips" / "000000.parquet"
    file.write_bytes(file.read_bytes()[:-20]) if damage == "broken" else file.unlink()
    with pytest.raises(CorpusError, match="block 0"):
        read_clips(open_place(tmp_path) / "clips", 0)
