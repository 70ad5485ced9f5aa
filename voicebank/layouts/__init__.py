"""Readers of corpora of recordings, one module for each layout on disk.

A layout reads a corpus's own lists and side files, never its audio, and yields its clips lazily and always in the same
order. What is wrong with a clip becomes a reason on the clip; only a directory that is not that corpus at all raises
(`InputError`, from the iterator). A clip that is listed twice is yielded twice. See `docs/voicebank-sources.md`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from manifests.storage import Place
from voicebank.layouts import aishell3, librispeech, libritts, manifest, wenetspeech4tts
from voicebank.layouts.clip import SourceClip

__all__ = ["LAYOUTS", "Layout", "SourceClip"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one corpus is read, its license, and the language spoken in it; None where these vary."""

    read: Callable[[Place], Iterator[SourceClip]]
    about: str
    license: str | None
    language: str | None


LAYOUTS: dict[str, Layout] = {
    "wenetspeech4tts": Layout(
        wenetspeech4tts.read,
        "WenetSpeech4TTS: Mandarin from the web, DNSMOS scores, grouped by recording",
        # The distributor's terms of access add the second half.
        "CC-BY-4.0, for non-commercial research only",
        "zh",
    ),
    "librispeech": Layout(
        librispeech.read, "LibriSpeech: read English, 16 kHz, grouped by speaker", "CC-BY-4.0", "en"
    ),
    "libritts": Layout(
        libritts.read, "LibriTTS and LibriTTS-R: read English, 24 kHz, grouped by speaker", "CC-BY-4.0", "en"
    ),
    "aishell3": Layout(aishell3.read, "AISHELL-3: read Mandarin, 44.1 kHz, grouped by speaker", "Apache-2.0", "zh"),
    "manifest": Layout(manifest.read, "any recordings, listed in manifest.jsonl beside them", None, None),
}
