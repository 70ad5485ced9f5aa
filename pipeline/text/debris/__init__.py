"""Is this text a person's words for speech? One answer for every text, of a data set or of a language model.

Texts carry what nobody says: a model's thoughts, labels of a prompt, a second turn that was made up, marks of a page,
citations, placeholders, error messages, tokens that stand for a picture. `clean_question`, `clean_material` and
`clean_answer` mend what can be mended in one way only, and name what cannot; `foreign_language` finds a text in
another language of the same script. What is looked for is data, `prompts/debris`.

`wording` reads the patterns, `mending` takes things out, `cleaning` judges what is left.
"""

from pipeline.text.debris.cleaning import Cleaned, Debris, clean_answer, clean_material, clean_question
from pipeline.text.debris.languages import foreign_language
from pipeline.text.debris.wording import PATTERNS

__all__ = [
    "PATTERNS",
    "Cleaned",
    "Debris",
    "clean_answer",
    "clean_material",
    "clean_question",
    "foreign_language",
]
