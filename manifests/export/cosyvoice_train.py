"""CosyVoice's training directory: an utterance for each turn, the files that its tools begin with.

::

    train/wav.scp  train/text  train/utt2spk  train/spk2utt    names of utterances in each are the same
    train/wav/train-00000/ID-0.wav                             a folder for each piece

Lines are split on blanks, so ids and paths must have none. The training code leaves out, and says nothing of, clips
under 0.1 s or over 102.4 s, clips whose rate is below 16 kHz, and texts with no token or more than 200, or more
than one for each 10 ms; its tool that makes speech tokens gives none over 30 s. Those are refused here. Embeddings and
speech tokens are made by its own tools, which write pickles; with `speech_tokens`, the tokens that rows hold are
written as utt2speech_token.json, of which one line of Python makes the pickle (docs/exporting.md).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from manifests.audio import decode
from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.export._audio import wav_bytes
from manifests.export._speech_tokens import NO_TOKENS, tokens_of_turn
from manifests.export._text_tokens import TokenCounter, check_characters, token_counter
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.schema import Dialogue, Turn
from manifests.storage import Place

_MIN_S, _MAX_S, _TOKENS_MAX_S = 0.1, 102.4, 30.0
_MIN_RATE = 16_000
_MAX_TOKENS = 200
_TOKENS_PER_S = 0.05, 100.0
"""Text tokens per second of audio: 0.0005 and 1 for each frame of 10 ms."""

_ROLES = "whose turns are written"
_MAX = "longest clip in seconds: over 30 the tool that makes speech tokens gives none, over 102.4 training drops it"
_PREFIX = "what stands before the paths in wav.scp; empty: they are relative to the export's directory"
_TOKENIZER = (
    "directory of the text tokenizer, for transformers; 'characters': count by characters; empty: do not count"
)
_SPEECH_TOKENS = "tokenizer whose tokens are written too, such as s3-v2; empty: none"
_CHARACTERS = "with tokenizer=characters: characters taken for one token, a guess"


@dataclass(frozen=True)
class CosyVoiceSettings(ExportSettings):
    roles: Literal["both", "user", "agent"] = field(default="both", metadata={"description": _ROLES})
    max_s: float = field(default=_TOKENS_MAX_S, metadata={"description": _MAX})
    prefix: str = field(default="", metadata={"description": _PREFIX})
    tokenizer: str = field(default="", metadata={"description": _TOKENIZER})
    characters_per_token: float = field(default=1.0, metadata={"description": _CHARACTERS})
    speech_tokens: str = field(default="", metadata={"description": _SPEECH_TOKENS})

    def __post_init__(self) -> None:
        check_characters(self.characters_per_token)
        if not _MIN_S < self.max_s <= _MAX_S:
            raise ValueError(f"max_s must be above {_MIN_S} and at most {_MAX_S}, not {self.max_s}")
        if any(character.isspace() for character in self.prefix):
            raise ValueError("prefix must have no blank: CosyVoice splits lines on blanks")


@dataclass(frozen=True)
class CosyVoiceWriter(PieceWriter):
    settings: CosyVoiceSettings
    count: TokenCounter | None

    def problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        turns = [turn for _, turn in self._chosen(dialogue)]
        problems = (problem for turn in turns if (problem := self._turn_problem(turn)))
        return next(problems, None) if turns else "it has no turn of this role"

    def _turn_problem(self, turn: Turn) -> str | None:
        take = turn.take
        if take is None or take.audio is None:
            return "a turn has no audio"
        if not take.voice_id or any(character.isspace() for character in take.voice_id):
            return "a voice's id has a blank, or is empty"
        if take.audio.sample_rate < _MIN_RATE:
            return f"a clip's sample rate is below {_MIN_RATE} Hz"
        if take.audio.duration_s < _MIN_S:
            return f"a clip is shorter than {_MIN_S} s"
        if take.audio.duration_s > self.settings.max_s:
            return f"a clip is longer than {self.settings.max_s:g} s"
        if problem := self._token_problem(turn):
            return problem
        return self._text_problem(_text(turn), take.audio.duration_s)

    def _token_problem(self, turn: Turn) -> str | None:
        if not self.settings.speech_tokens:
            return None
        tokens = tokens_of_turn(turn, self.settings.speech_tokens)
        if tokens is None:
            return f"{NO_TOKENS} of {self.settings.speech_tokens}"
        return None if len(tokens.books) == 1 else "its speech tokens are in several books"

    def _text_problem(self, text: str, seconds: float) -> str | None:
        if not text:
            return "a turn has no text"
        if self.count is None:
            return None
        tokens, (fewest, most) = self.count(text), _TOKENS_PER_S
        if not 0 < tokens <= _MAX_TOKENS:
            return f"a text has no token, or more than {_MAX_TOKENS}"
        return None if fewest <= tokens / seconds <= most else "a text has too few or too many tokens for its length"

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[list[Any]]:
        """Return, for each utterance, its id, speaker, path from the export's directory, text, and speech tokens."""
        found: list[list[Any]] = []
        folder = f"{piece.split}/wav/{piece.stem}"
        for dialogue in dialogues:
            for number, turn in self._chosen(dialogue):
                assert turn.take is not None and turn.take.audio is not None  # it has no problem
                utterance = f"{dialogue.dialogue_id}-{number}"
                path = f"{folder}/{utterance}.wav"
                (out / path).write_bytes(wav_bytes(*decode(turn.take.audio)))
                tokens = tokens_of_turn(turn, self.settings.speech_tokens)
                found.append([utterance, turn.take.voice_id, path, _text(turn), tokens.books[0] if tokens else None])
        return found

    def _chosen(self, dialogue: Dialogue) -> Iterator[tuple[int, Turn]]:
        """Yield the numbers and the turns that are written: without those that nobody hears."""
        heard = (each for each in enumerate(dialogue.turns) if not dialogue.leaves_out(each[1]))
        return (each for each in heard if self.settings.roles in ("both", each[1].role))

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        for split, of_split in groupby(pieces, lambda each: each[0].split):
            self._write_lists(out / split, (line for _, lines in of_split for line in lines))
        note = f"text tokens were not counted: training drops a text of more than {_MAX_TOKENS} and says nothing"
        return () if self.count else [note]

    def _write_lists(self, directory: Place, utterances: Iterator[list[Any]]) -> None:
        speakers = dict[str, list[str]]()
        with ExitStack() as stack:
            names = ("wav.scp", "text", "utt2spk", "spk2utt")
            scp, text, utt2spk, spk2utt = (stack.enter_context((directory / name).writing()) for name in names)
            tokens = None
            if self.settings.speech_tokens:
                tokens = stack.enter_context((directory / "utt2speech_token.json").writing())
            for number, (utterance, speaker, path, words, codes) in enumerate(utterances):
                scp.write(f"{utterance} {self.settings.prefix}{path}\n".encode())
                text.write(f"{utterance} {words}\n".encode())
                utt2spk.write(f"{utterance} {speaker}\n".encode())
                speakers.setdefault(speaker, []).append(utterance)
                if tokens is not None:
                    before = ",\n" if number else "{\n"
                    tokens.write(f"{before}{json.dumps(utterance)}: {json.dumps(codes)}".encode())
            if tokens is not None:
                tokens.write(b"\n}\n")
            for speaker in sorted(speakers):
                spk2utt.write(f"{speaker} {' '.join(speakers[speaker])}\n".encode())


def _text(turn: Turn) -> str:
    """Return the text on one line with single blanks, which is what the program makes of it."""
    return " ".join((turn.text or "").split())


def open_cosyvoice(corpus: Corpus, settings: CosyVoiceSettings) -> CosyVoiceWriter:
    """Load the tokenizer, if one is named; raises UserError if that fails."""
    counter = token_counter(settings.tokenizer, settings.characters_per_token) if settings.tokenizer else None
    return CosyVoiceWriter(settings, counter)


EXPORTER = Exporter(
    "cosyvoice-train",
    "CosyVoice's training directory: wav.scp, text, utt2spk, spk2utt, an utterance for each turn",
    open_cosyvoice,
    CosyVoiceSettings,
    read_by="CosyVoice ace7c47, by its reading rules",
)
