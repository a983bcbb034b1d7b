"""What every request passes: it is remembered, its caller checked, a refusal put into words."""

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bridge.coze.emulator.accounts import OAUTH
from bridge.coze.emulator.answers import LOG, RAW, UNAUTHORIZED, Answers, decoded
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.play import Reply
from bridge.coze.emulator.record import Record, Request
from bridge.coze.emulator.steps import End
from bridge.coze.emulator.tokens import Tokens
from bridge.errors import BackendRejected

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Stands before all routes."""

    def __init__(
        self,
        flavour: Flavour,
        answers: Answers,
        tokens: Tokens,
        record: Record,
        failures: Mapping[str, deque[Reply | End]],
    ) -> None:
        self._flavour = flavour
        self._answers = answers
        self._tokens = tokens
        self._record = record
        self._failures = failures

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Remember, check, serve, and turn BackendRejected into Coze's own words."""
        request[LOG] = secrets.token_hex(16)
        try:
            request[RAW] = raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._answers.refusal(request, BackendRejected(4302, "the file is too large"))
        query, headers, body = dict(request.query), request.headers, decoded(raw)
        self._record.add(Request(request.method, request.path, query, headers, body, raw))
        failures = self._failures.get(request.path)
        if failures:
            return await self._answers.instead(request, failures.popleft())
        try:
            self._check_caller(request)
            return await handler(request)
        except BackendRejected as error:
            return self._answers.refusal(request, error)

    async def sign(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Put the log id onto a response."""
        response.headers[self._flavour.log_id_header] = request.get(LOG, "")

    async def unknown(self, request: web.Request) -> web.Response:
        """Answer for a path or a method that does not exist."""
        if not self._flavour.has_all_routes:
            return web.Response(text="404 page not found", status=404)
        raise BackendRejected(4000, f"no such endpoint: {request.method} {request.path}")

    def _check_caller(self, request: web.Request) -> None:
        if request.path.startswith(OAUTH):
            return
        if self._tokens.is_valid(request.headers.get("Authorization", "")):
            return
        if request.path == "/v3/chat":
            raise BackendRejected(4101, "The token you entered is incorrect")
        raise BackendRejected(UNAUTHORIZED, "access token invalid")
