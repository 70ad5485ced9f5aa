import pytest
from laid_out import clips_of, shown

from voicebank.layouts.clip import SourceClip

SPEAKERS = "# comment\n# speaker\tage\tgender\taccent\n\nSSB0005\tB\tfemale\tnorth\nSSB0009\tB\tmale\tsouth\n"
PART = {
    "wav/SSB0005/SSB00050001.wav": "",
    "wav/SSB0009/SSB00090001.wav": "",
    "content.txt": "SSB00050001.wav\t广 guang3 州 zhou1 女 nv3\nSSB00090001.wav\t你 ni3 好\n",
}


def part(name, files=PART):
    return {f"{name}/{path}": content for path, content in files.items()}


def test_a_clip_and_what_is_known_of_it():
    clips = clips_of("aishell3", part("train") | {"spk-info.txt": SPEAKERS})
    assert clips == [
        SourceClip(
            "SSB00050001",
            "train/wav/SSB0005/SSB00050001.wav",
            "SSB0005",
            "zh",
            speaker="SSB0005",
            gender="female",
            text="广州女",
        ),
        # Its characters and pinyin do not pair, so nobody knows what is missing.
        SourceClip(
            "SSB00090001",
            "train/wav/SSB0009/SSB00090001.wav",
            "SSB0009",
            "zh",
            speaker="SSB0009",
            gender="male",
            text=None,
        ),
    ]


def test_both_parts_of_a_speaker_are_one_group():
    test = {"wav/SSB0005/SSB00050002.wav": "", "content.txt": "SSB00050002.wav\t好 hao3\n"}
    clips = clips_of("aishell3", part("train") | part("test", test))
    assert shown(clips, "group", "path", "gender") == [
        ("SSB0005", "train/wav/SSB0005/SSB00050001.wav", None),
        ("SSB0009", "train/wav/SSB0009/SSB00090001.wav", None),
        ("SSB0005", "test/wav/SSB0005/SSB00050002.wav", None),
    ]


def test_one_part_may_be_opened_alone():
    clips = clips_of("aishell3", part("train") | {"spk-info.txt": SPEAKERS}, at="train")
    assert shown(clips, "path", "gender")[0] == ("wav/SSB0005/SSB00050001.wav", "female")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            {"content.txt": "SSB00050003.wav\t好 hao3\n"},
            ("SSB00050003", "train/wav/SSB0005/SSB00050003.wav", "好", "audio_missing"),
            id="no audio",
        ),
        pytest.param(
            {"content.txt": "../../../x.wav\t好 hao3\n"}, ("../../../x", "", None, "bad_metadata"), id="path for an id"
        ),
        pytest.param(
            {"wav/SSB0005/SSB00090002.wav": ""},
            ("SSB00090002", "train/wav/SSB0005/SSB00090002.wav", None, "bad_metadata"),
            id="in another speaker's directory",
        ),
        pytest.param(
            {"wav/SSB0005/a.wav": ""}, ("a", "train/wav/SSB0005/a.wav", None, "bad_metadata"), id="another name"
        ),
        pytest.param({"wav/README": "", "wav/SSB0005/a.txt": ""}, None, id="other files are no clips"),
    ],
)
def test_what_is_wrong_with_a_clip_is_said_of_it(more, expected):
    clips = clips_of("aishell3", part("train", PART | more))
    unheard = shown((c for c in clips if c.clip_id not in ("SSB00050001", "SSB00090001")), *FIELDS)
    assert unheard == ([expected] if expected else [])


FIELDS = ("clip_id", "path", "text", "reason")
