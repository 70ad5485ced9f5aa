"""Cuts texts into text tokens, and counts them for consumers that drop or cut texts with too many of them and say
nothing.

A tokenizer is the directory of a `transformers` tokenizer on this machine, or "characters": so many characters of text
are taken for a token, a guess that the user makes.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import accumulate, groupby
from math import ceil
from pathlib import Path
from typing import Any

from manifests.errors import UserError

CHARACTERS = "characters"


@dataclass(frozen=True)
class TokenCounter:
    """Counts tokens with the tokenizer in a directory, or by characters; it is small to pickle."""

    tokenizer: str
    characters_per_token: float

    def __call__(self, text: str) -> int:
        """Return the number of tokens, without special ones at the ends."""
        if self.tokenizer == CHARACTERS:
            return ceil(len(text) / self.characters_per_token)
        return len(self.pieces(text))

    def pieces(self, text: str) -> list[str]:
        """Return the tokens as the tokenizer names them; by characters, they are the text, cut."""
        if self.tokenizer == CHARACTERS:
            size = self.characters_per_token
            ends = [min(len(text), ceil(size * number)) for number in range(1, ceil(len(text) / size) + 1)]
            return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        return list(_loaded(self.tokenizer).tokenize(text))

    def ids(self, text: str) -> list[int]:
        """Return the ids of the tokens; there are none by characters."""
        return list(_loaded(self.tokenizer).encode(text, add_special_tokens=False))

    def ends(self, text: str) -> list[Fraction]:
        """Return where each of `pieces` ends, in characters of the text; those of one character share it.

        Raises UserError for a tokenizer that cannot tell.
        """
        if self.tokenizer == CHARACTERS:
            return [Fraction(end) for end in accumulate(map(len, self.pieces(text)))]
        tokenizer = _loaded(self.tokenizer)
        if not tokenizer.is_fast:
            raise UserError(f"tokenizer: {self.tokenizer} cannot tell where its tokens stand: take its fast version")
        found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        runs = [(span, len(list(run))) for span, run in groupby(found)]
        return [
            start + Fraction((end - start) * place, size)
            for (start, end), size in runs
            for place in range(1, size + 1)
        ]

    def highest_id(self) -> int:
        """Return the largest id of the tokenizer, those of added tokens among them."""
        return int(max(_loaded(self.tokenizer).get_vocab().values()))


def token_counter(tokenizer: str, characters_per_token: float) -> TokenCounter:
    """Return the counter; raises UserError if the directory holds no tokenizer that can be loaded."""
    if tokenizer != CHARACTERS:
        tokenizer = str(Path(tokenizer).expanduser().absolute())
        _loaded(tokenizer)
    return TokenCounter(tokenizer, characters_per_token)


def check_characters(characters_per_token: float) -> None:
    """Raise ValueError for a number that is not above 0."""
    if characters_per_token <= 0:
        raise ValueError(f"characters_per_token must be above 0, not {characters_per_token}")


@cache
def _loaded(directory: str) -> Any:
    """Load the tokenizer, from this machine alone and without running code of its own."""
    if not Path(directory).is_dir():
        raise UserError(f"tokenizer: there is no directory {directory}; name one, or '{CHARACTERS}'")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UserError(
            "counting with a tokenizer needs the package transformers: pip install transformers"
        ) from error
    try:
        return AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"tokenizer: cannot load {directory}: {reason}") from error
