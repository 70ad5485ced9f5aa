"""Speech tokens of a turn, for exporters whose consumer trains on them."""

from collections.abc import Iterable
from dataclasses import dataclass

from manifests.schema import SpeechTokens, Turn

Codes = tuple[tuple[int, ...], ...]
"""Token ids, [book][time]."""


@dataclass(frozen=True)
class TokenNeed:
    """Says which tokens a consumer was trained with: the tokenizer, as rows name it, and what its tokens are like.

    `books` are the frames of each book in one frame of the first, of which there are `frame_rate` a second.
    """

    tokenizer: str
    codebook_size: int
    frame_rate: float
    books: tuple[int, ...] = (1,)

    def fits(self, tokens: SpeechTokens) -> bool:
        """Tell whether tokens, maybe of another tokenizer, are of this size, rate and shape."""
        frames = tuple(self.books[0] * len(book) for book in tokens.books)
        return (
            tokens.codebook_size == self.codebook_size
            and abs(tokens.sample_rate / tokens.hop_length - self.frame_rate) < 0.01
            and frames == tuple(tokens.num_frames * each for each in self.books)
        )


S3_V1 = TokenNeed("s3-v1", 4096, 50)
"""CosyVoice."""
S3_V2 = TokenNeed("s3-v2", 6561, 25)
"""CosyVoice 2."""
GLM4_VOICE = TokenNeed("glm-4-voice", 16_384, 12.5)
SNAC_24KHZ = TokenNeed("snac-24khz", 4096, 24_000 / 2048, (1, 2, 4))
HUBERT_KM1000 = TokenNeed("hubert-l11-km1000", 1000, 50)
"""mHuBERT, layer 11: SpeechGPT, LLaMA-Omni."""

NO_TOKENS = "no speech tokens"


def tokens_of_turn(turn: Turn, tokenizer: str) -> SpeechTokens | None:
    """Return the tokens of the turn's clip by this tokenizer; None: the row has none."""
    tokens = turn.take.tokens if turn.take else ()
    return next((each for each in tokens if each.tokenizer == tokenizer), None)


def codes_of(turn: Turn, need: TokenNeed, tokenizer: str = "") -> Codes | None:
    """Return the tokens that a consumer reads, of the tokenizer that a setting names, or else of its own.

    None where the row has none, or none like those it was trained with.
    """
    tokens = tokens_of_turn(turn, tokenizer or need.tokenizer)
    return tokens.books if tokens is not None and need.fits(tokens) else None


def codes_problem(turns: Iterable[Turn], need: TokenNeed, tokenizer: str = "") -> str | None:
    """Return why not every turn has such tokens, as a reason to count: an empty list would train silence."""
    name = tokenizer or need.tokenizer
    for turn in turns:
        tokens = tokens_of_turn(turn, name)
        if tokens is None or not tokens.num_frames:
            return f"{NO_TOKENS} of {name}"
        if not need.fits(tokens):
            return (
                f"the speech tokens of {name} have another size or rate than those of {need.tokenizer} that it reads"
            )
    return None
