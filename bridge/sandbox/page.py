"""The sandbox's page, and what it asks for: the chats as they are, and a way to write in them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web

from bridge.model import MessageId, Platform
from bridge.ports import Emulator
from bridge.sandbox.plays import PLAYS
from bridge.sandbox.view import described
from bridge.sandbox.world import World

PAGE = Path(__file__).with_name("page.html")
MAX_BODY = 20 * 1024 * 1024  # bytes: the largest photo that may be dropped
PHOTOS = ("image/png", "image/jpeg", "image/gif", "image/webp")
REFRESH = 1.0  # seconds after which the state is looked at again, for what fades by itself

T = TypeVar("T")


class Page:
    """Serves the page, its state as an event stream, and takes what is written in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ending = asyncio.Event()

    def application(self) -> web.Application:
        """The web application to serve."""
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/state", self._state),
                web.get("/image/{platform}/{message}/{number}", self._image),
                web.get("/fetched/{number}", self._fetched),
                web.post("/say/{platform}", self._say),
                web.post("/play/{name}", self._play),
            ]
        )
        app.on_shutdown.append(self._end)
        return app

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-store"})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole state, each time it has changed."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        with suppress(ConnectionError):  # The browser has gone.
            await response.prepare(request)
            await self._tell(request, response)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        last = b""
        while request.transport is not None and not self._ending.is_set():
            # Watched before looked at, so that no change falls between the two.
            async with self._watched() as changes:
                state = msgspec.json.encode(described(self._world))
                if state != last:
                    await response.write(b"data: " + state + b"\n\n")
                last = state
                await asyncio.wait(changes, timeout=REFRESH, return_when=asyncio.FIRST_COMPLETED)

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[Collection[asyncio.Task[object]]]:
        """Tasks of which one ends when something has happened."""
        platforms, coze = self._world.platforms.values(), self._world.coze
        changes = [asyncio.create_task(emulator.changed()) for emulator in platforms]
        if coze is not None:
            changes.append(asyncio.create_task(coze.changed()))
        tasks = [*changes, asyncio.create_task(self._ending.wait())]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _end(self, _app: web.Application) -> None:
        """Let open streams end now, not at the end of the server's patience."""
        self._ending.set()

    async def _image(self, request: web.Request) -> web.Response:
        message = MessageId(request.match_info["message"])
        for shown in self._emulator(request).transcript():
            if shown.id == message:
                head, _, content = item(shown.images, request).partition(",")
                media_type = head.removeprefix("data:").partition(";")[0]
                return picture(base64.b64decode(content), media_type)
        raise web.HTTPNotFound

    async def _fetched(self, request: web.Request) -> web.Response:
        """What Coze was given when it fetched a `file_url`."""
        coze = self._world.coze
        download = item(coze.downloads if coze else [], request)
        return picture(download.content, download.media_type)

    async def _say(self, request: web.Request) -> web.Response:
        """A person writes: form fields `text` and `image`."""
        emulator = self._emulator(request)
        form = await request.post()
        text, image = str(form.get("text", "")).strip(), form.get("image")
        if isinstance(image, web.FileField):
            if image.content_type not in PHOTOS:
                raise web.HTTPUnsupportedMediaType(text="only photos can be sent here.")
            await emulator.say(text, image.file.read())
        elif text:
            await emulator.say(text)
        else:
            raise web.HTTPBadRequest(text="there is nothing in it.")
        return web.json_response({})

    async def _play(self, request: web.Request) -> web.Response:
        """Choose what the agent does with the next question."""
        name = request.match_info["name"]
        if name not in PLAYS:
            raise web.HTTPNotFound
        self._world.next_play.name = name
        return web.json_response({})

    def _emulator(self, request: web.Request) -> Emulator:
        emulator = self._world.platforms.get(Platform(request.match_info["platform"]))
        if emulator is None:
            raise web.HTTPNotFound
        return emulator


def item(items: Sequence[T], request: web.Request) -> T:
    """The one whose number is in the path; 404 when there is none."""
    number = request.match_info["number"]
    if not number.isdecimal() or int(number) >= len(items):
        raise web.HTTPNotFound
    return items[int(number)]


def picture(content: bytes, media_type: str) -> web.Response:
    """A photo, and nothing else: whatever was sent, it runs no script."""
    if media_type not in PHOTOS:
        raise web.HTTPNotFound
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(body=content, content_type=media_type, headers=headers)
