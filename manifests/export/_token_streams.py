"""Speech tokens for exporters that write sequences of them: which a corpus has, and those of a turn or of a channel.

All rows of an export have tokens of one tokenizer, revision and shape: the ids of two cannot stand in one vocabulary.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._turns import floor_turns
from manifests.schema import Dialogue, Role, SpeechTokens, Turn

NO_TOKENS = "no speech tokens"
NO_CHANNEL_TOKENS = "no speech tokens of a whole channel"
OTHER_TOKENS = "its speech tokens are those of another revision or shape of the tokenizer"

ONE_BOOK = 1
TOKENIZER = "tokenizer whose speech tokens the corpus has"


@dataclass(frozen=True)
class TokenKind:
    """Says what tokens an export has: all that tokens of one tokenizer share, `like.books` being as many empty
    books."""

    like: SpeechTokens

    @property
    def name(self) -> str:
        return self.like.tokenizer

    @property
    def frame_s(self) -> Fraction:
        """The length of a frame of the first book, in seconds."""
        return Fraction(self.like.hop_length, self.like.sample_rate)

    def of_turn(self, turn: Turn) -> SpeechTokens | None:
        """Return the tokens of the take that counts; None: there are none of this tokenizer, or no frame."""
        return _named(turn.take.tokens if turn.take else (), self.name)

    def of_channel(self, dialogue: Dialogue, role: Role) -> SpeechTokens | None:
        """Return the tokens of the speaker's whole channel, as it is delivered."""
        track = dialogue.timeline.track(role) if dialogue.timeline else None
        return _named(track.tokens if track else (), self.name)

    def turn_problem(self, dialogue: Dialogue, roles: Sequence[Role] = ("user", "agent")) -> str | None:
        """Return the reason to refuse a dialogue of which these speakers' turns that take the floor are written."""
        turns = [turn for _, turn in floor_turns(dialogue) if turn.role in roles]
        return self.problem([self.of_turn(turn) for turn in turns], NO_TOKENS)

    def channel_problem(self, dialogue: Dialogue, roles: Sequence[Role]) -> str | None:
        """Return the reason to refuse a dialogue of which these channels are written."""
        found = [self.of_channel(dialogue, role) for role in roles]
        if problem := self.problem(found, NO_CHANNEL_TOKENS):
            return problem
        lengths = {tokens.num_frames for tokens in found if tokens}
        return "its channels have different numbers of frames" if len(lengths) > 1 else None

    def whole_frames(self, duration_ms: int, what: str) -> int:
        """Return how many frames a duration has; raises UserError if they are no whole number."""
        frames = Fraction(duration_ms, 1000) / self.frame_s
        if frames.denominator != 1 or frames < 1:
            length = float(1000 * self.frame_s)
            raise UserError(
                f"{what} of {duration_ms} ms is no whole number of frames: {self.name} has one in {length:g} ms"
            )
        return int(frames)

    def problem(self, found: Sequence[SpeechTokens | None], missing: str) -> str | None:
        if any(tokens is None or not tokens.num_frames for tokens in found):
            return missing
        return OTHER_TOKENS if any(_kind(tokens) != self.like for tokens in found if tokens) else None


def open_kind(corpus: Corpus, exporter: str, tokenizer: str, books: int = ONE_BOOK) -> TokenKind:
    """Return the kind of this tokenizer's tokens, as the first row that has some has them.

    Raises UserError if no row has any, or if they have another number of books than `books`.
    """
    others: set[str] = set()
    for tokens in _all_tokens(corpus):
        if tokens.tokenizer != tokenizer:
            others.add(tokens.tokenizer)
        elif len(tokens.books) != books:
            raise UserError(f"exporter {exporter}: {tokenizer} gives {len(tokens.books)} books of tokens, not {books}")
        else:
            return TokenKind(_kind(tokens))
    there = f"it has those of {', '.join(sorted(others))}" if others else "it has none at all"
    raise UserError(
        f"exporter {exporter} writes speech tokens of {tokenizer}, and the corpus has none: {there}; "
        "tokenize it, or name the tokenizer it has with --set tokenizer=NAME"
    )


def _all_tokens(corpus: Corpus) -> Iterator[SpeechTokens]:
    for dialogue in corpus.dialogues(audio=False):
        for turn in dialogue.turns:
            yield from turn.take.tokens if turn.take else ()
        for track in dialogue.timeline.tracks if dialogue.timeline else ():
            yield from track.tokens


def _named(tokens: Iterable[SpeechTokens], tokenizer: str) -> SpeechTokens | None:
    return next((each for each in tokens if each.tokenizer == tokenizer and each.num_frames), None)


def _kind(tokens: SpeechTokens) -> SpeechTokens:
    """Return the tokens without what differs from clip to clip."""
    return replace(tokens, books=((),) * len(tokens.books), derivation="wav2token", license=None)
