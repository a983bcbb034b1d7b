"""Sends requests to Coze and tells answers from errors, in all the shapes errors have."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from socksio import SOCKSError

from bridge.coze.auth import TokenSource
from bridge.coze.decode import Envelope, envelope_of, parse, reason_of
from bridge.coze.errors import is_auth
from bridge.errors import BackendRejected, BackendUnavailable, StreamInterrupted

T = TypeVar("T")

MAX_BODY = 32 * 1024 * 1024  # bytes of a JSON answer
EVENT_STREAM = "text/event-stream"
FIELDS = (b"event:", b"data:", b"id:", b"retry:", b":")  # how events begin
LOG_ID_HEADERS = ("X-Tt-Logid", "X-Log-ID")  # the hosted service's, coze-studio's
# The request cannot have reached Coze when one of these is raised.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    SOCKSError,  # httpx lets these through
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A response to POST /v3/chat: a stream of bytes, or one JSON answer."""

    log_id: str | None
    chunks: AsyncIterator[bytes] | None
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class Transport:
    """One account at one base URL."""

    http: httpx.AsyncClient
    base_url: str
    tokens: TokenSource

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        limits: httpx.Timeout | None = None,
    ) -> Envelope:
        """Make one call that is answered with JSON; raises BackendUnavailable, BackendRejected."""

        async def send(token: str) -> Envelope:
            request = self._request(
                method,
                path,
                token,
                params=query,
                json=body,
                files=files,
                timeout=limits or limits_of(),
            )
            async with self._sent(request) as response:
                return await whole(response)

        try:
            return await self.authorised(send)
        except StreamInterrupted as error:
            raise BackendUnavailable(str(error)) from error

    @asynccontextmanager
    async def opened(
        self, token: str, query: Mapping[str, str], body: bytes, limits: httpx.Timeout
    ) -> AsyncGenerator[Opened]:
        """POST /v3/chat; raises BackendUnavailable when that surely began nothing.

        Raises BackendRejected where Coze says no, and StreamInterrupted where nobody can tell.
        """
        request = self._request(
            "POST", "/v3/chat", token, params=query, content=body, timeout=limits
        )
        # A compressed stream arrives in blocks, and an answer is to be seen as it is written.
        request.headers.update(
            {
                "Accept": "text/event-stream, application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
            }
        )
        async with self._sent(request) as response:
            chunks = response.aiter_bytes()
            with translated():
                first = await first_bytes(chunks)
            if is_stream(response, first):
                yield Opened(log_id_of(response), joined(first, chunks))
            else:
                yield Opened(log_id_of(response), None, await whole(response, first, chunks))

    async def authorised(self, send: Callable[[str], Awaitable[T]]) -> T:
        """Call `send` with a token, and once more with a fresh one if the first is refused."""
        token = await self.tokens.token()
        try:
            return await send(token)
        except BackendRejected as error:
            if not is_auth(error.code):
                raise
            fresh = await self.tokens.renewed(token)
            if fresh == token:
                raise
        return await send(fresh)

    # httpx declares these arguments with types of its own that it does not export.
    def _request(self, method: str, path: str, token: str, **more: Any) -> httpx.Request:
        request = self.http.build_request(method, self.base_url + path, **more)
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    @asynccontextmanager
    async def _sent(self, request: httpx.Request) -> AsyncGenerator[httpx.Response]:
        with translated():
            response = await self.http.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()


def limits_of(*, read: float = 30.0, write: float = 30.0) -> httpx.Timeout:
    """Time-outs between two bytes, for one request."""
    return httpx.Timeout(connect=10.0, read=read, write=write, pool=10.0)


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for httpx's: nothing was sent, or nobody can tell what became of it."""
    try:
        yield
    except NOT_SENT as error:
        raise BackendUnavailable(f"cannot be reached: {named(error)}") from error
    except httpx.RequestError as error:
        raise StreamInterrupted(f"the connection broke: {named(error)}") from error


def named(error: Exception) -> str:
    """The kind of an error, and what the system says of it."""
    return f"{type(error).__name__} {error}".rstrip()


async def first_bytes(chunks: AsyncIterator[bytes]) -> bytes:
    """Read until there is something to see, or the end."""
    seen = b""
    async for chunk in chunks:
        seen += chunk
        if visible(seen):
            break
    return seen


def visible(content: bytes) -> bytes:
    """What follows a byte order mark and white space."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()


async def joined(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """What was read already, then the rest."""
    yield first
    with translated():
        async for chunk in chunks:
            yield chunk


def is_stream(response: httpx.Response, first: bytes) -> bool:
    """Whether events come; neither content type nor first byte tells alone."""
    start = visible(first)
    if response.status_code != httpx.codes.OK or start[:1] in (b"{", b"[", b"<"):
        return False
    content_type = response.headers.get("Content-Type", EVENT_STREAM)
    return content_type.lower().startswith(EVENT_STREAM) or start.startswith(FIELDS)


async def whole(
    response: httpx.Response, first: bytes = b"", chunks: AsyncIterator[bytes] | None = None
) -> Envelope:
    """Read a JSON answer to its end.

    Raises BackendRejected for a code, else whatever `refused` makes of it.
    """
    body = bytearray(first)
    with translated():
        async for chunk in chunks or response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                raise StreamInterrupted(f"the answer is larger than {MAX_BODY} bytes")
    value = parse(bytes(body))
    envelope = envelope_of(value)
    log_id = envelope.log_id or log_id_of(response)
    if envelope.failure:
        raise BackendRejected(envelope.failure.code, envelope.failure.reason, log_id=log_id)
    if not isinstance(value, dict):
        kind = "a page of HTML" if visible(bytes(body)).startswith(b"<") else "no JSON"
        raise refused(response.status_code, kind, log_id)
    if response.status_code >= 300:
        raise refused(response.status_code, reason_of(value), log_id)
    return replace(envelope, log_id=log_id)


def refused(
    status: int, reason: str, log_id: str | None
) -> BackendRejected | BackendUnavailable | StreamInterrupted:
    """The error for an answer without a code of Coze's: a gateway stands before it.

    After 502 and 504 the request may be running behind the gateway; 500 tells as little.
    """
    answer = f"HTTP {status}: {reason}" if reason else f"HTTP {status}"
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return BackendUnavailable(answer, log_id=log_id)
    if 300 <= status < 500:
        return BackendRejected(status, answer, log_id=log_id)
    return StreamInterrupted(f"{answer}, log id {log_id}")


def log_id_of(response: httpx.Response) -> str | None:
    """What Coze's support asks for."""
    return next((id_ for name in LOG_ID_HEADERS if (id_ := response.headers.get(name))), None)
