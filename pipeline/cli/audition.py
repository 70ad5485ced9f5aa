"""Implements `parley voicebank audition`: reads the options, hears voices, puts the outcome into words."""

from collections.abc import Mapping
from typing import Any

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.bank.audition import SENTENCES, Panel, Sentences
from pipeline.bank.audition_bank import AuditionOrder, drop_counts, hold_audition
from pipeline.bank.probe import SENTENCES as TWO_SENTENCES
from pipeline.bank.ranking import (
    ENGINE_COLUMNS,
    PAGE_FILE,
    VOICE_COLUMNS,
    engine_rows,
    hold_ranking,
    read_sentences,
    speakable,
    voice_row,
    write_ranking,
)
from pipeline.bank.recipe import load_bank_recipe
from pipeline.cli.progress import counted
from pipeline.engines.registry import load_engine, load_verifier
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.show.text import Fact, fact_lines, text_table
from pipeline.stages._castable import synthesizer_inputs
from pipeline.stages.synthesize import SynthesizeSettings, speaks_with
from pipeline.stages.transcribe import TranscribeSettings
from voicebank.bank import Bank, bank_place, load_bank
from voicebank.speaker_table import load_speaker_table

_SHOWN = 20


def audition_voices(options: Mapping[str, Any]) -> str:
    """Hear voices, and rank them or keep those that pass; return the outcome. `options` are those of the command."""
    recipe = load_recipe(options["recipe"], options["overrides"])
    given = read_sentences(open_place(options["sentences"])) if options["sentences"] else None
    if options["count"] is None:
        if options["extend"]:
            raise UserError("--extend works only with --count")
        return _rank(options, recipe, given or TWO_SENTENCES)
    if not options["real"]:
        raise UserError("--count keeps voices that are nobody's: name the banks of real speakers with --real")
    return _keep(options, recipe, given or SENTENCES)


def _keep(options: Mapping[str, Any], recipe: Recipe, sentences: Sentences) -> str:
    panel = _panel(options, recipe, recipe.section(SynthesizeSettings).engine)
    order = AuditionOrder(
        [open_place(bank) for bank in options["banks"]],
        [open_place(bank) for bank in options["real"]],
        options["count"],
        options["agents"] == "1",
        options["error_margin"],
        options["quality_margin"],
        options["leak_limit"],
        options["twin_limit"],
        options["hear"],
        options["keep_unheard"],
        sentences,
        bank_place(options["extend"]) if options["extend"] else None,
    )
    out = open_place(options["out"])
    with counted("voices heard", "voice") as tell:
        judged = hold_audition(order, panel, out, lambda what, done, total: tell(done, total))
    kept = sum(one.drop is None for one in judged)
    dropped = Fact("dropped", str(len(judged) - kept), drop_counts(judged))
    return "\n".join(
        fact_lines([Fact("heard", str(len(judged))), dropped, Fact("kept", str(kept)), Fact("bank", str(out))])
    )


def _rank(options: Mapping[str, Any], recipe: Recipe, sentences: Sentences) -> str:
    """Rank every voice on every synthesizer that can speak with it."""
    banks = [load_bank(bank) for bank in options["banks"]]
    own, cloning = synthesizer_inputs(recipe, recipe.section(SynthesizeSettings).engine)
    voices = [voice for bank in banks for voice in speakable(_first(bank, options["hear"]), own, cloning)]
    if not voices:
        raise UserError(f"the recipe {recipe.name} has no speech engine for the voices of {options['banks'][0]}")
    panel = _panel(options, recipe, sorted({speaks_with(recipe, voice.engine) for voice in voices}))
    real, out = [load_speaker_table(open_place(bank)) for bank in options["real"]], open_place(options["out"])
    with counted("voices heard", "voice") as tell:
        ranking = hold_ranking(voices, panel, sentences, real, out, tell)
    write_ranking(ranking, out, " and ".join(bank.name for bank in banks), sentences, panel, options["listen"])
    sound = [one for one in ranking.voices if one.problem is None]
    engines = text_table(ENGINE_COLUMNS, _texts(engine_rows(ranking)), right=range(1, len(ENGINE_COLUMNS)))
    best = text_table(VOICE_COLUMNS, _texts(map(voice_row, sound[:_SHOWN])), right=(0, 3, 4, 5, 6))
    more = [f"... and {len(sound) - _SHOWN} more: {PAGE_FILE}"] if len(sound) > _SHOWN else []
    failed = [
        f"not measured: {one.voice.voice_id} by {one.engine}: {one.problem}" for one in ranking.voices if one.problem
    ]
    return "\n".join([*engines, "", *best, *more, *failed, f"{len(sound)} voices ranked: {out / PAGE_FILE}"])


def _first(bank: Bank, number: int | None) -> tuple[Any, ...]:
    return bank.voices[:number]


def _panel(options: Mapping[str, Any], recipe: Recipe, synthesizers: Any) -> Panel:
    rules = load_bank_recipe(options["bank_recipe"])
    if rules.quality.engine is None:
        raise UserError(f"--bank-recipe {rules.name}: it names no engine that predicts quality")
    listeners = recipe.section(TranscribeSettings).engine
    loaded = {name: load_engine("asr", name, recipe.models) for name in sorted(set(listeners.values()))}
    speaking = {name: load_engine("tts", name, recipe.models) for name in synthesizers}
    return Panel(
        {**{recipe.engine_of(name): engine for name, engine in speaking.items()}, **speaking},
        {language: loaded[name] for language, name in listeners.items()},
        load_verifier(rules.pair_rule.encoder, rules.models),
        load_engine("quality", rules.quality.engine, rules.models),
        rules.quality.scale,
    )


def _texts(rows: Any) -> list[tuple[str, ...]]:
    return [tuple(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]
