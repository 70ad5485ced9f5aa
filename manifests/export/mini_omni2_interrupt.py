"""Mini-Omni2's interruption rows: JSONL, a row for each dialogue, what is heard as SNAC tokens and a state a frame.

What is heard is the user's whole channel, as it is delivered: noise, then the phrase that interrupts, then a tail. The
phrase is the last turn of the user. Its authors have published neither data nor training code.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from manifests.clips import is_safe_id
from manifests.corpus import Corpus
from manifests.export._rows import Row
from manifests.export._text_rows import TextRowsWriter
from manifests.export._timeline import layout_problem, spots
from manifests.export._token_streams import TOKENIZER, TokenKind, open_kind
from manifests.export.contract import Exporter, ExportSettings
from manifests.export.mini_omni import is_snac
from manifests.forms.interruption import states
from manifests.forms.snac import snac_text
from manifests.schema import Dialogue

_PHRASE = "what the last turn of the user says, without regard to case and punctuation; empty: anything"


@dataclass(frozen=True)
class InterruptSettings(ExportSettings):
    """The phrase is the paper's."""

    tokenizer: str = field(default="snac-24khz", metadata={"description": TOKENIZER})
    phrase: str = field(default="Stop Omni", metadata={"description": _PHRASE})


@dataclass(frozen=True)
class InterruptWriter(TextRowsWriter):
    settings: InterruptSettings
    kind: TokenKind

    def problem(self, dialogue: Dialogue) -> str | None:
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        if dialogue.timeline is None:
            return "it has no timeline"
        if problem := layout_problem(dialogue) or self.kind.channel_problem(dialogue, ("user",)):
            return problem
        heard = self.kind.of_channel(dialogue, "user")
        if heard is None or not is_snac(heard):
            return "its speech tokens are not SNAC's three books"
        if not (found := self._phrase(dialogue)):
            return "it has no turn of the user"
        same = not self.settings.phrase or _letters(found[0]) == _letters(self.settings.phrase)
        return None if same else "its last turn of the user is not the phrase that interrupts"

    def rows(self, dialogue: Dialogue) -> Iterable[Row]:
        heard, phrase = self.kind.of_channel(dialogue, "user"), self._phrase(dialogue)
        assert heard is not None and phrase is not None  # else there was a problem
        yield {
            "id": dialogue.dialogue_id,
            "snac": snac_text(heard.books),
            "states": states(heard.num_frames, self.kind.frame_s, phrase[1]),
        }

    def _phrase(self, dialogue: Dialogue) -> tuple[str, Fraction] | None:
        """Return the text of the user's last turn that takes the floor, and where its speech ends, in seconds.

        Without an event that says so, its clip's end counts, and the silence at its edge with it.
        """
        found = [
            spot for spot in spots(dialogue, 0) if spot.role == "user" and dialogue.turns[spot.turn].kind == "turn"
        ]
        if not found:
            return None
        last, timeline = found[-1], dialogue.timeline
        spoken = [e for e in (timeline.events if timeline else ()) if (e.kind, e.turn) == ("turn", last.turn)]
        ends = Fraction(spoken[0].end_sample, timeline.sample_rate) if timeline and spoken else last.end
        return dialogue.turns[last.turn].text or "", ends


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def open_interrupt(corpus: Corpus, settings: InterruptSettings) -> InterruptWriter:
    return InterruptWriter(settings, open_kind(corpus, "mini-omni2-interrupt", settings.tokenizer, books=3))


EXPORTER = Exporter(
    "mini-omni2-interrupt",
    "Mini-Omni2's interruptions: what is heard as SNAC tokens, and for each frame whether it is interrupted",
    open_interrupt,
    InterruptSettings,
)
