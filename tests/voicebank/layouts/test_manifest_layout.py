import json

from laid_out import clips_of, shown

from tests.tables import each_row
from voicebank.layouts.clip import SourceClip

GOOD = {"path": "a/1.wav", "speaker": "ann", "language": "en"}


def manifest(*rows):
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    return {"manifest.jsonl": "\n".join(lines)}


def test_a_clip_and_all_that_can_be_said_of_it():
    row = GOOD | {
        "recording": "r1",
        "gender": "female",
        "text": " Hello. ",
        "quality": 4,
        "quality_scale": "dnsmos_ovrl",
    }
    assert clips_of("manifest", manifest(row)) == [
        SourceClip(
            "a/1.wav",
            "a/1.wav",
            "r1",
            "en",
            speaker="ann",
            gender="female",
            text="Hello.",
            quality=4.0,
            quality_scale="dnsmos_ovrl",
        )
    ]


@each_row(
    ("change", "expected"),
    [
        ({}, {"group": "ann", "gender": None, "text": None, "quality": None, "quality_scale": None}),
        ({"gender": None, "text": None, "quality": None}, {"gender": None, "text": None, "quality": None}),
        ({"speaker": None, "recording": "r1"}, {"group": "r1", "speaker": None}),
        ({"quality": 3.5}, {"quality": 3.5, "quality_scale": "dnsmos_p808"}),
        ({"language": "zh-Hant-TW"}, {"language": "zh-Hant-TW"}),
        ({"text": ""}, {"text": None}),
        ({"path": "a b/你好.flac"}, {"path": "a b/你好.flac"}),
        ({"text": "one\u2028two"}, {"text": "one\u2028two"}),
    ],
)
def test_what_may_be_left_out_or_otherwise(change, expected):
    (clip,) = clips_of("manifest", manifest(GOOD | change))
    assert {name: getattr(clip, name) for name in expected} == expected
    assert clip.reason is None


@each_row(
    "line",
    [
        "{",
        "[]",
        "null",
        "[" * 50_000,
        '"' + "x" * 200_000 + '"',
        '{"path": "\\ud800.wav", "speaker": "ann", "language": "en"}',
        '{"path": "a/1.wav", "speaker": "ann", "language": "en", "text": "\\ud800"}',
        *(
            json.dumps(GOOD | change)
            for change in (
                {"age": 7},
                {"path": None},
                {"path": ""},
                {"path": "/etc/passwd"},
                {"path": "../a.wav"},
                {"path": "a/../../b.wav"},
                {"path": "./a.wav"},
                {"path": "a//b.wav"},
                {"path": "a\\b.wav"},
                {"path": "a\x00.wav"},
                {"path": "s3://bucket/a.wav"},
                {"path": "x" * 2000},
                {"path": 7},
                {"speaker": None},
                {"speaker": ""},
                {"speaker": "../ann"},
                {"speaker": ".."},
                {"speaker": " ann"},
                {"speaker": "x" * 300},
                {"recording": "a/b"},
                {"language": None},
                {"language": "English"},
                {"language": "../en"},
                {"gender": "F"},
                {"text": ["Hello"]},
                {"quality": "4"},
                {"quality": True},
                {"quality": 0.5},
                {"quality": float("nan")},
                {"quality": 10**400},
                {"quality": 4, "quality_scale": "utmos"},
            )
        ),
    ],
)
def test_a_line_that_is_no_clip_is_rejected_and_its_neighbours_are_not(line):
    clips = clips_of("manifest", manifest(GOOD | {"path": "0.wav"}, line, GOOD | {"path": "2.wav"}))
    assert shown(clips, "clip_id", "path", "reason") == [
        ("0.wav", "0.wav", None),
        ("manifest.jsonl:2", "", "bad_metadata"),
        ("2.wav", "2.wav", None),
    ]


def test_a_second_line_for_a_file_is_rejected_whosever_it_is():
    rows = [GOOD, GOOD | {"speaker": "bob"}, GOOD | {"path": "b.wav"}, GOOD]
    assert shown(clips_of("manifest", manifest(*rows)), "path", "reason") == [
        ("a/1.wav", None),
        ("a/1.wav", "bad_metadata"),
        ("b.wav", None),
        ("a/1.wav", "bad_metadata"),
    ]


def test_bytes_that_are_no_text_cost_one_line():
    good = json.dumps(GOOD).encode()
    clips = clips_of("manifest", {"manifest.jsonl": b"\xef\xbb\xbf" + good + b"\r\n\xff\xfe\n\n"})
    assert shown(clips, "clip_id", "reason") == [("a/1.wav", None), ("manifest.jsonl:2", "bad_metadata")]


def test_an_empty_manifest_has_no_clips():
    assert clips_of("manifest", manifest()) == []
