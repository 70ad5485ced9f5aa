"""Find the material of a written task, without its order; Ke-SpeechChat passes it on instead of the whole instruction.

A language model that sees the order of a task such as classification or summarizing only edits it lightly. Given the
material alone, declared incomplete, it invents a question that a person would ask. Ke-SpeechChat publishes neither the
list of such tasks nor how to recognize them: both are ours. The patterns are data, `prompts/fragment-tasks`.

`find` puts the parts together: `segments` lists where the order and its material may stand, `patterns` recognizes the
orders, and `clean` turns the material into one line.
"""

from pipeline.text.fragments.find import Fragment, find_fragment
from pipeline.text.fragments.patterns import KINDS, PATTERNS

__all__ = ["KINDS", "PATTERNS", "Fragment", "find_fragment"]
