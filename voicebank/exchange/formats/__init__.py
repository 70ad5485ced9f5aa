"""One module for each program that Parley exchanges voices with: its name is the format's, and it ends in FORMAT.

A new format is one new module here; the command's choices and the table of formats follow from it.
"""

import importlib
import pkgutil

from manifests.errors import UserError
from voicebank.exchange.format import ExchangeFormat


def format_names() -> tuple[str, ...]:
    """Return the formats in alphabetical order. Imports none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def exchange_format(name: str) -> ExchangeFormat:
    """Return the format of that name. UserError where there is none."""
    if name not in format_names():
        raise UserError(f"there is no exchange format {name!r}; choose one of: {', '.join(format_names())}")
    found: ExchangeFormat = importlib.import_module(f"{__name__}.{name}").FORMAT
    return found
