"""The material of a written task without its order: what Ke-SpeechChat passes on instead of the whole instruction.

For tasks such as classification and summarizing, a language model that sees the order only edits it lightly; given the
material alone, declared incomplete, it invents a question that a person would ask. Neither the list of such tasks nor
how to tell them is published: both are ours. The patterns are data, `prompts/fragment-tasks`.

`find` puts the parts together: `places` says where order and material may stand, `wording` which orders there are,
`plain` turns the material into one clean line.
"""

from pipeline.text.fragments.find import Fragment, find_fragment
from pipeline.text.fragments.patterns import KINDS, PATTERNS

__all__ = ["KINDS", "PATTERNS", "Fragment", "find_fragment"]
