"""OmniFlatten's flattened streams: the worked example of two text and five speech tokens, and the way back."""

import pytest

from manifests.forms.omniflatten import (
    SILENT_SPEECH,
    SILENT_TEXT,
    Chunks,
    Round,
    Streams,
    asr_sample,
    flattened,
    padded,
    released,
    rounds_flattened,
    rounds_of,
    sample_parts,
    speech_code,
    speech_token,
    streams_of,
    texts_of,
    tts_sample,
)

MARKS = {"~t": SILENT_TEXT, "~s": SILENT_SPEECH}
# The user speaks in the first two chunks, and the agent answers with three text tokens in the other two.
EXAMPLE = """
u0 u1 u2 u3 u4   ~t ~t   ~s ~s ~s ~s ~s
u5 u6 u7 u8 u9   ~t ~t   ~s ~s ~s ~s ~s
n0 n1 n2 n3 n4   T0 T1   a0 a1 a2 a3 a4
n5 n6 n7 n8 n9   T2 ~t   a5 a6 a7 a8 a9
"""
TOKENS = tuple(MARKS.get(word, word) for word in EXAMPLE.split())
USER = tuple(f"{kind}{number}" for kind in "un" for number in range(10))
AGENT = tuple(f"a{number}" for number in range(10))
CHUNKS = Chunks(speech=5, text=2)


def test_the_worked_example() -> None:
    text = released([(2, ("T0", "T1", "T2"))], 4, 2)
    assert text is not None
    streams = Streams(USER, text, (SILENT_SPEECH,) * 10 + AGENT)
    tokens, mask = flattened(streams, CHUNKS)
    assert tokens == TOKENS
    assert "".join(str(int(each)) for each in mask) == 4 * ("00000" + "11" + "11111")
    assert streams_of(tokens, CHUNKS) == streams
    assert texts_of(text) == [("T0", "T1", "T2")]


def test_two_streams_have_no_text() -> None:
    streams = Streams(USER, (), AGENT + AGENT)
    tokens, mask = flattened(streams, Chunks(speech=10, text=0))
    assert tokens == (*USER[:10], *AGENT, *USER[10:], *AGENT)
    assert mask == ((False,) * 10 + (True,) * 10) * 2
    assert streams_of(tokens, Chunks(speech=10, text=0)) == streams


def test_texts_are_released_from_the_chunk_their_speech_starts_in() -> None:
    assert released([(0, "abc"), (3, "d")], 4, 2) == ("a", "b", "c", *[SILENT_TEXT] * 3, "d", SILENT_TEXT)
    assert released([(0, "abcd"), (2, "e")], 3, 2) == ("a", "b", "c", "d", "e", SILENT_TEXT)
    assert released([(0, "abcde"), (2, "f")], 9, 2) is None, "it would run into the next text"
    assert released([(1, "abc")], 2, 2) is None, "it would run over the end"


def test_what_is_no_whole_number_of_chunks_is_refused() -> None:
    with pytest.raises(ValueError, match="no chunks"):
        flattened(Streams(USER[:9], (), USER[:9]), Chunks(5, 0))
    with pytest.raises(ValueError, match="no chunks"):
        flattened(Streams(USER, (SILENT_TEXT,) * 7, USER), CHUNKS)
    with pytest.raises(ValueError, match="no chunks"):
        streams_of(TOKENS[:-1], CHUNKS)
    assert padded(("a",), 2, 2, "~") == ("a", "~", "~", "~")


def test_rounds_and_back() -> None:
    rounds = [Round(("u0", "u1"), ("U0",), ("T0", "T1"), ("a0",)), Round(("u2",), ("U1",), ("T2",), ("a1", "a2"))]
    tokens, mask = rounds_flattened(rounds)
    text = "<|SOS|>u0 u1<|EOS|><|SOT|>U0<|EOT|><|SOT|>T0 T1<|EOT|><|SOS|>a0<|EOS|>".replace(" ", "")
    assert "".join(tokens).startswith(text)
    assert [token for token, learned in zip(tokens, mask, strict=True) if not learned and len(token) == 2] == [
        "u0",
        "u1",
        "U0",
        "u2",
        "U1",
    ]
    assert rounds_of(tokens) == rounds
    with pytest.raises(ValueError):
        rounds_of(tokens[4:])


def test_samples_of_the_alignment_stage_and_back() -> None:
    tokens, mask = asr_sample(("s0", "s1"), ("t0",))
    assert tokens == ("<|ASR|>", "<|SOS|>", "s0", "s1", "<|EOS|>", "<|SOT|>", "t0", "<|EOT|>")
    assert mask == (False,) * 5 + (True,) * 3
    assert sample_parts(tokens) == (("s0", "s1"), ("t0",))
    spoken, _ = tts_sample(("t0",), ("s0", "s1"))
    assert spoken == ("<|TTS|>", "<|SOT|>", "t0", "<|EOT|>", "<|SOS|>", "s0", "s1", "<|EOS|>")
    assert sample_parts(spoken) == (("s0", "s1"), ("t0",))


def test_speech_tokens_and_back() -> None:
    assert speech_code(speech_token(4095)) == 4095
    with pytest.raises(ValueError):
        speech_code(SILENT_SPEECH)
