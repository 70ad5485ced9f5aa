"""Chooses upstream's mode for a voice, by what it holds, the recipe's instruction and the model's version."""

from enum import Enum

from manifests.reasons import Reason
from pipeline.engines.contract import Failure
from voicebank.voice import Voice

END_OF_PROMPT = "<|endofprompt|>"
SYSTEM_PROMPT = "You are a helpful assistant."
"""Before every prompt and instruction of version 3, as in upstream's own examples."""


class Mode(Enum):
    """Upstream's modes of speaking, under upstream's names."""

    SFT = "sft"
    """The timbre alone, as an embedding."""
    ZERO_SHOT = "zero_shot"
    """A recording and its text, which the speech continues."""
    CROSS_LINGUAL = "cross_lingual"
    """A recording, whose text and tokens are kept from the language model."""
    INSTRUCT = "instruct"
    """Version 1: an instruction, with the timbre for the flow only."""
    INSTRUCT2 = "instruct2"
    """Versions 2 and 3: an instruction, with a recording for the flow only."""


def mode_of(voice: Voice, language: str, instruct: str | None, version: int, stored_prompt: bool) -> Mode | Failure:
    """Choose the mode for a voice and the language of the text.

    `stored_prompt` says that the model holds a recording under the voice's name. A recording whose text is unknown is
    used as if its language were another one.
    """
    recorded = stored_prompt or (voice.embedding is None and voice.is_recorded)
    if instruct is not None:
        return _instructed(version, recorded)
    if not recorded:
        return Mode.SFT
    has_text = stored_prompt or bool((voice.prompt_text or "").strip())
    return Mode.ZERO_SHOT if has_text and voice.language == language else Mode.CROSS_LINGUAL


def _instructed(version: int, recorded: bool) -> Mode | Failure:
    if version == 1 and recorded:
        return Failure(
            Reason.SYNTHESIS_FAILED, "version 1 takes instructions with an embedding or a named speaker, not a prompt"
        )
    if version > 1 and not recorded:
        return Failure(
            Reason.SYNTHESIS_FAILED, f"version {version} takes instructions only with a voice that has a prompt"
        )
    return Mode.INSTRUCT if version == 1 else Mode.INSTRUCT2


def prompt_text_of(mode: Mode, version: int, prompt_text: str, instruct: str | None) -> str:
    """Return the text that the language model reads before its own: the prompt's text, the instruction, or nothing.

    Version 3 demands its end-of-prompt token in every mode; an instruction that already holds it stays as it is.
    """
    if mode in (Mode.INSTRUCT, Mode.INSTRUCT2):
        text = instruct or ""
        if END_OF_PROMPT in text:
            return text
        return (f"{SYSTEM_PROMPT} {text}" if version == 3 else text) + END_OF_PROMPT
    head = SYSTEM_PROMPT + END_OF_PROMPT if version == 3 else ""
    return head + (prompt_text if mode is Mode.ZERO_SHOT else "")
