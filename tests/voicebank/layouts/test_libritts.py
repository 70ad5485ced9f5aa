import pytest
from laid_out import clips_of, shown

from voicebank.layouts.clip import SourceClip

UTTERANCE = "19_198_000000_000002"
CHAPTER = {
    f"dev-clean/19/198/{UTTERANCE}.wav": "",
    f"dev-clean/19/198/{UTTERANCE}.normalized.txt": "Chapter one.\n",
    f"dev-clean/19/198/{UTTERANCE}.original.txt": "Chapter 1.\n",
    "dev-clean/19/198/19_198.trans.tsv": f"{UTTERANCE}\tChapter 1.\tChapter one.\n",
}
LISTS = {
    "speakers.tsv": "READER\tGENDER\tSUBSET\tNAME\n19\tF\tdev-clean\tAnn\n26\tM\tdev-clean\tBob\n",
    "SPEAKERS.txt": ";ID  |SEX| SUBSET |MINUTES| NAME\n19  | F | dev-clean | 8 | Ann\n26 | M | dev-clean | 8 | B.\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_clip_and_what_is_known_of_it(name):
    assert clips_of("libritts", CHAPTER | {name: LISTS[name]}) == [
        SourceClip(
            UTTERANCE,
            f"dev-clean/19/198/{UTTERANCE}.wav",
            "19",
            "en",
            speaker="19",
            gender="female",
            text="Chapter one.",
        )
    ]


@pytest.mark.parametrize("parent", ["LibriTTS", "LibriTTS_R"])
def test_the_directory_around_the_corpus_will_do(parent):
    files = {f"{parent}/{path}": text for path, text in (CHAPTER | {"speakers.tsv": LISTS["speakers.tsv"]}).items()}
    assert shown(clips_of("libritts", files), "clip_id", "gender") == [(UTTERANCE, "female")]


def test_a_text_without_audio_and_audio_without_text():
    files = CHAPTER | {"dev-clean/19/198/19_198_1_1.normalized.txt": "Lost.", "dev-clean/19/198/19_198_2_2.wav": ""}
    assert shown(clips_of("libritts", files), "clip_id", "text", "reason") == [
        (UTTERANCE, "Chapter one.", None),
        ("19_198_1_1", "Lost.", "audio_missing"),
        ("19_198_2_2", None, None),
    ]


def test_a_name_of_another_corpus():
    clips = clips_of("libritts", CHAPTER | {"dev-clean/19/198/19-198-0000.wav": ""})
    assert ("dev-clean/19/198/19-198-0000", "bad_metadata") in shown(clips, "clip_id", "reason")
