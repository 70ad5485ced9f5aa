"""Speech tokens of made-up clips, as rows hold them."""

from dataclasses import replace

from manifests.export._speech_tokens import TokenNeed
from manifests.schema import Dialogue, Role, SpeechTokens
from parley.testing.corpora import with_take


def made_tokens(need: TokenNeed, *books: tuple[int, ...], tokenizer: str = "") -> SpeechTokens:
    """Tokens of the size and rate that a consumer reads."""
    return SpeechTokens(
        tokenizer=tokenizer or need.tokenizer,
        revision="made-up@1",
        sample_rate=48_000,
        hop_length=round(48_000 / need.frame_rate),
        codebook_size=need.codebook_size,
        books=books,
        derivation="wav2token",
        license="CC0-1.0",
    )


def tokenized(dialogue: Dialogue, tokens: SpeechTokens, *roles: Role) -> Dialogue:
    """The dialogue with these tokens in the turns of these roles; without any, in the agent's."""
    turns = (
        with_take(turn, tokens=(tokens,)) if turn.role in (roles or ("agent",)) else turn for turn in dialogue.turns
    )
    return replace(dialogue, turns=tuple(turns))
