"""Checks what a language model wrote about an exchange: its places exist, and what it adds can be said.

Empty fields are no fault: nothing fits there. Fields of what was not drawn for the dialogue are not looked at.
"""

from collections.abc import Mapping, Set
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from manifests.words import words_of
from pipeline.engines.contract import Complaint
from pipeline.recipe import Recipe
from pipeline.stages._exchanges import exchange_at
from pipeline.stages._overlap_text import measures, place_behind
from pipeline.stages._overlap_wording import overlap_wording
from pipeline.stages._spoken_text import check_answer, check_question, question_limit
from pipeline.text.repeated import bare


def check_marks(
    fields: Mapping[str, str], dialogue: Dialogue, number: int, drawn: Set[str], recipe: Recipe
) -> Complaint | None:
    """Say what is wrong with the fields about exchange `number`; `drawn` are the things that are going to happen."""
    pair = exchange_at(dialogue, number)
    marks = _Marks(fields, dialogue.language, recipe, pair.user.text or "", pair.agent.text or "")
    is_last = pair.agent_index + 1 == len(dialogue.turns)
    return (
        (marks.slip("restart") if "false_start" in drawn else None)
        or (marks.correction() if "self_correction" in drawn else None)
        or (marks.pause() if "pause" in drawn else None)
        or (marks.interruption(is_last) if "barge_in" in drawn else None)
        or (marks.backchannel("barge_in" in drawn) if "user_backchannels" in drawn else None)
        or (marks.aside() if "aside" in drawn else None)
    )


class _Marks:
    def __init__(self, fields: Mapping[str, str], language: str, recipe: Recipe, question: str, answer: str) -> None:
        self._fields, self._language, self._recipe = fields, language, recipe
        self._question, self._answer = question, answer

    def slip(self, field: str) -> Complaint | None:
        """A slip is a few words, fewer than the turn has."""
        return self._spoken(field, measures(self._language).shortest)

    def correction(self) -> Complaint | None:
        if not self._fields["correction"]:
            return None
        return self.slip("correction") or self._missing("correction_before", self._question)

    def pause(self) -> Complaint | None:
        """A pause lies inside the turn: some words come before it, and some behind it."""
        if not self._fields["pause_after"]:
            return None
        place, rest = self._place("pause_after", self._question), measures(self._language).rest
        if place is None or not rest - 2 <= place < len(words_of(self._question, self._language)) - 1:
            return _empty("pause_after", "is not inside the turn")
        return None

    def aside(self) -> Complaint | None:
        """What is said to somebody else is short; where the answer has no room for it, it is left out later."""
        if not self._fields["aside"]:
            return None
        return self._spoken("aside", measures(self._language).sentence) or self._missing("aside_after", self._answer)

    def interruption(self, is_last: bool) -> Complaint | None:
        text = self._fields["interruption"]
        if not self._fields["interrupt_after"] or (is_last and not text):
            return None
        place, words = self._place("interrupt_after", self._answer), words_of(self._answer, self._language)
        rest = measures(self._language).rest
        if place is None or not rest <= place < len(words) - rest:
            return _empty("interrupt_after", "is not inside the answer")
        if not is_last:
            return None
        said, limit = self._fields["reply"], self._recipe.texts.answer_limit
        complaint = check_answer(said, self._language, limit, question=text) if said else None
        about_reply = replace(complaint, values={**complaint.values, "field": "reply"}) if complaint else None
        return self._spoken("interruption", question_limit(self._recipe, self._language)) or about_reply

    def backchannel(self, is_interrupted: bool) -> Complaint | None:
        said = self._fields["backchannel"]
        if not said:
            return None
        known = overlap_wording(self._language).backchannels["user"]
        if bare(said) not in map(bare, known):
            return _empty("backchannel", "is none of those that were offered")
        place = self._place("backchannel_after", self._answer)
        if place is None or place + 1 >= len(words_of(self._answer, self._language)):
            return _empty("backchannel_after", "is not inside the answer")
        cut = (
            self._place("interrupt_after", self._answer)
            if is_interrupted and self._fields["interrupt_after"]
            else None
        )
        if cut is not None and place >= cut:
            return _empty("backchannel_after", "is behind the interruption")
        return None

    def _spoken(self, field: str, limit: int) -> Complaint | None:
        text = self._fields[field]
        if not text:
            return None
        complaint = check_question(text, self._language, limit, allow_latin=self._recipe.texts.allow_latin)
        return replace(complaint, values={**complaint.values, "field": field}) if complaint else None

    def _missing(self, field: str, text: str) -> Complaint | None:
        return _empty(field, "is not in the turn") if self._place(field, text) is None else None

    def _place(self, field: str, text: str) -> int | None:
        return place_behind(self._fields[field], text, self._language)


def _empty(field: str, about: str) -> Complaint:
    return Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": field}, f"{field}: {about}")
