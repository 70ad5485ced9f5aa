"""What tests of a stage, an engine or an exporter need: rows, corpora, and the laws that must hold.

A stage of your own, held to the laws that all stages are held to:

>>> from dataclasses import replace
>>> from parley.testing import audit_stage, make_context, make_dialogue
>>> from pipeline.settings import Section
>>> from pipeline.stages.contract import Stage
>>> def shout(dialogues, context):
...     return [replace(d, turns=tuple(replace(t, text=t.original_text.upper()) for t in d.turns)) for d in dialogues]
>>> reads, writes = frozenset({"turns.original_text"}), frozenset({"turns.text"})
>>> stage = Stage("shout", "louder", Section, shout, reads, writes)
>>> audit_stage(stage, [make_dialogue(("Hi?", "Ho.")), make_dialogue(dialogue_id="test-2")], make_context())

An engine, asked for the same things together, backwards and one by one:

>>> from parley.testing import audit_engine
>>> from pipeline.engines.contract import TextRequest
>>> from pipeline.engines.text.rules import RulesGenerator
>>> names = [{"instruction": f"Name a {animal}.", "material": ""} for animal in ("cat", "dog")]
>>> requests = [TextRequest("rewrite", "en", variables, seed=0) for variables in names]
>>> audit_engine(RulesGenerator().generate, requests)

Everything here makes small, fixed values: the same call gives the same rows, clips and bytes.
"""

from parley.testing.corpora import (
    make_audio,
    make_corpus,
    make_corpus_at,
    make_failed,
    make_kept,
    make_rejected,
    make_rows,
    make_turn,
)
from parley.testing.laws import audit_engine
from parley.testing.stages import make_context, make_dialogue, tone_recipe
from pipeline.stages.contract import audit_stage

__all__ = [
    "audit_engine",
    "audit_stage",
    "make_audio",
    "make_context",
    "make_corpus",
    "make_corpus_at",
    "make_dialogue",
    "make_failed",
    "make_kept",
    "make_rejected",
    "make_rows",
    "make_turn",
    "tone_recipe",
]
