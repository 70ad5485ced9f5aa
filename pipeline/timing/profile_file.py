"""Writes a learned profile as the YAML that `load_profile` reads, with a comment on where each time is from."""

from collections.abc import Mapping

import yaml

from pipeline.timing.profile import TIMES, Profile


def profile_file(profile: Profile, learned: Mapping[str, int], base: str) -> str:
    """Return the text of the file; `learned` says how many values each time was learned from, 0: it is the base's."""
    content = profile.model_dump(mode="json", exclude_defaults=True)
    lines = [_yaml({"name": profile.name, "description": profile.description})]
    for name in TIMES:
        number = learned[name]
        source = f"learned from {number} values" if number else f"as in {base}"
        lines.append(f"{name}: {_yaml(content[name], flow=True)}  # {source}")
    return "\n".join(lines) + "\n"


def _yaml(value: object, flow: bool = False) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False, width=10**9, allow_unicode=True)
    return text.strip()
