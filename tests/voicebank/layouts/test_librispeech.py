import pytest
from laid_out import clips_of, shown

from voicebank.layouts.clip import SourceClip

SPEAKERS = """; comment
;ID  |SEX| SUBSET           |MINUTES| NAME
19   | F | train-clean-100  | 25.19 | Ann | Example
26   | M | train-clean-100  | 25.08 | Bob Example
"""
CHAPTER = {
    "19/198/19-198-0000.flac": "",
    "19/198/19-198-0001.flac": "",
    "19/198/19-198.trans.txt": "19-198-0000 NORTHANGER ABBEY\n19-198-0001 \n19-198-0002 NOT THERE\n",
}


def below(prefix, files):
    return {prefix + path: content for path, content in files.items()}


def test_a_clip_and_what_is_known_of_it():
    files = {"SPEAKERS.TXT": SPEAKERS} | below("train-clean-100/", CHAPTER)
    path = "train-clean-100/19/198/19-198-0000.flac"
    assert clips_of("librispeech", files)[0] == SourceClip(
        "19-198-0000", path, "19", "en", speaker="19", gender="female", text="NORTHANGER ABBEY"
    )


@pytest.mark.parametrize(
    ("prefix", "opened", "gender"),
    [
        ("LibriSpeech/train-clean-100/", "", "female"),
        ("LibriSpeech/train-clean-100/", "LibriSpeech", "female"),
        ("LibriSpeech/train-clean-100/", "LibriSpeech/train-clean-100", "female"),
        ("LibriSpeech/train-clean-100/", "LibriSpeech/train-clean-100/19", None),
        ("LibriSpeech/train-clean-100/", "LibriSpeech/train-clean-100/19/198", None),
    ],
)
def test_the_corpus_may_be_opened_at_any_level(prefix, opened, gender):
    files = {"LibriSpeech/SPEAKERS.TXT": SPEAKERS} | below(prefix, CHAPTER)
    clips = clips_of("librispeech", files, opened)
    assert shown(clips, "clip_id", "gender", "text", "reason") == [
        ("19-198-0000", gender, "NORTHANGER ABBEY", None),
        ("19-198-0001", gender, None, None),
        ("19-198-0002", gender, "NOT THERE", "audio_missing"),
    ]
    full = f"{prefix}19/198/19-198-0000.flac"
    assert clips[0].path == full[len(opened) + 1 if opened else 0 :]


@pytest.mark.parametrize("name", ["SPEAKERS.TXT", "SPEAKERS.txt"])
def test_gender_is_that_of_the_list(name):
    files = {name: SPEAKERS, "s/19/1/19-1-0.flac": "", "s/26/1/26-1-0.flac": "", "s/27/1/27-1-0.flac": ""}
    assert shown(clips_of("librispeech", files), "speaker", "gender") == [
        ("19", "female"),
        ("26", "male"),
        ("27", None),
    ]


def test_no_list_of_speakers_is_no_error():
    assert {clip.gender for clip in clips_of("librispeech", CHAPTER)} == {None}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"19/x.flac": ""}, ("19/x", "19/x.flac", None, "bad_metadata"), id="another name"),
        pytest.param(
            {"19/1/19-1-1.trans.txt": "../../etc/passwd HELLO\n"},
            ("19/1/../../etc/passwd", "", None, "bad_metadata"),
            id="a path for an id",
        ),
        pytest.param(
            {"19/1/19-1-2.flac": "", "19/1/19-1.trans.txt": b"19-1-2 \xff\xfe\n"},
            ("19-1-2", "19/1/19-1-2.flac", None, None),
            id="a text that is not UTF-8",
        ),
        pytest.param(
            {"19/1/19-1-2.flac": "", "19/1/19-1.trans.txt": b"\xef\xbb\xbf19-1-2 HELLO\r\n"},
            ("19-1-2", "19/1/19-1-2.flac", "HELLO", None),
            id="a mark of byte order, Windows ends",
        ),
    ],
)
def test_what_is_wrong_with_a_clip_is_said_of_it(files, expected):
    clips = clips_of("librispeech", {"9/9/9-9-9.flac": ""} | files)
    assert expected in shown(clips, "clip_id", "path", "text", "reason")
    assert len(clips) == 2
