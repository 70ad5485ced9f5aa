"""Implements the commands of `parley servers`."""

from collections.abc import Sequence

from manifests.errors import UserError
from pipeline.engines.tts._dialects.dialect import dialect_text, load_dialect, shipped_dialects
from pipeline.obedience.check import ServerFindings, check_server, speech_servers
from pipeline.recipes.load import load_recipe


def check(recipe: str, overrides: Sequence[str]) -> tuple[str, list[str]]:
    """Return a line for each thing that was looked at, and what is wrong with each server, if anything."""
    loaded = load_recipe(recipe, overrides)
    servers = speech_servers(loaded)
    if not servers:
        raise UserError(f"the recipe {loaded.name} speaks through no server")
    findings = [check_server(loaded, name, model) for name, model in servers.items()]
    lines = [line for found in findings for line in _lines(found)]
    return "\n".join(lines), [found.problem for found in findings if found.problem]


def _lines(found: ServerFindings) -> list[str]:
    head = f"{found.model}\t{found.dialect}\t{found.clips} clips"
    verdicts = [
        f"{found.model}\t{verdict.thing}\t{'obeyed' if verdict.obeyed else 'ignored'}\t{verdict.evidence}"
        for verdict in found.verdicts
    ]
    return [head, *verdicts]


def list_dialects() -> str:
    return "\n".join(f"{name}\t{load_dialect(name).about}" for name in shipped_dialects())


def show_dialect(name: str) -> str:
    """Return the text of the dialect's file, comments included."""
    return dialect_text(name)
