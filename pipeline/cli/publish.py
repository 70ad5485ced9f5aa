"""Implements the commands that hand a corpus on: runs them, puts the outcome into words."""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from manifests.errors import UserError
from manifests.storage import open_place
from pipeline.cli.progress import counted
from pipeline.job.runner.tasks import Runner
from pipeline.publish import push as pushing
from pipeline.publish.options import PublishOptions
from pipeline.publish.publish import publish_corpus
from pipeline.show.text import Fact, fact_lines
from pipeline.sign.sign import sign_corpus
from pipeline.sign.signer import SignerPlan
from pipeline.sign.text import verified_text
from pipeline.sign.verify import verify_corpus
from pipeline.spread import spread_for
from pipeline.views.choose import parts_and_configs


def publish(
    directory: str,
    out: str,
    published: datetime | None,
    views: Mapping[str, Any],
    options: Mapping[str, Any],
    runner: Runner,
) -> str:
    """Publish the kept rows of the chosen views into `out`; return the outcome in words."""
    stated = {name: value for name, value in options.items() if name != "bank"}
    chosen = PublishOptions((published or datetime.now(UTC)).date(), **stated)
    parts, configs = parts_and_configs(open_place(directory), **views)
    with counted("rows published", "row") as progress:
        done = publish_corpus(parts, open_place(out), chosen, runner, progress, configs, options["bank"])
    reasons = [(count, reason) for reason, count in done.refused.items()]
    facts = [
        Fact("published", f"{done.dialogues:,} dialogues, {done.rows:,} rows, {done.bytes / 1e6:,.1f} MB"),
        Fact("refused", f"{sum(done.refused.values()):,}", reasons),
        Fact("license", chosen.license or "not stated; the card says so (--license)"),
        Fact("directory", out),
    ]
    return "\n".join(fact_lines(facts))


def push(out: str, name: str | None, private: bool, say: Callable[[str], None]) -> str:
    """Upload what was published; return its address."""
    if name is None:
        raise UserError("--push needs --name ORGANIZATION/NAME")
    return pushing.push(open_place(out), name, private, say)


def sign(directory: str, out: str, certificate: str, key: str, timestamp_server: str | None, runner: Runner) -> str:
    """Write a signed copy of the corpus; return the outcome in words."""
    plan = SignerPlan(certificate, key, timestamp_server)
    with counted("rows signed", "row") as progress:
        signed = sign_corpus(open_place(directory), open_place(out), plan, runner, progress)
    facts = [
        Fact("signed", f"{signed.clips:,} clips; samples equal in all"),
        Fact("signer", signed.signer),
        Fact("of", f"the corpus with the manifest {signed.of}"),
        Fact("corpus", out),
    ]
    return "\n".join(fact_lines(facts))


def verify(directory: str, trust: str | None, unsigned: str | None, runner: Runner) -> tuple[str, bool]:
    """Return what was found, and whether every clip's signature holds."""
    place, before = open_place(directory), None if unsigned is None else open_place(unsigned)
    with counted("rows checked", "row") as progress, closing(runner):
        found = verify_corpus(place, trust, before, progress, spread_for(runner, place))
    return verified_text(found), found.passed
