"""Writes the reply of one turn: previews while it grows, then the final text of every chunk."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from bridge.clock import Clock
from bridge.errors import (
    LeaseLost,
    MessageGone,
    NotPermitted,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    Refused,
    StoreError,
)
from bridge.log import get_logger
from bridge.model import Replies, TurnId
from bridge.ports import Journal, Permits, ReplySurface
from bridge.reply.heal import heal
from bridge.reply.pace import Pace
from bridge.reply.plan import Edit, Post, plan_final, plan_preview
from bridge.reply.split import Splitter, split
from bridge.reply.writer import Writer, answered

TICK: Final = 0.1  # seconds between two looks at text that is not yet due
LONGEST_DELAY: Final = 30.0  # seconds between two attempts at a final text
GIVE_UP: Final = 900.0  # seconds of nothing but failures
TYPING_OVERLAP: Final = 0.8  # of the time that one call shows

log = get_logger(__name__)


class ReplyEditor:
    """The reply of one turn: `async with ReplyEditor(…) as editor:`, `show` often, `finish` once.

    `replies` are the messages that an earlier holder of the turn posted; `is_resumed` says that
    there was one even if it recorded none. Whatever the block is doing, it ends with LeaseLost
    when somebody else holds the turn.
    """

    def __init__(
        self,
        surface: ReplySurface,
        permits: Permits,
        journal: Journal,
        clock: Clock,
        turn: TurnId,
        replies: Replies = (),
        *,
        is_resumed: bool = False,
    ) -> None:
        self._surface = surface
        self._permits = permits
        self._clock = clock
        self._turn = turn
        self._writer = Writer(
            surface, permits, journal, clock, turn, replies, is_resumed=is_resumed or bool(replies)
        )
        self._pace = Pace(surface.capabilities.edit_interval)
        self._answers: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._length = 0  # characters of the text that was last considered
        self._splitters: list[Splitter] = []
        self._refused: set[str] = set()
        self._forbidden: NotPermitted | None = None
        self._group = asyncio.TaskGroup()
        self._previews: asyncio.Task[None] | None = None
        self._typing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the previews, and show that a reply is being written."""
        await self._group.__aenter__()
        self._previews = self._group.create_task(self._preview())
        if not any(self._writer.sent):
            self._typing = self._group.create_task(self._type())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop writing; a call under way is finished and recorded first."""
        for task in (self._previews, self._typing):
            if task:
                task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            for inner in group.exceptions:
                if inner is not error:
                    raise inner from None

    def show(self, answers: Sequence[str]) -> None:
        """Let the chat show this soon; never waits, and the latest wins."""
        self._answers = tuple(answers)
        self._changed.set()

    async def finish(self, answers: Sequence[str]) -> None:
        """Return when every chunk of the final answers is on the platform.

        Raises NotPermitted and Refused at once, and PlatformUnavailable or StoreError when
        nothing else has happened for a quarter of an hour.
        """
        await stopped(self._previews)
        await stopped(self._typing)
        if self._forbidden:
            raise self._forbidden
        shape = self._surface.capabilities
        wanted = [full(split(answer, shape.fits, shape.max_length)) for answer in answers]
        self._writer.close_ranks()
        delay, failing_since = 1.0, None
        while True:
            try:
                if not await self._finish_one(wanted):
                    return
                delay, failing_since = 1.0, None
            except LeaseLost:
                raise
            except (PlatformUnavailable, StoreError) as error:
                now = self._clock.monotonic()
                failing_since = now if failing_since is None else failing_since
                if now + delay > failing_since + GIVE_UP:
                    raise
                log.warning("final_delayed", turn=self._turn, error=type(error).__name__)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)

    async def _finish_one(self, wanted: Sequence[Sequence[str]]) -> bool:
        """Do one thing to reach the final text; False when nothing is left to do."""
        await self._writer.settle()
        while operation := plan_final(self._writer.sent, wanted):
            if not await self._writer.is_permitted(is_final=True):
                continue
            try:
                await self._writer.write(operation)
            except RateLimited:
                continue
            except MessageGone:
                if isinstance(operation, Post):
                    raise
                self._writer.forget(operation)
                self._writer.close_ranks()
            except Refused:
                log.exception("final_refused", turn=self._turn)
                raise
            else:
                return True
        return False

    async def _preview(self) -> None:
        """Write what is new whenever it is due, whether or not more is coming."""
        try:
            while True:
                await self._changed.wait()
                length, now = sum(map(len, self._answers)), self._clock.monotonic()
                self._pace = self._pace.begun(now)
                wait = self._pace.due(abs(length - self._length)) - now
                if wait > 0:
                    await asyncio.sleep(min(wait, TICK))
                else:
                    await self._preview_one()
        except NotPermitted as error:
            log.warning("reply_forbidden", turn=self._turn)
            self._forbidden = error

    async def _preview_one(self) -> None:
        """Do one thing towards the text of now; what fails is made up for later."""
        try:
            await self._writer.settle()
            length = sum(map(len, self._answers))
            operation = plan_preview(self._writer.sent, self._wanted())
            if operation is None or operation.text in self._refused:
                self._changed.clear()
                self._length, self._pace = length, self._pace.idle(self._clock.monotonic())
            elif await self._writer.is_permitted(is_final=False):
                await self._preview_write(operation)
                self._length = length
        except LeaseLost:
            raise
        except (PlatformUnavailable, StoreError) as error:
            log.info("preview_skipped", turn=self._turn, error=type(error).__name__)
            self._pace = self._pace.troubled(self._clock.monotonic())

    async def _preview_write(self, operation: Post | Edit) -> None:
        """Write, and learn from how it went."""
        if isinstance(operation, Post):
            await stopped(self._typing)
        try:
            took = await self._writer.write(operation)
        except (RateLimited, MessageGone, Refused) as error:
            log.info("preview_failed", turn=self._turn, error=type(error).__name__)
            self._pace = self._pace.troubled(self._clock.monotonic())
            if isinstance(error, Refused):
                self._refused.add(operation.text)
            elif isinstance(error, MessageGone) and isinstance(operation, Edit):
                self._writer.forget(operation)
        else:
            self._pace = self._pace.written(self._clock.monotonic(), took)

    def _wanted(self) -> list[list[str]]:
        """The chunks of now, the last one well-formed."""
        shape = self._surface.capabilities
        while len(self._splitters) < len(self._answers):
            self._splitters.append(Splitter(shape.fits, shape.max_length))
        pairs = zip(self._splitters, self._answers, strict=False)
        wanted = [list(splitter.split(answer)) for splitter, answer in pairs]
        if wanted and wanted[-1]:
            healed = heal(wanted[-1][-1])
            if len(healed) <= shape.max_length and shape.fits(healed):
                wanted[-1][-1] = healed
        return [full(chunks) for chunks in wanted]

    async def _type(self) -> None:
        """Show that a reply is being written; best effort."""
        shape = self._surface.capabilities
        try:
            while shape.typing_lasts > 0:
                if await self._permits.ask(shape.limits, is_final=False) <= 0:
                    await answered(self._surface.typing())
                await asyncio.sleep(shape.typing_lasts * TYPING_OVERLAP)
        except LeaseLost:
            raise
        except (PlatformError, StoreError) as error:
            log.info("typing_skipped", turn=self._turn, error=type(error).__name__)


def full(chunks: Sequence[str]) -> list[str]:
    """The chunks that have something to show."""
    return [chunk for chunk in chunks if chunk.strip()]


async def stopped(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait for its end."""
    if task:
        task.cancel()
        await asyncio.wait({task})
