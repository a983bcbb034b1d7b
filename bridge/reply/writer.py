"""Carries out one operation on a chat, and keeps what is known of its messages."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar, assert_never

from bridge.clock import Clock
from bridge.errors import PlatformUnavailable, RateLimited
from bridge.log import get_logger
from bridge.model import Replies, TurnId
from bridge.ports import Journal, Permits, ReplySurface
from bridge.reply.plan import Delete, Edit, Operation, Post, Sent, nonce

T = TypeVar("T")
log = get_logger(__name__)

CALL: Final = 20.0  # seconds that one call may take
DOUBTFUL: Final = ""  # no chunk is empty: what may or may not show its text is written again


class Writer:
    """The messages of one reply, and the only hand that writes them."""

    def __init__(
        self,
        surface: ReplySurface,
        permits: Permits,
        journal: Journal,
        clock: Clock,
        turn: TurnId,
        replies: Replies,
        *,
        is_resumed: bool,
    ) -> None:
        self._surface = surface
        self._permits = permits
        self._journal = journal
        self._clock = clock
        self._turn = turn
        self._is_resumed = is_resumed
        self._is_recorded = True
        self._silent_until = 0.0  # after a 429 under a limit that has no name
        self._lost = 0  # messages that a person deleted
        self._doubtful: set[str] = set()  # nonces of posts that may have been carried out
        self.sent = [[Sent(message, None) for message in messages] for messages in replies]

    async def is_permitted(self, *, is_final: bool) -> bool:
        """Take a permit; where there is none yet, wait for as long as it takes and say no."""
        wait = self._silent_until - self._clock.monotonic()
        if wait <= 0:
            limits = self._surface.capabilities.limits
            wait = await self._permits.ask(limits, is_final=is_final)
        if wait > 0:
            await asyncio.sleep(wait)
        return wait <= 0

    async def write(self, operation: Operation) -> float:
        """Carry out an operation under a permit; returns the seconds that the platform took.

        Cancelling waits until the platform has answered and the answer is recorded.
        """
        started = self._clock.monotonic()
        await unbroken(self._carry_out(operation))
        return self._clock.monotonic() - started

    async def settle(self) -> None:
        """Record what could not be recorded right after its post."""
        if not self._is_recorded:
            await unbroken(self._record())

    def forget(self, operation: Edit | Delete) -> None:
        """A person deleted this message: leave its place empty."""
        self._lost += 1
        self.sent[operation.answer][operation.chunk] = Sent(None, None)

    def close_ranks(self) -> None:
        """Let later messages take the places of deleted ones, so that order is kept."""
        self.sent = [[sent for sent in row if sent.message is not None] for row in self.sent]

    async def _carry_out(self, operation: Operation) -> None:
        try:
            await self._call(operation)
        except RateLimited as error:
            await self._hold(error)
            raise

    async def _hold(self, error: RateLimited) -> None:
        """Let everybody who writes under the same limit keep silent."""
        limits = self._surface.capabilities.limits
        limit = next((limit for limit in limits if (limit.scope == "") == error.is_global), None)
        if limit is None:
            self._silent_until = self._clock.monotonic() + error.retry_after
        else:
            await self._permits.hold(limit, error.retry_after)

    async def _call(self, operation: Operation) -> None:
        match operation:
            case Post():
                await self._post(operation)
            case Edit():
                await self._edit(operation)
            case Delete(message=message):
                await answered(self._surface.delete(message))
                self.sent[operation.answer][operation.chunk] = Sent(None, None)
            case _:
                assert_never(operation)

    async def _post(self, operation: Post) -> None:
        name = nonce(self._turn, operation.answer, operation.chunk, self._lost)
        # The platform may answer a repeated post with the message of the first, and its text.
        is_first = name not in self._doubtful and not self._is_resumed
        if name in self._doubtful:
            # On a platform without nonces this is the one window in which a text shows twice.
            log.warning("post repeated", turn=self._turn, nonce=name)
        try:
            message = await answered(self._surface.post(operation.text, nonce=name))
        except PlatformUnavailable as error:
            if error.is_ambiguous:
                self._doubtful.add(name)
            raise
        while len(self.sent) <= operation.answer:
            self.sent.append([])
        self.sent[operation.answer].append(Sent(message, operation.text if is_first else DOUBTFUL))
        self._is_recorded = False
        await self._record()

    async def _edit(self, operation: Edit) -> None:
        row = self.sent[operation.answer]
        row[operation.chunk] = Sent(operation.message, DOUBTFUL)
        await answered(self._surface.edit(operation.message, operation.text))
        row[operation.chunk] = Sent(operation.message, operation.text)

    async def _record(self) -> None:
        await self._journal.record(
            tuple(tuple(s.message for s in row if s.message is not None) for row in self.sent)
        )
        self._is_recorded = True


async def answered(call: Coroutine[Any, Any, T]) -> T:
    """Wait for a call's answer, but not for long."""
    try:
        async with asyncio.timeout(CALL):
            return await call
    except TimeoutError as error:
        raise PlatformUnavailable("no answer in time", is_ambiguous=True) from error


async def unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Do work to its end even when cancelled meanwhile; then the cancellation goes on."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            # One cancellation is on its way already; a second adds nothing.
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            log.warning("last_write_failed", error=type(error).__name__)
        raise
