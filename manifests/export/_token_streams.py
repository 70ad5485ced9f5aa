"""Speech tokens for exporters that write sequences of them: which a corpus has, and those of a turn or of a channel.

All rows of an export have tokens of one tokenizer, revision and shape: the ids of two cannot stand in one vocabulary.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._speech_tokens import NO_TOKENS
from manifests.export._turns import floor_turns
from manifests.schema import Dialogue, Role, SpeechTokens, Turn

NO_CHANNEL_TOKENS = "no speech tokens of a whole channel"
OTHER_TOKENS = "its speech tokens are those of another revision or shape of the tokenizer"

TOKENIZER = "tokenizer whose speech tokens the corpus has; NAME:0 takes the first of its books"


@dataclass(frozen=True)
class TokenKind:
    """Says what tokens an export has: all that tokens of one tokenizer share, `like.books` being as many empty
    books. `book`: the one of several that is taken, as if there were no other; None: all."""

    like: SpeechTokens
    book: int | None = None

    @property
    def name(self) -> str:
        return self.like.tokenizer

    @property
    def frame_s(self) -> Fraction:
        """The length of a frame of the first book, in seconds."""
        return Fraction(self.like.hop_length, self.like.sample_rate)

    def of_turn(self, turn: Turn) -> SpeechTokens | None:
        """Return the tokens of the take that counts; None: there are none of this tokenizer, or no frame."""
        return self._named(turn.take.tokens if turn.take else ())

    def of_channel(self, dialogue: Dialogue, role: Role) -> SpeechTokens | None:
        """Return the tokens of the speaker's whole channel, as it is delivered."""
        track = dialogue.timeline.track(role) if dialogue.timeline else None
        return self._named(track.tokens if track else ())

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

    def _named(self, tokens: Iterable[SpeechTokens]) -> SpeechTokens | None:
        named = (each for each in tokens if each.tokenizer == self.name and each.num_frames)
        return next((chosen for each in named if (chosen := _chosen(each, self.book))), None)

    def problem(self, found: Sequence[SpeechTokens | None], missing: str) -> str | None:
        if any(tokens is None or not tokens.num_frames for tokens in found):
            return missing
        return OTHER_TOKENS if any(_kind(tokens) != self.like for tokens in found if tokens) else None


def open_kind(corpus: Corpus, exporter: str, tokenizer: str, books: int = 1) -> TokenKind:
    """Return the kind of this tokenizer's tokens, as the first row that has some has them.

    `tokenizer` is a name, or NAME:BOOK. Raises UserError if no row has any, or if they have another number of books
    than `books`.
    """
    name, _, number = tokenizer.partition(":")
    book = int(number) if number.isdecimal() else None
    if number and book is None:
        raise UserError(f"exporter {exporter}: tokenizer is {tokenizer}: take NAME, or NAME:BOOK with a number from 0")
    others: set[str] = set()
    for tokens in _all_tokens(corpus):
        if tokens.tokenizer != name:
            others.add(tokens.tokenizer)
        elif (chosen := _chosen(tokens, book)) is None or len(chosen.books) != books:
            cure = f"name one of its books, as {name}:0" if book is None and books == 1 else "take another tokenizer"
            raise UserError(f"exporter {exporter}: {name} gives {_books(tokens)}, not {books} as asked for: {cure}")
        else:
            return TokenKind(_kind(chosen), book)
    there = f"it has those of {', '.join(sorted(others))}" if others else "it has none at all"
    raise UserError(
        f"exporter {exporter} writes speech tokens of {name}, and the corpus has none: {there}; "
        "tokenize it, or name the tokenizer it has with --set tokenizer=NAME"
    )


def _all_tokens(corpus: Corpus) -> Iterator[SpeechTokens]:
    for dialogue in corpus.dialogues(audio=False):
        for turn in dialogue.turns:
            yield from turn.take.tokens if turn.take else ()
        for track in dialogue.timeline.tracks if dialogue.timeline else ():
            yield from track.tokens


def _chosen(tokens: SpeechTokens, book: int | None) -> SpeechTokens | None:
    """Return the tokens with this book alone; None: there is none of as many frames as the first."""
    if book is None:
        return tokens
    fits = book < len(tokens.books) and len(tokens.books[book]) == tokens.num_frames
    return replace(tokens, books=(tokens.books[book],)) if fits else None


def _books(tokens: SpeechTokens) -> str:
    even = len(set(map(len, tokens.books))) == 1
    return f"{len(tokens.books)} books of tokens" if even else f"{len(tokens.books)} books with different frames"


def _kind(tokens: SpeechTokens) -> SpeechTokens:
    """Return the tokens without what differs from clip to clip."""
    return replace(tokens, books=((),) * len(tokens.books), derivation="wav2token", license=None)
