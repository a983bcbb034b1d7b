"""The sandbox's page, and what it asks for: the chats as they are, and a way to write in them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from aiohttp import web

from bridge.model import MessageId, Platform
from bridge.ports import Emulator, Shown
from bridge.sandbox.plays import PLAYS
from bridge.sandbox.world import World

PAGE = Path(__file__).with_name("page.html")
MAX_BODY = 20 * 1024 * 1024  # bytes: the largest photo that may be dropped
REFRESH = 1.0  # seconds after which the state is looked at again, for what fades by itself
REQUESTS_SHOWN = 40


class Page:
    """Serves the page, its state as an event stream, and takes what is written in it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def application(self) -> web.Application:
        """The web application to serve."""
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/state", self._state),
                web.get("/image/{platform}/{message}/{number}", self._image),
                web.post("/say/{platform}", self._say),
                web.post("/play/{name}", self._play),
            ]
        )
        return app

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-store"})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole state, each time it has changed."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        async for state in self._states():
            await response.write(b"data: " + state + b"\n\n")
        return response

    async def _states(self) -> AsyncIterator[bytes]:
        last = b""
        while True:
            state = msgspec.json.encode(self._describe())
            if state != last:
                last = state
                yield state
            await self._changed()

    async def _changed(self) -> None:
        """Return when something has happened, or might have faded."""
        world = self._world
        changes = [emulator.changed() for emulator in world.platforms.values()]
        if world.coze is not None:
            changes.append(world.coze.changed())
        waiting = [asyncio.ensure_future(change) for change in changes]
        try:
            await asyncio.wait(waiting, timeout=REFRESH, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _describe(self) -> dict[str, object]:
        coze = self._world.coze
        return {
            "platforms": {
                name: {
                    "is_typing": emulator.is_typing,
                    "messages": [described(name, message) for message in emulator.transcript()],
                }
                for name, emulator in self._world.platforms.items()
            },
            "plays": list(PLAYS) if coze else [],
            "requests": [
                {
                    "number": number,
                    "method": request.method,
                    "path": request.path,
                    "query": dict(request.query),
                    "body": request.body,
                }
                for number, request in list(enumerate(coze.requests))[-REQUESTS_SHOWN:]
            ]
            if coze
            else [],
            "downloads": [
                {"url": download.url, "bytes": len(download.content), "type": download.media_type}
                for download in coze.downloads
            ]
            if coze
            else [],
        }

    async def _image(self, request: web.Request) -> web.Response:
        message = MessageId(request.match_info["message"])
        for shown in self._emulator(request).transcript():
            number = int(request.match_info["number"])
            if shown.id == message and number < len(shown.images):
                head, _, data = shown.images[number].partition(",")
                kind = head.removeprefix("data:").partition(";")[0]
                return web.Response(body=base64.b64decode(data), content_type=kind)
        raise web.HTTPNotFound

    async def _say(self, request: web.Request) -> web.Response:
        """A person writes: form fields `text` and `image`."""
        emulator = self._emulator(request)
        form = await request.post()
        image = form.get("image")
        content = image.file.read() if isinstance(image, web.FileField) else None
        await emulator.say(str(form.get("text", "")), content or None)
        return web.json_response({})

    async def _play(self, request: web.Request) -> web.Response:
        """Choose what the agent does with the next question."""
        play = PLAYS.get(request.match_info["name"])
        if play is None or self._world.coze is None:
            raise web.HTTPNotFound
        self._world.coze.play(play)
        return web.json_response({})

    def _emulator(self, request: web.Request) -> Emulator:
        emulator = self._world.platforms.get(Platform(request.match_info["platform"]))
        if emulator is None:
            raise web.HTTPNotFound
        return emulator


def described(platform: Platform, shown: Shown) -> dict[str, object]:
    """One message, with its images as addresses rather than inside each state."""
    return {
        "id": shown.id,
        "is_bot": shown.is_bot,
        "html": shown.html,
        "text": shown.text,
        "edits": shown.edits,
        "images": [f"/image/{platform}/{shown.id}/{number}" for number in range(len(shown.images))],
    }
