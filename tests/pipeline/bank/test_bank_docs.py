"""The tables of docs/voicebank-build.md are what the code says."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from pipeline.bank.recipe import BankRecipe
from voicebank.reasons import BankReason

PAGE = Path(__file__).parents[3] / "docs" / "voicebank-build.md"


def reason_rows() -> list[str]:
    return [f"| `{reason}` | {reason.level} | {reason.meaning} |" for reason in BankReason]


def key_rows(model: type[BaseModel] = BankRecipe, path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from key_rows(field.annotation, f"{path}{name}.")
        else:
            default = "" if field.is_required() else f"`{field.default}`"
            yield f"| `{path}{name}` | {default} | {field.description} |"


def test_the_tables_are_true() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [*reason_rows(), *key_rows()]
