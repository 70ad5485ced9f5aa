"""A program that speaks one text by flite's library and tells when its words are spoken; it needs Python alone.

    python _flite_child.py VOICE TEXT FILE [NAME=VALUE ...]

FILE gets the same samples as the program `flite` gives; NAME=VALUE are features of the voice, numbers. Printed is a
JSON list of the tokens of the text, with the samples at which each begins and ends: [["well,", 1920, 6720], ...].
"""

import ctypes
import json
import sys

_POINTER = ctypes.c_void_p
_FIRST = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_LAST = b"R:SylStructure.daughtern.daughtern.R:Segment.end"
_LIBRARIES = ("libflite.so.1", "libflite_cmulex.so.1", "libflite_usenglish.so.1")


class _Wave(ctypes.Structure):
    _fields_ = (("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int))


class _Voice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", _POINTER))


def main(voice_name: str, text: str, file: str, *settings: str) -> None:
    flite, *_ = [ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL) for name in _LIBRARIES]
    _declare(flite)
    flite.flite_init()
    own = ctypes.CDLL(f"libflite_cmu_us_{voice_name}.so.1", mode=ctypes.RTLD_GLOBAL)
    register = getattr(own, f"register_cmu_us_{voice_name}")
    register.restype, register.argtypes = _POINTER, [ctypes.c_char_p]
    voice = register(None)
    features = ctypes.cast(voice, ctypes.POINTER(_Voice)).contents.features
    # The library keeps the names' addresses, so they must outlive the synthesis.
    wanted = [(name.encode(), float(value)) for name, _, value in (each.partition("=") for each in settings)]
    for name, value in wanted:
        flite.feat_set_float(features, name, value)
    # What the program flite does with a text; it makes one utterance of it.
    utterance = flite.flite_synth_text(text.encode(), voice)
    flite.flite_process_output(utterance, file.encode(), 0)
    print(json.dumps(_tokens(flite, utterance)))


def _declare(flite: ctypes.CDLL) -> None:
    for name, result, arguments in (
        ("feat_set_float", None, [_POINTER, ctypes.c_char_p, ctypes.c_float]),
        ("ffeature_float", ctypes.c_float, [_POINTER, ctypes.c_char_p]),
        ("ffeature_string", ctypes.c_char_p, [_POINTER, ctypes.c_char_p]),
        ("flite_process_output", ctypes.c_float, [_POINTER, ctypes.c_char_p, ctypes.c_int]),
        ("flite_synth_text", _POINTER, [ctypes.c_char_p, _POINTER]),
        ("item_as", _POINTER, [_POINTER, ctypes.c_char_p]),
        ("item_parent", _POINTER, [_POINTER]),
        ("item_next", _POINTER, [_POINTER]),
        ("relation_head", _POINTER, [_POINTER]),
        ("utt_relation", _POINTER, [_POINTER, ctypes.c_char_p]),
        ("utt_wave", _POINTER, [_POINTER]),
    ):
        function = getattr(flite, name)
        function.restype, function.argtypes = result, arguments


def _tokens(flite: ctypes.CDLL, utterance: int) -> list[list[object]]:
    """Return the tokens of an utterance with their times. Several words may come of one: "25" is twenty and five."""
    rate = ctypes.cast(flite.utt_wave(utterance), ctypes.POINTER(_Wave)).contents.sample_rate
    found: list[list[object]] = []
    before = None
    word = flite.relation_head(flite.utt_relation(utterance, b"Word"))
    while word:
        start, end = (round(rate * flite.ffeature_float(word, feature)) for feature in (_FIRST, _LAST))
        token = flite.item_parent(flite.item_as(word, b"Token"))
        if token == before:
            found[-1][2] = end
        else:
            name = flite.ffeature_string(word, b"R:Token.parent.name").decode("ascii", "replace")
            found.append([name, start, end])
        before = token
        word = flite.item_next(word)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
