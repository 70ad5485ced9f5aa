"""Holds what only the publisher knows of a published corpus."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from manifests.credentials import without_secrets
from manifests.errors import UserError
from manifests.private_paths import is_private

Layout = Literal["flat", "nested"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9.-]*")
HUB = "https://huggingface.co"

HUB_LICENSES = frozenset(
    """
    apache-2.0 mit bsd bsd-2-clause bsd-3-clause cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
    cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
    cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 c-uda gpl gpl-2.0 gpl-3.0
    lgpl lgpl-2.1 lgpl-3.0 agpl-3.0 mpl-2.0 odbl odc-by pddl unlicense wtfpl zlib isc artistic-2.0 bsl-1.0 ecl-2.0
    epl-2.0 eupl-1.1 gfdl ms-pl ncsa ofl-1.1 postgresql etalab-2.0 other unknown
    """.split()
)
"""Licenses that the hub has a name for; they are the SPDX names in lower case, where there is one."""


@dataclass(frozen=True)
class PublishOptions:
    """Holds what a corpus does not know of its publication.

    `name` is that on the hub, "organization/name"; `license` one of the hub's names, an SPDX name, or a name of the
    publisher's own, whose text is at `license_link`. None: not stated, and the card says so.
    """

    published: date
    name: str | None = None
    license: str | None = None
    license_link: str | None = None
    title: str | None = None
    layout: Layout = "flat"

    def __post_init__(self) -> None:
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise UserError(f"--name {self.name}: a name on the hub is ORGANIZATION/NAME")
        for option, text in (("license", self.license), ("license-link", self.license_link), ("title", self.title)):
            if text is not None and (is_private(text) or without_secrets(text) != text or not text.isprintable()):
                raise UserError(f"--{option} is published: it must not hold a path of this machine or a password")

    @property
    def url(self) -> str | None:
        """The address on the hub."""
        return None if self.name is None else f"{HUB}/datasets/{self.name}"

    @property
    def hub_license(self) -> dict[str, str]:
        """The entries of the card's header for the license."""
        if self.license is None:
            return {"license": "unknown"}
        if self.license.lower() in HUB_LICENSES:
            return {"license": self.license.lower()}
        label = re.sub(r"[^a-z0-9.]+", "-", self.license.lower()).strip("-.")
        if not _LABEL.fullmatch(label):
            raise UserError(f"--license {self.license}: a license needs a name of letters and digits")
        return {
            "license": "other",
            "license_name": label,
            **({"license_link": self.license_link} if self.license_link else {}),
        }

    @property
    def license_address(self) -> str:
        """The license for a Croissant file: an address where one is known, else the name."""
        if self.license_link:
            return self.license_link
        if self.license is None:
            return "unknown"
        is_spdx = self.license.lower() in HUB_LICENSES and self.license != self.license.lower()
        return f"https://spdx.org/licenses/{self.license}.html" if is_spdx else self.license
