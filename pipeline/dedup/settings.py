"""What a recipe says about near-duplicates."""

from pydantic import Field

from pipeline.recipe import Lengths
from pipeline.settings import Section


class DedupSettings(Section):
    """Near-duplicate questions, by MinHash. Rows wait here until all of them are screened."""

    threshold: float = Field(0.8, gt=0, le=1, description="Jaccard similarity from which two questions are the same")
    num_perm: int = Field(128, ge=16, le=1024, description="hash functions of a MinHash")
    shingle: Lengths = Field({"en": 2, "zh": 3}, description="size of a shingle: words (en) or characters (zh)")
