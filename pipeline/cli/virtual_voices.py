"""Implements `parley voicebank blend` and `check`: reads the options, works, puts the outcome into words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place, open_place
from pipeline.bank.blend_report import write_report
from pipeline.bank.probe import ProbeReport, probe
from pipeline.bank.record import record
from pipeline.cli.progress import counted
from pipeline.show.plots import need_plots
from pipeline.show.text import Fact, fact_lines, text_table
from voicebank.bank import load_bank
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.card import read_card
from voicebank.check import CheckReport, check_bank, claims_of
from voicebank.speaker_table import load_speaker_table
from voicebank.tables import iter_voices
from voicebank.voice import Voice

_SPOKEN = 20
_ROWS = {
    "nearest_real": "nearest real speaker",
    "own_parents": "own parents",
    "own_two_sentences": "own other sentence",
    "nearest_earlier_voice": "nearest earlier voice",
    "nearest_voice": "nearest voice, of the sample",
}
_REFERENCE_ROWS = {
    "nearest_other_speaker": "(real speaker, nearest other)",
    "different_speakers_of_one_gender": "(two real speakers, one gender)",
}


def blend_voices(bank: str, out: str, options: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Blend voices; return the outcome, and notes for people. `options` are those of the command."""
    given = {key: value for key, value in options.items() if key not in ("languages", "agents", "report")}
    chosen = BlendOptions(languages=_languages(options["languages"]), agents=int(options["agents"]), **given)
    place = open_place(out)
    if not options["report"]:
        result = blend(open_place(bank), place, chosen)
    else:
        need_plots()
        result = blend(open_place(bank), place, chosen, partial(write_report, place))
    dropped = ", ".join(f"{number:,} {name}" for name, number in result.leak["dropped"].items() if number)
    facts = [
        Fact("drawn", f"{result.leak['drawn']:,}"),
        Fact("dropped", dropped or "none"),
        Fact("kept", f"{result.users:,} users, {result.agents} agents"),
        Fact("bank", str(place)),
    ]
    lines = [*fact_lines(facts), "", *similarity_lines(result.leak)]
    notes = (
        []
        if result.speakable
        else [
            "the bank has no synthesis embeddings: only an engine that averages its own voices, as kokoro does, can "
            "speak with these"
        ]
    )
    return "\n".join(lines), notes


def check_voices(options: Mapping[str, Any]) -> tuple[str, bool]:
    """Check voices; return the report, and whether the bank is sound. `options` are those of the command."""
    bank, real = open_place(options["bank"]), open_place(options["real"])
    _check_audio_options(options)
    files = check_bank(bank, real, options["sample"])
    lines = _file_lines(files)
    if not options["audio"]:
        return "\n".join(lines), files.ok
    audio = _probe(bank, real, options)
    if options["out"]:
        _write_audio(open_place(options["out"]), read_card(bank)["name"], audio)
    return "\n".join([*lines, "", *_audio_lines(audio)]), files.ok and audio.ok


def record_voices(options: Mapping[str, Any]) -> str:
    """Let a synthesizer's own voices speak into a corpus; return the outcome."""
    from pipeline.engines.registry import load_engine
    from pipeline.recipes.load import load_recipe

    recipe = load_recipe(options["recipe"], options["overrides"])
    synthesizer = load_engine("tts", options["engine"], recipe.models)
    if not hasattr(synthesizer, "own_voices"):
        raise UserError(f"--engine {options['engine']}: this synthesizer has no voices of its own to record")
    language, out = options["language"], open_place(options["out"])
    voices = [v for v in synthesizer.own_voices() if v.language == language or options["any_language"]]
    with counted("clips spoken", "clip") as tell:
        clips = record(synthesizer, voices, language, out, tell)
    return f"{clips} clips in {out}"


def similarity_lines(figures: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of quantiles."""
    rows = [(text, figures.get(key)) for key, text in _ROWS.items()]
    rows += [(text, figures.get("reference", {}).get(key)) for key, text in _REFERENCE_ROWS.items()]
    known = [(text, values) for text, values in rows if values]
    names = ("similarity to", *(known[0][1] if known else ()))
    cells = [(text, *(f"{value:.4f}" for value in values.values())) for text, values in known]
    return text_table(names, cells, right=range(1, len(names)))


def _languages(given: Sequence[str]) -> dict[str, float] | None:
    """Parse languages such as zh or zh=0.7. Languages without a share are equally frequent."""
    shares = {}
    for text in given:
        language, _, share = text.partition("=")
        try:
            shares[language] = float(share or 1)
        except ValueError:
            raise UserError(f"--language {text}: write it as CODE or CODE=SHARE") from None
    return shares or None


def _check_audio_options(options: Mapping[str, Any]) -> None:
    if options["audio"] and not (options["recipe"] and options["bank_recipe"]):
        raise UserError("--audio needs --recipe, whose engines speak, and --bank-recipe, whose encoder measures")
    if not options["audio"] and any(options[name] for name in ("recipe", "bank_recipe", "overrides", "out")):
        raise UserError("--recipe, --set, --bank-recipe and --out work only with --audio")


def _file_lines(report: CheckReport) -> list[str]:
    lines = [*report.problems]
    counts = [(f"{number:,}", f"{problem}: {problem.meaning}") for problem, number in report.counts.items()]
    lines += text_table(("", ""), counts, right={0})
    verdict = "sound" if report.ok else f"{report.counts.total():,} problems"
    return [*lines, *similarity_lines(report.leak), f"{verdict}: {report.voices:,} voices checked from the files"]


def _probe(bank: Place, real: Place, options: Mapping[str, Any]) -> ProbeReport:
    from pipeline.bank.recipe import load_bank_recipe
    from pipeline.engines.registry import engine_version, load_engine
    from pipeline.recipes.load import load_recipe
    from pipeline.stages.cast import engines_and_models, spoken_bank
    from pipeline.stages.synthesize import speaks_with

    recipe = load_recipe(options["recipe"], options["overrides"])
    bank_recipe = load_bank_recipe(options["bank_recipe"])
    card = read_card(bank)
    encoder_key = ("encoder", bank_recipe.pair_rule.encoder, bank_recipe.models)
    built_with, label = (card.get("encoder") or {}).get("label"), engine_version(*encoder_key)
    if built_with is not None and built_with != label:
        raise UserError(f"the bank's encoder is {built_with}, that of --bank-recipe is {label}")
    encoder = load_engine(*encoder_key)
    given = spoken_bank(recipe, load_bank(str(bank)))
    engines = {voice.voice_id: voice for voice in given.select(engines=engines_and_models(recipe))}
    sample = _sample(bank, options["sample"] or _SPOKEN)
    # A clip that is cloned still has the parents of its voice, with whom it is compared.
    voices = [
        replace(engines[voice.voice_id], parents=voice.parents, weights=voice.weights)
        if voice.voice_id in engines
        else voice
        for voice in sample
    ]
    speaking = sorted({voice.engine for voice in voices if voice.voice_id in engines})
    synthesizers = {name: load_engine("tts", speaks_with(recipe, name), recipe.models) for name in speaking}
    return probe(voices, load_speaker_table(real), synthesizers, encoder, claims_of(card).leak_limit)


def _sample(bank: Place, count: int) -> list[Voice]:
    """Return voices spread evenly over the file, always with the agents, which come first in it."""
    total = sum(len(voices) for voices, _ in iter_voices(bank))
    wanted = set(np.linspace(0, total - 1, min(count, total)).astype(int).tolist())
    numbered = enumerate(voice for voices, _ in iter_voices(bank) for voice in voices)
    return [voice for number, voice in numbered if number in wanted or voice.agent]


def _audio_lines(audio: ProbeReport) -> list[str]:
    lines = [
        f"audio near a real speaker: {one.voice_id}: {one.nearest_real:.4f} to {one.nearest_id}" for one in audio.near
    ]
    lines += [f"audio not measured: {voice_id}: {why}" for voice_id, why in audio.failures.items()]
    verdict = "sound" if audio.ok else f"{len(audio.near)} near a real speaker, {len(audio.failures)} not measured"
    return [*lines, *similarity_lines(audio.figures()), f"audio {verdict}: {len(audio.heard)} voices heard"]


def _write_audio(out: Place, name: str, audio: ProbeReport) -> None:
    from pipeline.bank.audio_report import audio_page

    (out / "audio.json").write_text(json.dumps(audio.figures(), indent=2, sort_keys=True) + "\n")
    (out / "audio.html").write_text(audio_page(name, audio))
