"""The HTTP face of the emulated service; https://core.telegram.org/bots/api#making-requests."""

import asyncio
import inspect
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from adapters.telegram.emulator import parameters
from adapters.telegram.emulator.faults import Fault
from adapters.telegram.emulator.methods import METHODS
from adapters.telegram.emulator.parameters import Parameters
from adapters.telegram.emulator.post import Json
from adapters.telegram.emulator.refusal import Refusal, plain
from adapters.telegram.emulator.world import World
from bridge.log import get_logger

LARGEST_REQUEST = 51 << 20  # files of up to 50 MB: https://core.telegram.org/bots/api#sending-files
REMEMBERED = 10_000  # calls

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made; `params` are strings, nested ones JSON, as the service sees them."""

    method: str
    params: dict[str, str]
    at: float  # the clock's monotonic time


class Api:
    """Answers calls about a world and keeps a record of them."""

    def __init__(self, world: World) -> None:
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        self._world = world
        self._ending = asyncio.Event()

    def application(self) -> web.Application:
        """The routes; a new application for each time the service is started."""
        self._ending = asyncio.Event()
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        for verb in ("GET", "POST"):
            app.router.add_route(verb, "/bot{token}/{method}", self._answer)
        app.router.add_route("*", "/{path:.*}", self._unknown)
        app.on_shutdown.append(self._end)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            self._authorize(request.match_info["token"])
            result = await self._carry_out(request)
        except Refusal as refusal:
            log.debug("refused", code=refusal.code)
            return answer_of(refusal)
        except web.HTTPRequestEntityTooLarge:
            return answer_of(plain(413))
        return web.json_response({"ok": True, "result": result})

    async def _carry_out(self, request: web.Request) -> object:
        method = request.match_info["method"]
        given = await parameters.read(request)
        self.calls.append(Call(method, dict(given.values), self._world.clock.monotonic()))
        await self._pause(self._world.faults.next_delay(method))
        fault = self._world.faults.next(method)
        if fault and not fault.is_after_success:
            fail(fault, request)
        result = await self._result(method, given)
        if fault:
            fail(fault, request)
        return result

    async def _result(self, method: str, given: Parameters) -> object:
        known = METHODS.get(method.lower())
        if known is None:
            raise plain(404)
        result = known(self._world, given)
        return await result if inspect.isawaitable(result) else result

    async def _download(self, request: web.Request) -> web.Response:
        try:
            self._authorize(request.match_info["token"])
        except Refusal as refusal:
            return answer_of(refusal)
        content = self._world.files.download(request.match_info["path"])
        if content is None:
            return answer_of(plain(404))
        return web.Response(body=content, content_type="application/octet-stream")

    async def _unknown(self, _request: web.Request) -> web.Response:
        return answer_of(plain(404))

    def _authorize(self, token: str) -> None:
        if not re.fullmatch(r"[1-9]\d*:[\w-]+", token):
            raise plain(404)
        if token != self._world.token:
            raise plain(401)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the service lives."""
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), seconds)

    async def _end(self, _app: web.Application) -> None:
        self._ending.set()
        self._world.updates.release()


def answer_of(refusal: Refusal) -> web.Response:
    """The answer that a refusal is."""
    wait = refusal.retry_after
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return web.json_response(body_of(refusal), status=refusal.code, headers=headers)


def body_of(refusal: Refusal) -> Json:
    """What a refusal says; https://core.telegram.org/bots/api#responseparameters."""
    told: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.retry_after is not None:
        told["parameters"] = {"retry_after": refusal.retry_after}
    if refusal.migrate_to is not None:
        told["parameters"] = {"migrate_to_chat_id": refusal.migrate_to}
    return told


def fail(fault: Fault, request: web.Request) -> None:
    """Answer with a fault, or cut the connection; raises Refusal."""
    if fault.status == 0 and request.transport is not None:
        request.transport.abort()
    raise Refusal(fault.status or 502, fault.description)
