"""The door of the REST API: who may enter, how often, and how every answer looks."""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.client import responses

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.discord.emulator.body import read_body
from adapters.discord.emulator.faults import Fault, Faults
from adapters.discord.emulator.rates import Bucket, Counters, RateRules, bucket_of, is_exempt
from adapters.discord.emulator.refusals import Refusal, plain
from adapters.discord.emulator.world import World

PREFIX = "/api/v10"
INVALID, EVERYWHERE = "invalid", "everywhere"
LIMITED = "You are being rate limited."
WRITE_LIMIT = "The write action you are performing on the channel has hit the write rate limit."
OLD_EDITS = "Maximum number of edits to messages older than 1 hour reached. Try again later."


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was made; `status` is None until it is answered."""

    method: str
    path: str  # below /api/v10
    query: Mapping[str, str]
    body: object
    at: float
    status: int | None = None


class Door:
    """Lets requests in, or turns them away."""

    def __init__(self, world: World, rules: RateRules | None, faults: Faults) -> None:
        self._world = world
        self._rules = rules
        self._faults = faults
        self._counters = Counters()
        self.calls: list[Call] = []

    @property
    def invalid_requests(self) -> int:
        """How many requests of the last ten minutes count towards a ban."""
        if self._rules is None:
            return 0
        return self._counters.used(INVALID, self._rules.invalid, self._now())

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, whatever becomes of it."""
        path = request.path.removeprefix(PREFIX)
        position = len(self.calls)
        at = self._world.clock.now()
        self.calls.append(Call(request.method, path, dict(request.query), None, at))
        headers: dict[str, str] = {}
        response: web.StreamResponse
        if self._is_banned():
            response = web.Response(status=429, text="error code: 1015")
        else:
            response = await self._answer(request, path, position, handler, headers)
            response.headers.update({"Via": "1.1 google", **headers})
        self.calls[position] = replace(self.calls[position], status=response.status)
        self._count_invalid(response)
        return response

    def exhaust(self, channel: str) -> None:
        """Use up what a channel still allows, for sending and for editing."""
        if self._rules is not None:
            for name, rate in (("send", self._rules.send), ("edit", self._rules.edit)):
                self._counters.exhaust(f"{name}:{channel}", rate, self._now())

    def take_old_edit(self, channel: str) -> None:
        """Count an edit of a message more than an hour old; Refusal 30046."""
        if self._rules is None:
            return
        rate = self._rules.old_edit
        standing = self._counters.take(f"old edit:{channel}", rate, self._now())
        if standing.is_exceeded:
            raise limited(standing.reset_after, scope="user", code=30046, message=OLD_EDITS)

    async def _answer(
        self,
        request: web.Request,
        path: str,
        position: int,
        handler: Handler,
        headers: dict[str, str],
    ) -> web.StreamResponse:
        try:
            body = await read_body(request)
            self.calls[position] = replace(self.calls[position], body=body.content)
            fault = self._faults.next(request.method, path)
            await self._meet(fault)
            self._check_token(request, path)
            self._check_rates(request.method, path, headers)
            response = await handler(request)
        except Refusal as refused:
            headers.update(refused.headers)
            return answer(refused.body, refused.status)
        except web.HTTPException as error:
            return answer(plain(error.status, error.reason).body, error.status)
        if fault is not None and fault.status:
            return failure(fault)
        return response

    async def _meet(self, fault: Fault | None) -> None:
        if fault is None:
            return
        await asyncio.sleep(fault.delay)
        if fault.status and not fault.after_success:
            raise Refusal(fault.status, failure_body(fault))

    def _check_token(self, request: web.Request, path: str) -> None:
        # What carries its own token, and the address of the gateway, is open to all.
        if path == "/gateway" or is_exempt(path):
            return
        if request.headers.get("Authorization") != f"Bot {self._world.application.token}":
            raise plain(401, "Unauthorized")

    def _check_rates(self, method: str, path: str, headers: dict[str, str]) -> None:
        if self._rules is not None and not is_exempt(path):
            standing = self._counters.take(EVERYWHERE, self._rules.everywhere, self._now())
            if standing.is_exceeded:
                raise limited(standing.reset_after, scope="global")
        bucket = None if self._rules is None else bucket_of(self._rules, method, path)
        if bucket is not None:
            self._take(bucket, headers)
        flood = self._faults.flooding(method, path, self._now())
        if flood is not None and flood.is_global:
            raise limited(flood.until - self._now(), scope="global")
        if flood is not None:
            left = flood.until - self._now()
            raise limited(left, scope="shared", code=20028, message=WRITE_LIMIT)

    def _take(self, bucket: Bucket, headers: dict[str, str]) -> None:
        standing = self._counters.take(bucket.name, bucket.rate, self._now())
        headers.update(
            {
                "X-RateLimit-Limit": str(standing.limit),
                "X-RateLimit-Remaining": str(standing.remaining),
                "X-RateLimit-Reset": f"{self._world.clock.now() + standing.reset_after:.3f}",
                "X-RateLimit-Reset-After": f"{standing.reset_after:.3f}",
                "X-RateLimit-Bucket": bucket.hash,
            }
        )
        if standing.is_exceeded:
            raise limited(standing.reset_after, scope="user")

    def _is_banned(self) -> bool:
        return self._rules is not None and self.invalid_requests >= self._rules.invalid.limit

    def _count_invalid(self, response: web.StreamResponse) -> None:
        is_shared = response.headers.get("X-RateLimit-Scope") == "shared"
        if self._rules is not None and response.status in {401, 403, 429} and not is_shared:
            self._counters.take(INVALID, self._rules.invalid, self._now())

    def _now(self) -> float:
        return self._world.clock.monotonic()


def guarding(door: Door) -> Middleware:
    """Make the door a middleware."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await door.answer(request, handler)

    return guard


def answer(body: object, status: int = 200) -> web.Response:
    """An answer with a body; its type is bare, without a charset, as the service sends it."""
    written = json.dumps(body).encode()
    return web.Response(body=written, status=status, headers={"Content-Type": "application/json"})


def done() -> web.Response:
    """An answer without a body."""
    return web.Response(status=204)


def limited(
    seconds: float, *, scope: str, code: int | None = None, message: str = LIMITED
) -> Refusal:
    """The refusal of a request too many."""
    left = math.ceil(seconds * 1000) / 1000
    body = {"message": message, "retry_after": left, "global": scope == "global"}
    headers = {"Retry-After": str(math.ceil(left)), "X-RateLimit-Scope": scope}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    return Refusal(429, body if code is None else {**body, "code": code}, headers)


def failure(fault: Fault) -> web.Response:
    """The answer of a planned failure."""
    return answer(failure_body(fault), fault.status)


def failure_body(fault: Fault) -> dict[str, object]:
    """What a planned failure says."""
    phrase = responses.get(fault.status, "Unknown Error")  # Cloudflare has some of its own
    return {"message": f"{fault.status}: {phrase}", "code": fault.code}
