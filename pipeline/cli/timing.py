"""Defines and implements `parley timing`: profiles of timing, learning them, and statistics."""

import json
from collections.abc import Sequence

import click

from pipeline.cli.output import show, tell


@click.group()
def timing() -> None:
    """Look at when people speak: profiles of gaps and overlaps, and the statistics of recordings and corpora."""


@timing.command("list")
def list_profiles() -> None:
    """List the timing profiles that Parley ships."""
    from pipeline.timing.profile import load_profile, shipped_profiles

    show("\n".join(f"{name}\t{load_profile(name).description}" for name in shipped_profiles()))


@timing.command("show")
@click.argument("name")
def show_profile(name: str) -> None:
    """Print a timing profile, with the source of each number."""
    from pipeline.timing.profile import profile_text

    show(profile_text(name).rstrip("\n"))


_agent = click.option(
    "--agent", metavar="NAME", help="The speaker of the recordings, or the channel, who is the agent."
)


@timing.command()
@click.argument("files", nargs=-1, required=True)
@_agent
@click.option("--json", "as_json", is_flag=True)
def stats(files: Sequence[str], agent: str | None, as_json: bool) -> None:
    """Show gaps, overlaps, backchannels and interruptions of corpora or recordings, beside what is known of people.

    FILES are finished corpora of Parley, RTTM files (.rttm), or Lhotse's supervisions as JSON lines.
    """
    from pipeline.show.timing import format_timing
    from pipeline.timing.reading import read_talks
    from pipeline.timing.statistics import TimingStatistics

    found = TimingStatistics()
    for talk in read_talks(files, agent, tell):
        found.add(talk)
    show(json.dumps(found.figures(), indent=2) if as_json else format_timing(found.figures()))


@timing.command()
@click.argument("files", nargs=-1, required=True)
@_agent
@click.option("--out", required=True, metavar="FILE", help="The profile to write, a YAML file.")
@click.option("--name", help="Name of the profile; default: the file's.")
@click.option(
    "--base", default="human", show_default=True, metavar="NAME", help="Profile of what the recordings do not show."
)
def fit(files: Sequence[str], agent: str | None, out: str, name: str | None, base: str) -> None:
    """Learn a timing profile from recordings or corpora, for `arrange.profile`; FILES as for `timing stats`."""
    from manifests.storage import open_place
    from pipeline.timing.fit import fit_profile
    from pipeline.timing.profile import load_profile
    from pipeline.timing.profile_file import profile_file
    from pipeline.timing.reading import read_talks

    place = open_place(out)
    called = name or place.name.rsplit(".", 1)[0]
    profile, learned = fit_profile(read_talks(files, agent, tell), called, load_profile(base))
    place.write_text(profile_file(profile, learned, base))
    show("\n".join(f"{key}\t{number or f'as in {base}'}" for key, number in learned.items()))
