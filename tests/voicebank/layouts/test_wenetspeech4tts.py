import pytest
from laid_out import clips_of, shown

from tests.tables import each_row
from voicebank.layouts.clip import SourceClip

ONE, TWO = "X0000000001_12345678_S00010-S00012", "X0000000001_12345678_S00020"


def listed(utterance, tier="Premium", columns=3):
    folder = f"../{tier}/WenetSpeech4TTS_{tier}_3"
    return "\t".join([utterance, f"{folder}/wavs/{utterance}.wav", f"{folder}/txts/{utterance}.txt"][:columns]) + "\n"


def text_file(utterance, text, tier="Premium"):
    return {f"{tier}/WenetSpeech4TTS_{tier}_3/txts/{utterance}.txt": text}


BASIC = "filelists/Basic_filelist.lst"
SCORES = "DNSMOS_P808Scores/Basic_DNSMOS.lst"


def only(files):
    (clip,) = clips_of("wenetspeech4tts", files)
    return clip


@pytest.mark.parametrize("columns", [2, 3])
def test_a_clip_and_what_is_known_of_it(columns):
    files = {
        BASIC: listed(ONE, columns=columns),
        SCORES: f"{TWO} 3.5\n{ONE} 4.07\n",
        **text_file(ONE, f"{ONE}\t今天我们去爬山\n0.0 1.5\t1.8 3.2\n"),
    }
    assert only(files) == SourceClip(
        ONE,
        f"Premium/WenetSpeech4TTS_Premium_3/wavs/{ONE}.wav",
        "X0000000001_12345678",
        "zh",
        text="今天我们去爬山",
        quality=4.07,
        quality_scale="dnsmos_p808",
    )


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        pytest.param({"Basic": [ONE, TWO], "Standard": [TWO], "Premium": [TWO]}, [ONE, TWO], id="all three"),
        pytest.param({"Standard": [ONE], "Premium": [TWO]}, [ONE], id="the widest that is there"),
        pytest.param({"mine": [TWO], "more": [ONE]}, [TWO, ONE], id="own lists"),
    ],
)
def test_nested_lists_give_each_clip_once(lists, expected):
    name = "filelists/{}_filelist.lst".format
    files = {name(k) if k[0].isupper() else f"filelists/{k}.lst": "".join(map(listed, v)) for k, v in lists.items()}
    assert [clip.clip_id for clip in clips_of("wenetspeech4tts", files)] == expected


@each_row(
    ("scores", "expected"),
    [
        ({}, None),
        ({SCORES: f"{ONE} 4.07\n"}, 4.07),
        ({SCORES: f"{ONE}\t4.07\r\n"}, 4.07),
        ({"DNSMOS_P808Scores/Premium_DNSMOS.lst": f"{ONE} 4.2"}, 4.2),
        ({SCORES: f"{ONE} 4.07\n", "DNSMOS_P808Scores/Premium_DNSMOS.lst": f"{ONE} 4.2"}, 4.07),
        ({SCORES: f"{TWO} 4.07\n"}, None),
        ({SCORES: f"{ONE}\n"}, None),
        ({SCORES: f"{ONE} nan\n"}, None),
        ({SCORES: f"{ONE} 7\n"}, None),
        ({SCORES: f"{ONE} good\n"}, None),
        ({SCORES: b"\xff 3\n" + f"{ONE} 4.5".encode()}, 4.5),
    ],
)
def test_the_score_is_the_first_that_is_one(scores, expected):
    clip = only({BASIC: listed(ONE)} | scores)
    assert (clip.quality, clip.quality_scale) == (expected, None if expected is None else "dnsmos_p808")
    assert clip.reason is None


@each_row(
    ("content", "expected"),
    [
        (f"{ONE}\t你好\n0 1\n", "你好"),
        (f"{ONE}\t\n0 1\n", None),
        (f"{TWO}\t你好\n", None),
        ("你好\n", None),
        ("", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_text_is_the_one_that_is_its_own(content, expected):
    clip = only({BASIC: listed(ONE), **text_file(ONE, content)})
    assert (clip.text, clip.reason) == (expected, None)


@each_row(
    ("line", "clip_id"),
    [
        pytest.param(f"{TWO}\n", "Basic_filelist.lst:2", id="no path"),
        pytest.param(f"{TWO} ../../secret/{TWO}.wav\n", TWO, id="out of the corpus"),
        pytest.param(f"{TWO} /etc/{TWO}.wav\n", TWO, id="absolute"),
        pytest.param(f"{TWO} ..\\Premium\\{TWO}.wav\n", TWO, id="backslashes"),
        pytest.param(f"a/../b_S1 ../Premium/{TWO}.wav\n", "Basic_filelist.lst:2", id="a path for an id"),
        pytest.param(f"X1 ../Premium/{TWO}.wav\n", "X1", id="no recording in the id"),
        pytest.param(b"\xff\xff\n", "Basic_filelist.lst:2", id="not UTF-8"),
    ],
)
def test_what_cannot_be_used_is_a_clip_with_a_reason(line, clip_id):
    bad = line if isinstance(line, bytes) else line.encode()
    clips = clips_of("wenetspeech4tts", {BASIC: listed(ONE).encode() + bad + b"\n \n"})
    assert shown(clips, "clip_id", "reason")[1:] == [(clip_id, "bad_metadata")]
    assert clips[1].path == ""
