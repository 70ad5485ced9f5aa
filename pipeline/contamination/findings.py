"""What a look through the texts of a corpus found, and the view of the rows in which it found nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from manifests.corpus import Corpus
from manifests.views import View, check_names
from pipeline.views.facts import Mask, mapped, read_facts
from pipeline.views.make import put_view
from pipeline.views.voices import know_voices


@dataclass(frozen=True)
class Findings:
    """Holds `figures` for JSON, and `clean`, which tells the rows in which nothing was found.

    `made_by` names the command; `details` is the key of the figures with single finds, which no view needs.
    """

    made_by: str
    details: str
    figures: dict[str, Any]
    clean: Mask
    corpus: Corpus

    def drop(self, name: str) -> View:
        """Write the view `name` of the clean rows."""
        check_names(name, [name])
        about = {"made_by": self.made_by, **{key: value for key, value in self.figures.items() if key != self.details}}
        facts = read_facts(self.corpus)
        known = know_voices(self.corpus, facts.user_voice.names)
        gender = mapped(facts.user_voice, dict(known.genders))
        inside = np.where(self.clean, 0, -1).astype(np.int8)
        return put_view(self.corpus, name, (name,), inside, facts, gender, about)
