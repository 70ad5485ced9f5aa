"""A small hub in a thread of the test: enough of its HTTP API that the real client creates a data set and uploads."""

import asyncio
import base64
import hashlib
import json
import threading
from types import TracebackType
from typing import Any, Self

import yaml
from aiohttp import web


class FakeHub:
    """`with FakeHub() as hub:` listens at `hub.url`.

    `files` are those of the one repository, by path; `objects` what was uploaded beside commits, by SHA-256;
    `uploads` the hashes in the order of their coming. `tokens` are the different `Authorization` headers. With
    `fail_after` the hub refuses every object behind the first so many; with `repeats_token` it refuses all files,
    and quotes the token.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.uploads: list[str] = []
        self.commits: list[list[str]] = []
        self.created: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.fail_after: int | None = None
        self.repeats_token = False
        self.url = ""
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the hub did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        application = web.Application(client_max_size=2**28)
        add = application.router
        add.add_post("/api/repos/create", self._create)
        add.add_post("/api/validate-yaml", self._validate)
        add.add_get("/api/datasets/{org}/{name}/tree/{revision}", self._tree)
        add.add_get("/api/datasets/{org}/{name}", self._info)
        add.add_get("/api/datasets/{org}/{name}/revision/{revision}", self._info)
        add.add_post("/api/datasets/{org}/{name}/preupload/{revision}", self._preupload)
        add.add_post("/datasets/{org}/{name}.git/info/lfs/objects/batch", self._batch)
        add.add_put("/objects/{oid}", self._put)
        add.add_post("/api/datasets/{org}/{name}/commit/{revision}", self._commit)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _create(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers.get("Authorization"))
        made = await request.json()
        again = bool(self.created)
        self.created.append(made)
        body = {"url": f"{self.url}/datasets/{made.get('organization')}/{made['name']}"}
        return web.json_response(body, status=409 if again else 200)

    async def _validate(self, request: web.Request) -> web.Response:
        text = (await request.json())["content"]
        card = yaml.safe_load(text.split("---\n")[1])
        errors = [{"message": f"no {key}"} for key in ("license", "configs", "dataset_info") if key not in card]
        return web.json_response({"errors": errors, "warnings": []}, status=400 if errors else 200)

    async def _info(self, request: web.Request) -> web.Response:
        names = [{"rfilename": path} for path in self.files]
        return web.json_response({"id": "org/name", "sha": "0" * 40, "siblings": names, "private": False})

    async def _tree(self, request: web.Request) -> web.Response:
        return web.json_response(
            [{"type": "file", "path": path, "size": len(data), "oid": ""} for path, data in self.files.items()]
        )

    async def _preupload(self, request: web.Request) -> web.Response:
        if self.repeats_token:
            return web.json_response({"error": f"no rights: {request.headers['Authorization']}"}, status=403)
        asked = (await request.json())["files"]
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular",
                "shouldIgnore": False,
            }
            for file in asked
        ]
        return web.json_response({"files": modes})

    async def _batch(self, request: web.Request) -> web.Response:
        asked = (await request.json())["objects"]
        objects = []
        for wanted in asked:
            there = wanted["oid"] in self.objects
            actions = {"upload": {"href": f"{self.url}/objects/{wanted['oid']}"}}
            objects.append({**wanted, **({} if there else {"actions": actions})})
        return web.json_response({"transfer": "basic", "objects": objects})

    async def _put(self, request: web.Request) -> web.Response:
        if self.fail_after is not None and len(self.uploads) >= self.fail_after:
            return web.Response(status=403, text="no space left")
        oid = request.match_info["oid"]
        self.uploads.append(oid)
        data = await request.read()
        assert hashlib.sha256(data).hexdigest() == oid
        self.objects[oid] = data
        return web.Response()

    async def _commit(self, request: web.Request) -> web.Response:
        lines = [json.loads(line) for line in (await request.text()).splitlines()]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.files[value["path"]] = self.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del self.files[value["path"]]
        self.commits.append([line["value"]["path"] for line in lines if "path" in line["value"]])
        url = f"{self.url}/datasets/org/name/commit/{len(self.commits):040x}"
        return web.json_response({"commitUrl": url, "commitOid": f"{len(self.commits):040x}", "success": True})
