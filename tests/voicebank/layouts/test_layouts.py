"""What all layouts keep to."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laid_out import clips_of, corpus_of
from pyarrow import fs as pafs

from manifests.errors import InputError
from manifests.storage import Place, open_place
from tests.tables import each_row
from voicebank.layouts import LAYOUTS
from voicebank.reasons import bank_reason_of

SPEAKER, CHAPTER, NUMBER = st.integers(1, 3), st.integers(1, 2), st.integers(0, 3)
HAS_AUDIO, HAS_TEXT = st.booleans(), st.booleans()
CLIPS = st.dictionaries(st.tuples(SPEAKER, CHAPTER, NUMBER), st.tuples(HAS_AUDIO, HAS_TEXT), min_size=1)


def librispeech(clips):
    files, texts = {}, {}
    for (speaker, chapter, number), (audio, text) in clips.items():
        home, name = f"split-{number % 2}/{speaker}/{chapter}", f"{speaker}-{chapter}-{number:04}"
        files |= {f"{home}/{name}.flac": ""} if audio else {}
        texts.setdefault(f"{home}/{speaker}-{chapter}.trans.txt", []).append(f"{name} HELLO" if text else "")
    return files, files | {name: "\n".join(lines) for name, lines in texts.items()}


def libritts(clips):
    files, texts = {}, {}
    for (speaker, chapter, number), (audio, text) in clips.items():
        stem = f"split-{number % 2}/{speaker}/{chapter}/{speaker}_{chapter}_{number}_0"
        files |= {f"{stem}.wav": ""} if audio else {}
        texts |= {f"{stem}.normalized.txt": "Hello."} if text else {}
    return files, files | texts


def aishell3(clips):
    files, texts = {}, {"train": [], "test": []}
    for (speaker, chapter, number), (audio, text) in clips.items():
        part, name = ("train", "test")[chapter - 1], f"SSB000{speaker}{chapter}00{number}"
        files |= {f"{part}/wav/SSB000{speaker}/{name}.wav": ""} if audio else {}
        texts[part] += [f"{name}.wav\t好 hao3"] if text else []
    return files, files | {f"{part}/content.txt": "\n".join(lines) for part, lines in texts.items()}


def wenetspeech4tts(clips):
    listed, texts = {}, {}
    for (speaker, chapter, number), (_, text) in clips.items():
        folder = ("Basic/B_0", "Premium/P_0")[chapter - 1]
        name = f"X{speaker}_{chapter}_S{number}"
        listed[f"{folder}/wavs/{name}.wav"] = f"{name} ../{folder}/wavs/{name}.wav"
        texts |= {f"{folder}/txts/{name}.txt": f"{name}\t好"} if text else {}
    return listed, {"filelists/Basic_filelist.lst": "\n".join(listed.values())} | texts


def manifest(clips):
    speakers = {f"{speaker}/{chapter}-{number}.wav": str(speaker) for speaker, chapter, number in clips}
    rows = [{"path": path, "speaker": speaker, "language": "en"} for path, speaker in speakers.items()]
    return speakers, {"manifest.jsonl": "\n".join(map(json.dumps, rows))}


MADE = {"librispeech": librispeech, "libritts": libritts, "aishell3": aishell3} | {
    "wenetspeech4tts": wenetspeech4tts,
    "manifest": manifest,
}


def test_every_layout_is_tried_here():
    assert sorted(MADE) == sorted(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25)
@given(clips=CLIPS)
def test_every_file_is_a_clip_exactly_once(layout, clips):
    audio, files = MADE[layout](clips)
    if not audio and all(not content.strip() for content in files.values()):
        return  # nothing of the corpus is there
    with corpus_of(files) as place:
        first, second = list(LAYOUTS[layout].read(place)), list(LAYOUTS[layout].read(place))
    assert first == second
    assert sorted(clip.path for clip in first if clip.reason is None) == sorted(audio)
    assert {clip.reason for clip in first} <= {None, "audio_missing"}
    assert len({clip.clip_id for clip in first}) == len(first)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_filesystem_will_do(layout, tmp_path):
    _, files = MADE[layout]({(1, 1, 0): (True, True), (2, 1, 1): (True, True)})
    for path, content in files.items():
        (open_place(tmp_path / "corpus") / path).write_text(content)
    elsewhere = Place(pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), "corpus")
    clips = list(LAYOUTS[layout].read(elsewhere))
    assert clips == list(LAYOUTS[layout].read(open_place(tmp_path / "corpus")))
    assert len(clips) == 2


@each_row(
    "files",
    [
        pytest.param({}, id="empty"),
        pytest.param({"README": "", "docs/a.txt": "", "docs/b/c.ogg": ""}, id="something else"),
    ],
)
@each_row("layout", LAYOUTS)
def test_a_directory_that_is_no_such_corpus_is_an_input_error(layout, files):
    with pytest.raises(InputError, match=r"\.(flac|wav|lst|jsonl)"):
        clips_of(layout, files, at="")


@each_row("at", ["nowhere", "file"])
@each_row("layout", LAYOUTS)
def test_neither_is_what_is_not_there_or_is_a_file(layout, at):
    with pytest.raises(InputError):
        clips_of(layout, {"file": "x"}, at=at)


@pytest.mark.parametrize(("layout", "other"), [("libritts", "aishell3"), ("aishell3", "librispeech")])
def test_neither_is_another_corpus(layout, other):
    _, files = MADE[other]({(1, 1, 0): (True, True)})
    with pytest.raises(InputError, match=f"is not {'LibriTTS' if layout == 'libritts' else 'AISHELL-3'}"):
        clips_of(layout, files)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_clips_come_before_the_whole_corpus_is_read(layout, monkeypatch):
    _, files = MADE[layout]({(speaker, 1, 0): (True, True) for speaker in (1, 2, 3)})
    with corpus_of(files) as place:
        clips = LAYOUTS[layout].read(place)
        assert next(clips).reason is None
        for child in place.list():
            child.delete()
        assert len(list(clips)) <= 2


@pytest.mark.parametrize("reason", ["audio_missing", "bad_metadata"])
def test_the_reasons_of_layouts_are_those_of_the_bank(reason):
    from voicebank.layouts import _files

    assert reason in (_files.AUDIO_MISSING, _files.BAD_METADATA)
    assert bank_reason_of(reason) is not None
