"""Finds out who is behind the voices of a corpus: gender, license, and the real people.

A corpus names its voices and the digest of their bank, but does not hold the bank. So the bank is the one that ships
with Parley under the name in the recipe, if its digest is the recorded one, or the one that the user names.
"""

import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from manifests.corpus import Corpus
from manifests.errors import CorpusError, UserError
from manifests.storage import Place
from manifests.writer import METADATA_NAME
from pipeline.stages.cast import public_bank
from voicebank.bank import Bank, load_bank, shipped_banks

_SHOWN = 5


@dataclass(frozen=True)
class VoicesKnown:
    """What is known of the voices. `bank` is None where no bank tells; then only genders may be known.

    `genders_from` says where the genders are from, for people; None: they are not known.
    """

    genders: Mapping[str, str] = field(default_factory=dict)
    genders_from: str | None = None
    bank: Bank | None = None

    @property
    def bank_record(self) -> dict[str, str] | None:
        """Name and digest of the bank, for the view's file."""
        return None if self.bank is None else {"name": self.bank.name, "digest": self.bank.digest}

    def people(self) -> dict[str, tuple[str, ...]]:
        """Map each voice of the bank to the people that were recorded for it.

        These are the parents of a virtual voice, or else the synthesizer's own speaker: two voices that differ in rate
        or pitch alone are one person's.
        """
        voices = self.bank.voices if self.bank else ()
        return {voice.voice_id: voice.parents or (voice.speaker,) for voice in voices}


def know_voices(corpus: Corpus, voices: Collection[str], bank: str | None = None) -> VoicesKnown:
    """Learn what can be known of these voices of the corpus; `bank` is a bank that the user names.

    Raises UserError for a bank that is not the one of the corpus, and what `load_bank` raises.
    """
    found = _named_bank(corpus, voices, bank) if bank is not None else _shipped_bank(corpus, voices)
    if found is not None:
        return VoicesKnown({v.voice_id: v.gender for v in found.voices}, f"the voice bank {found.name}", found)
    if corpus.manifest.metadata is not None:
        genders = dict(_genders(corpus.place / METADATA_NAME, set(voices)))
        return VoicesKnown(genders, METADATA_NAME if genders else None)
    return VoicesKnown()


def bank_of(corpus: Corpus) -> str | None:
    """Return the name of the voice bank in the corpus's recipe; None if it names none."""
    stages = corpus.manifest.recipe.settings.get("stages")
    cast = stages.get("cast") if isinstance(stages, dict) else None
    name = cast.get("bank") if isinstance(cast, dict) else None
    return name if isinstance(name, str) else None


def _shipped_bank(corpus: Corpus, voices: Collection[str]) -> Bank | None:
    """Return the bank that ships, if it is the recorded one; None too if a changed recipe took voices from another."""
    name = bank_of(corpus)
    if name not in shipped_banks():
        return None
    found = load_bank(str(name))
    is_recorded = found.digest == corpus.manifest.engines.get("voices")
    return found if is_recorded and not _missing(found, voices) else None


def _missing(bank: Bank, voices: Collection[str]) -> list[str]:
    return sorted(set(voices) - {voice.voice_id for voice in bank.voices})


def _named_bank(corpus: Corpus, voices: Collection[str], name: str) -> Bank:
    found, recorded = load_bank(name), corpus.manifest.engines.get("voices")
    if recorded is not None and found.digest != recorded:
        raise UserError(
            f"{public_bank(name)} is not the voice bank of this corpus: the manifest records the digest "
            f"{recorded[:16]}, this bank's is {found.digest[:16]}; give the bank that the corpus was made with"
        )
    if missing := _missing(found, voices):
        shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        raise UserError(f"{public_bank(name)} lacks {len(missing)} voices of this corpus: {shown}")
    return found


def _genders(file: Place, voices: set[str]) -> Iterator[tuple[str, str]]:
    """Read the genders from `metadata.json`, one dialogue per line, until every voice is known."""
    missing = set(voices)
    try:
        with file.filesystem.open_input_stream(file.path) as stream:
            for entry in _entries(stream):
                for role, voice in entry["speakers"].items():
                    gender = entry["gender"][role]
                    if voice in missing and isinstance(gender, str):
                        missing.discard(voice)
                        yield voice, gender
                if not missing:
                    return
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{METADATA_NAME} is damaged: see `parley corpus validate`") from error


def _entries(stream: Any) -> Iterator[Any]:
    for line in io.TextIOWrapper(stream, encoding="utf-8"):
        if line.startswith("{"):
            yield json.loads(line.rstrip().removesuffix(","))
