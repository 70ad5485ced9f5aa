"""The scripted server for speech and transcriptions: real HTTP, answers from a function of the test."""

from typing import Any

from aiohttp import web

from tests.servers.scripted import Body, ScriptedServer


class ScriptedAudioServer(ScriptedServer):
    """As `ScriptedServer`, at /v1/audio/speech and /v1/audio/transcriptions.

    The body of a transcription request is its form; `file` is the file's bytes, beside `file_name` and `file_type`.
    Answers are bytes (a WAV file), a text (what was heard), a JSON body, a status and a JSON body, or a response.
    """

    def _add_routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/audio/speech", self._speech)
        application.router.add_post("/v1/audio/transcriptions", self._transcription)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        return _response(await self._said(request, await request.json()))

    async def _transcription(self, request: web.Request) -> web.StreamResponse:
        return _response(await self._said(request, await form_of(request)))


async def form_of(request: web.Request) -> Body:
    form: Body = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            form |= {name: value.file.read(), "file_name": value.filename, "file_type": value.content_type}
        else:
            form[name] = value
    return form


def _response(said: Any) -> web.StreamResponse:
    match said:
        case bytes():
            return web.Response(body=said, content_type="audio/wav")
        case str():
            return web.json_response({"text": said})
        case (int(status), dict(content)):
            return web.json_response(content, status=status)
        case dict():
            return web.json_response(said)
        case web.StreamResponse():
            return said
    raise TypeError(f"an answer cannot be a {type(said).__name__}")
