"""What a row is made of, each part with its license: the source's text, models and engines, voices."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.licenses.terms import Terms
from pipeline.weights.table import ModelEntry
from voicebank.bank import Bank

_LABEL = re.compile(r"([^@\s]+)@\S+")
"""A model's label at the beginning of an engine's version: name and revision (`Checkpoint.label`)."""

PartKind = Literal["data set", "model", "engine", "voice", "tokenizer"]
TOKENIZE = "tokenize"
"""The stage whose engines count by the tokens that they left."""


@dataclass(frozen=True, order=True)
class LicensedPart:
    """A part of a row. `license` is an SPDX expression; None: nobody knows. `leaves` says what it left in the row."""

    kind: PartKind
    name: str
    license: str | None
    leaves: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.leaves})"


@dataclass(frozen=True)
class StageUse:
    """That a stage ran on a row, with what: the engine's name and version of its provenance step."""

    stage: str
    engine: str | None
    version: str | None


@dataclass(frozen=True)
class TokensUse:
    """That a row has speech tokens, in itself or in a token set of the corpus; `license` is what is said with them."""

    tokenizer: str
    revision: str
    license: str | None


class Licensing:
    """Finds the license of each part, from the terms, the table of model files and the voice bank."""

    def __init__(self, terms: Terms, models: Mapping[str, ModelEntry], bank: Bank | None) -> None:
        self._terms, self._models = terms, models
        self._voices = {voice.voice_id: voice for voice in bank.voices} if bank else {}

    def dataset(self, name: str, license: str | None) -> LicensedPart:
        """Return the source's text, by the license in the row, or else by the terms."""
        known = self._terms.datasets.get(name)
        return LicensedPart("data set", name, license or (known.license if known else None), "the text")

    def recordings(self, mix: Mapping[str, Any]) -> list[LicensedPart]:
        """Return the recordings that a recipe mixes in, by the settings of its stage mix."""
        used = {effect: mix.get(effect) for effect in ("noise", "room")}
        return [
            LicensedPart("data set", str(settings["files"]), settings.get("license"), f"the {effect}")
            for effect, settings in used.items()
            if isinstance(settings, Mapping) and settings.get("files")
        ]

    def voice(self, voice_id: str, side: str) -> LicensedPart:
        """Return the voice of a side. The license in a bank is that of all its parents' recordings together.

        The part is named by the side: thousands of voices have few licenses between them.
        """
        known = self._terms.voices.get(voice_id)
        license = known.license if known else getattr(self._voices.get(voice_id), "license", None)
        return LicensedPart("voice", f"of the {side}", license, "the timbre")

    def tokens(self, uses: Iterable[TokensUse]) -> set[LicensedPart]:
        """Return the tokenizers of speech tokens: by the license that stands with them, or else by their weights."""
        stage = self._terms.stages.get(TOKENIZE)
        if stage and not stage.counts:
            return set()
        leaves, found = stage.leaves if stage else "the speech tokens", set()
        for use in uses:
            known = self._engine(use.tokenizer, use.revision if _LABEL.match(use.revision) else "", leaves)
            found.add(LicensedPart("tokenizer", use.tokenizer, use.license or known.license, leaves))
        return found

    def engines(self, use: StageUse, voices: Iterable[str]) -> list[LicensedPart]:
        """Return the models and engines of a stage that counts; of synthesizers, those that speak the voices."""
        stage = self._terms.stages.get(use.stage)
        if use.engine is None or use.stage == TOKENIZE or (stage and not stage.counts):
            return []
        leaves = stage.leaves if stage else f"what the stage {use.stage} left"
        pairs = _engine_pairs(use)
        speaking = {self._voices[voice].engine for voice in voices if voice in self._voices}
        spoken = [pair for pair in pairs if pair[0] in speaking]
        return [self._engine(*pair, leaves) for pair in (spoken if use.stage == "synthesize" and spoken else pairs)]

    def ignored(self, stages: Iterable[str]) -> dict[str, str]:
        """Return those stages of a corpus that do not count, each with the reason."""
        found = {name: self._terms.stages[name] for name in stages if name in self._terms.stages}
        return {name: terms.why for name, terms in found.items() if not terms.counts}

    def _engine(self, engine: str, version: str, leaves: str) -> LicensedPart:
        if label := _LABEL.match(version):
            name = label[1]
            entry, known = self._models.get(name), self._terms.models.get(name)
            license = known.license if known else entry.license if entry else None
            return LicensedPart("model", name, license, leaves)
        known = self._terms.engines.get(engine)
        return LicensedPart("engine", engine, known.license if known else None, leaves)


def _engine_pairs(use: StageUse) -> list[tuple[str, str]]:
    """Return the engines of a provenance step with their versions, which are joined with commas there."""
    engines = (use.engine or "").split(", ")
    versions = (use.version or "").split(", ")
    if len(versions) != len(engines):  # a version has a comma of its own: no model can be told
        versions = [""] * len(engines)
    return sorted(set(zip(engines, versions, strict=True)))
