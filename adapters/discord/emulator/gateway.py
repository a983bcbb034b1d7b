"""The gateway: websocket connections, from Hello to the close.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import WSMessage, WSMsgType, web

from adapters.discord.emulator.rates import Counters, RateRules
from adapters.discord.emulator.refusals import HangUp
from adapters.discord.emulator.sessions import INVALID_SESSION, Session, Sessions
from adapters.discord.emulator.wire import Encode, encoder
from adapters.discord.emulator.world import World

HEARTBEAT = 41.25
LATE = 1.5  # so many intervals without a heartbeat, and the connection is dead
WATCH = 0.1
MAX_PAYLOAD = 4096
CLOSING = 2.0  # seconds that a client has to answer a close
ABRUPT = 1006  # no code that could be sent: the connection is cut
VERSIONS = ("9", "10")

BEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS = 1, 2, 3, 4, 6, 7, 8
HELLO, ACKNOWLEDGED = 10, 11


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing that is sent."""

    code: int
    reason: str


class Connection:
    """One client, on one websocket."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        encode: Encode,
        sessions: Sessions,
        world: World,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._encode = encode
        self._sessions = sessions
        self._clock = world.clock
        self._counters = Counters()
        self._outbox: asyncio.Queue[Mapping[str, object] | Close] = asyncio.Queue()
        self._session: Session | None = None
        self._beat_at = self._clock.monotonic()
        self._is_ending = False

    def push(self, payload: Mapping[str, object]) -> None:
        """Send a payload after those before it; what is no event has neither number nor name."""
        if not self._is_ending:
            self._outbox.put_nowait({"t": None, "s": None, "d": None, **payload})

    def end(self, code: int, reason: str = "") -> None:
        """Close after what was pushed."""
        if not self._is_ending:
            self._is_ending = True
            self._outbox.put_nowait(Close(code, reason))

    def invalidate(self, *, is_resumable: bool) -> None:
        """Tell the client that its session is of no more use."""
        self.push({"op": INVALID_SESSION, "d": is_resumable})
        # Some clients resume, or identify, on this same connection.
        self._sessions.part(self, None)
        self._session = None

    async def run(self, rules: RateRules | None) -> None:
        """Serve the client until one side closes."""
        interval = int(HEARTBEAT * 1000)
        self.push({"op": HELLO, "d": {"heartbeat_interval": interval, "_trace": []}})
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write())
                watcher = tasks.create_task(self._watch())
                await self._read(rules)
                watcher.cancel()
                if not self._is_ending:
                    writer.cancel()
        finally:
            self._sessions.part(self, None if self._is_ending else self._socket.close_code)

    async def _read(self, rules: RateRules | None) -> None:
        async for message in self._socket:
            if self._is_ending:
                continue
            try:
                self._count(rules)
                self._act(decoded(message))
            except HangUp as reason:
                self.end(reason.code, reason.reason)

    async def _write(self) -> None:
        while True:
            item = await self._outbox.get()
            if isinstance(item, Close):
                await self._close(item)
                return
            written = self._encode(item)
            try:
                if isinstance(written, bytes):
                    await self._socket.send_bytes(written)
                else:
                    await self._socket.send_str(written)
            except ConnectionError:
                return

    async def _close(self, close: Close) -> None:
        if close.code != ABRUPT:
            await self._socket.close(code=close.code, message=close.reason.encode())
        elif self._transport is not None:
            self._transport.abort()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            if self._clock.monotonic() - self._beat_at > HEARTBEAT * LATE:
                self.end(4009, "Session timed out.")

    def _count(self, rules: RateRules | None) -> None:
        if rules is None:
            return
        standing = self._counters.take("sent", rules.gateway, self._clock.monotonic())
        if standing.is_exceeded:
            raise HangUp(4008, "You are being rate limited.")

    def _act(self, payload: Mapping[str, object]) -> None:
        operation, form = payload.get("op"), payload.get("d")
        if operation == BEAT:
            self._beat(form)
        elif operation in {IDENTIFY, RESUME} and self._session is not None:
            raise HangUp(4005, "Already authenticated.")
        elif operation == IDENTIFY:
            self._session = self._sessions.identify(identification(form), self)
        elif operation == RESUME:
            self._session = self._sessions.resume(mapping(form), self)
        elif operation not in {PRESENCE, VOICE, MEMBERS}:
            raise HangUp(4001, "Unknown opcode.")
        elif self._session is None:
            raise HangUp(4003, "Not authenticated.")
        elif operation == MEMBERS:
            self._sessions.members(self._session, mapping(form))

    def _beat(self, sequence: object) -> None:
        if sequence is not None and not isinstance(sequence, int):
            raise HangUp(4002, "Error while decoding payload.")
        self._beat_at = self._clock.monotonic()
        self.push({"op": ACKNOWLEDGED})


class Gateway:
    """Takes connections, and disturbs them where a test asks for it."""

    def __init__(self, sessions: Sessions, world: World, rules: RateRules | None) -> None:
        self._sessions = sessions
        self._world = world
        self._rules = rules
        self._connections: set[Connection] = set()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where clients connect; some libraries put a slash before the query."""
        return [web.get(path, self.serve, allow_head=False) for path in ("/gateway", "/gateway/")]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one client until it is gone."""
        encode = encoder(request.query.get("compress"))
        if encode is None or request.query.get("encoding", "json") != "json":
            raise web.HTTPBadRequest(text="This encoding or compression is not to be had here.")
        socket = web.WebSocketResponse(compress=False, timeout=CLOSING)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, encode, self._sessions, self._world)
        if request.query.get("v") not in VERSIONS:
            connection.end(4012, "Invalid API version.")
        self._connections.add(connection)
        try:
            await connection.run(self._rules)
        finally:
            self._connections.discard(connection)
        return socket

    def drop(self, code: int) -> None:
        """Close all connections with this code; 1006 cuts them without a word."""
        for connection in self._connections:
            connection.end(code)

    def reconnect(self) -> None:
        """Ask all clients to connect again, and resume."""
        for connection in self._connections:
            connection.push({"op": RECONNECT, "d": None})

    def invalidate(self, *, is_resumable: bool) -> None:
        """Tell all clients that their sessions are of no more use as they stand."""
        if not is_resumable:
            self._sessions.invalidate()
        for connection in self._connections:
            connection.invalidate(is_resumable=is_resumable)


def decoded(message: WSMessage) -> Mapping[str, object]:
    """Read what a client sent; HangUp 4002 when it is no payload."""
    if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
        raise HangUp(4002, "Error while decoding payload.")
    raw = message.data.encode() if message.type is WSMsgType.TEXT else message.data
    if len(raw) > MAX_PAYLOAD:
        raise HangUp(4002, "Error while decoding payload.")
    try:
        return mapping(json.loads(raw))
    except ValueError as error:
        raise HangUp(4002, "Error while decoding payload.") from error


def mapping(form: object) -> Mapping[str, object]:
    """Make sure that this is an object; HangUp 4002."""
    if not isinstance(form, Mapping):
        raise HangUp(4002, "Error while decoding payload.")
    return form


def identification(form: object) -> Mapping[str, object]:
    """Make sure that the fields of an identification are of the right kinds; HangUp 4002."""
    found = mapping(form)
    mapping(found.get("properties"))
    return found
