"""Puts the result of a check of signatures into words."""

from pipeline.show.text import Fact, fact_lines
from pipeline.sign.verify import Verified


def verified_text(found: Verified) -> str:
    """Return the result for people: problems first, the verdict last."""
    same = "the same, clip by clip" if found.passed else "compared"
    facts = [
        Fact("clips", f"{found.clips:,}"),
        Fact("valid", f"{found.valid:,}"),
        Fact("trusted", "not asked (--trust)" if found.trusted is None else f"{found.trusted:,}"),
        Fact("time-stamped", f"{found.stamped:,}"),
        Fact("signers", f"{len(found.signers)}", [(count, name) for name, count in found.signers.items()]),
        Fact("of corpora", f"{len(found.of)}", [(count, digest) for digest, count in found.of.items()]),
        Fact("unsigned corpus", same if found.compared else "not compared (--unsigned)"),
        Fact("failing", f"{found.failing:,}"),
    ]
    verdict = "every signature holds" if found.passed else "signatures are missing or wrong"
    return "\n".join([*found.problems, *fact_lines(facts), verdict])
