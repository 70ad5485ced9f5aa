"""Writes the bank of voices with clips from the finished blocks: voices, figures, and the card last."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.bank.prompt_blocks import PROMPTS_FILE, read_candidates, read_figures
from voicebank.leak import quantiles
from voicebank.prompts import PromptDrop
from voicebank.tables import VOICES_TABLE, VoiceWriter, write_card


def pack_prompts(
    out: Place, spoken: Place, blocks: int, raw: bool, card: Mapping[str, Any], made: Mapping[str, Any]
) -> dict[str, Any]:
    """Write voices and figures into `out` in the order of the bank, and return the card.

    `card` is that of the voices' bank, `made` what is known of how the clips were made. Raises UserError if no voice
    got a clip; the figures are still written, with the reasons.
    """
    figures: list[dict[str, Any]] = []
    with VoiceWriter(out, raw) as writer:
        for block in range(blocks):
            figures += read_figures(spoken, block)
            kept = read_candidates(spoken, block)
            vectors = [one.xvector for one in kept if one.xvector is not None]
            writer.write([one.voice for one in kept], vectors or None)
    (out / PROMPTS_FILE).write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in figures))
    if all(line["drop"] for line in figures):
        counts = ", ".join(f"{name} {number}" for name, number in _dropped(figures).items())
        (out / VOICES_TABLE).delete()
        raise UserError(f"no voice got a clip ({counts}); {PROMPTS_FILE} holds the reasons")
    whole = {**card, "name": out.name, "prompts": {**made, **_figures(figures)}}
    write_card(out, whole)
    return whole


def _figures(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kept = [line for line in figures if line["drop"] is None]
    left_out = Counter((line["language"], line["gender"]) for line in figures if line["drop"])
    return {
        "voices": len(figures),
        "kept": len(kept),
        "dropped": _dropped(figures),
        "left_out": [[*key, number] for key, number in sorted(left_out.items())],
        "nearest_real": quantiles([line["nearest_real"] for line in kept if line["nearest_real"] is not None]),
        "own_parents": quantiles([value for line in kept for value in line["to_parents"]]),
        "error_rate": quantiles([line["error_rate"] for line in kept]),
        "seconds": quantiles([line["seconds"] for line in kept]),
    }


def _dropped(figures: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = Counter(line["drop"] for line in figures)
    return {drop.value: counts[drop.value] for drop in PromptDrop if counts[drop.value]}
