"""The facts of a card: turns of every kind, and voices that are only heard in the background, are counted."""

from dataclasses import replace

from manifests.corpus import Corpus
from parley.testing.corpora import make_turn
from pipeline.publish.facts import gather_facts
from tests.pipeline.views.corpora import made_corpus, made_row

BEHIND = "tone-user-en-male-1"


def test_kinds_of_turns_and_voices_in_the_background(tmp_path):
    plain, noisy = made_row(0), made_row(1, seconds=0.1)
    behind = replace(make_turn("user", "somebody else", 3, 400), kind="background")
    nod = replace(make_turn("agent", "mhm", 3, 200), kind="backchannel")
    noisy = replace(noisy, background_voice=BEHIND, turns=(*noisy.turns, behind, nod))
    corpus = Corpus(made_corpus(tmp_path, [plain, noisy]))
    facts = gather_facts({"train": corpus}, lambda row: True, None)
    assert facts.kinds == {"turn": 4, "background": 1, "backchannel": 1}
    rate = noisy.turns[0].take.audio.sample_rate
    assert facts.kind_seconds["background"] == facts.role_seconds["background"] == 400 / rate
    assert facts.voices["background"] == {BEHIND: 1}
    assert facts.genders["background"] == {"male": 1}
    assert set(facts.voices) == {"user", "agent", "background"}
