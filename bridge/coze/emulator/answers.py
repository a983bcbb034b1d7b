"""The responses: envelopes, refusals, streams, and what comes in their place."""

import asyncio
import socket
import struct
from typing import assert_never

import msgspec
from aiohttp import web

from bridge.coze.emulator.feed import Feed
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.play import LOG_ID, Fault, Reply
from bridge.coze.emulator.steps import End, Piece, Silence
from bridge.coze.emulator.wire import Json, dumps
from bridge.errors import BackendRejected

RAW = web.RequestKey("raw", bytes)  # the body, read once by the gate
LOG = web.RequestKey("log", str)  # the id that support asks for
VALIDATION = frozenset({4000, 4003, 4004, 4005, 4006, 4007})
UNAUTHORIZED = 700012006
SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Answers:
    """Answers requests in the ways of one flavour; `close` cuts silences short."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Keep nobody waiting any longer."""
        self._closing.set()

    def ok(self, request: web.Request, value: object, **more: object) -> web.Response:
        """A success in its envelope."""
        key = self._flavour.keys.get(request.path, "data")
        envelope: Json = {"code": 0, "msg": "", key: value, **more}
        return self.json(request, envelope)

    def json(self, request: web.Request, envelope: Json, status: int = 200) -> web.Response:
        """Any JSON, with the log id that goes with it."""
        if self._flavour.tells_log_id:
            envelope = {**envelope, "detail": {"logid": request[LOG]}}
        text = dumps(envelope, self._flavour)
        return web.Response(text=text, status=status, content_type="application/json")

    def refusal(self, request: web.Request, error: BackendRejected) -> web.Response:
        """Coze's no."""
        if not self._flavour.refuses_by_code:
            return self._studio_refusal(request, error)
        status = 401 if error.code == UNAUTHORIZED else 200
        return self.json(request, {"code": error.code, "msg": error.reason}, status)

    def error_event(self, code: int, reason: str) -> web.Response:
        """A no inside a stream that holds nothing else."""
        data = dumps({"code": code, "msg": reason}, self._flavour)
        return web.Response(body=f"event:error\ndata:{data}\n\n".encode(), headers=SSE)

    async def instead(self, request: web.Request, reply: Reply | End) -> web.StreamResponse:
        """What a fault wants to be answered."""
        if isinstance(reply, End):
            response = web.StreamResponse()
            hang_up(request, is_reset=reply.how == "reset")
            return response
        await self._keep_silent(reply.delay)
        body = reply.body.replace(LOG_ID, request[LOG])
        return web.Response(text=body, status=reply.status, content_type=reply.content_type)

    async def stream(self, request: web.Request, feed: Feed, fault: Fault) -> web.StreamResponse:
        """Send a run as it goes, over the fault's wire; the run outlives its listener."""
        response = web.StreamResponse(headers=SSE)
        try:
            await response.prepare(request)
            async for frame in feed.listen():
                for piece in fault.wire(frame):
                    if not await self._send(request, response, piece):
                        return response
            await response.write_eof()
        except ConnectionError:
            pass  # The client has gone: what it missed can be read back.
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, piece: Piece) -> bool:
        match piece:
            case bytes():
                await response.write(piece)
            case Silence(seconds):
                await self._keep_silent(seconds)
            case End("clean"):
                await response.write_eof()
                return False
            case End(how):
                hang_up(request, is_reset=how == "reset")
                return False
            case _:
                assert_never(piece)
        return True

    async def _keep_silent(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _studio_refusal(self, request: web.Request, error: BackendRejected) -> web.Response:
        if error.code in VALIDATION:
            return self.json(request, {"code": 400, "msg": error.reason}, 400)
        code = self._flavour.codes.get(error.code, error.code)
        if request.path == "/v3/chat" and code != UNAUTHORIZED:
            return self.error_event(code, error.reason)
        if request.path == "/v3/chat/retrieve" and code != UNAUTHORIZED:
            return web.Response(text=error.reason, status=500, content_type="text/plain")
        return self.json(request, {"code": code, "msg": error.reason})


def hang_up(request: web.Request, *, is_reset: bool) -> None:
    """Close the connection at once, by FIN or by RST."""
    transport = request.transport
    if transport is None:
        return
    if is_reset:
        linger = struct.pack("ii", 1, 0)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()


def json_body(request: web.Request) -> Json:
    """The JSON object of a request, `{}` of an empty one; BackendRejected 4000 if it is neither."""
    raw = request[RAW]
    if not raw:
        return {}
    body = decoded(raw)
    if request.content_type != "application/json" or not isinstance(body, dict):
        raise BackendRejected(4000, "the body must be a JSON object, sent as application/json")
    return body


def decoded(raw: bytes) -> object:
    """JSON, or None where it is none."""
    try:
        value: object = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return value


def number(value: str, name: str) -> str:
    """An id from a request; BackendRejected 4000 when it is not a number that fits 64 bits."""
    if not value.isascii() or not value.isdecimal() or int(value) >= 2**63:
        raise BackendRejected(4000, f"Request parameter error: {name} is not a number")
    return value


def required(request: web.Request, name: str) -> str:
    """An id that must be in the query; BackendRejected 4000 if not."""
    return number(request.query.get(name, ""), name)
