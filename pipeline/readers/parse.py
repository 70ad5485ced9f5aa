"""Read one row by its format, or say in words why it is none of it."""

import re
from typing import cast

from pydantic import ValidationError

from pipeline.readers.format import Format, Row
from pipeline.readers.text import clean_text
from pipeline.readers.turns import Parsed, RowFields, unknown_schema

_MEMBER = re.compile(r"_[A-Z]|.*\[")


def parse_row(value: object, form: Format) -> Parsed:
    """Return the row as `form` reads it; one that does not fit is UNKNOWN_SCHEMA, and says which key is wrong."""
    if not isinstance(value, dict):
        return unknown_schema(None, "the row is not an object")
    try:
        return form.parse(cast(Row, value))
    except ValidationError as error:
        # A union gives an error for each member: that it is no text says the least.
        errors = error.errors(include_url=False, include_input=False)
        first = next((one for one in errors if one["type"] != "string_type"), errors[0])
        # It names the members too: "content.list[union[...]].0._Part.type".
        steps = (clean_text(str(step))[:40] for step in first["loc"] if not _MEMBER.match(str(step)))
        message = first["msg"].removeprefix("Value error, ")
        return unknown_schema(RowFields.model_validate(value).id, f"{'.'.join(steps)}: {message}")
