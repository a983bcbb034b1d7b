"""The queue of updates, and long polling; https://core.telegram.org/bots/api#getupdates."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from adapters.telegram.emulator.post import Json
from adapters.telegram.emulator.refusal import conflict

FIRST = 731_580_001
REMEMBERED = 1000  # updates that can be delivered a second time

TAKEN_OVER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(frozen=True, slots=True)
class Update:
    """Something that happened; updates of the same `lane`, a chat, are delivered in order."""

    id: int
    lane: int
    body: Json


class Updates:
    """What the bot has not yet confirmed, oldest first."""

    def __init__(self) -> None:
        self.allowed: frozenset[str] | None = None  # None: all but those it takes a request for
        self.arrived = asyncio.Event()
        self._next = FIRST
        self._waiting: dict[int, Update] = {}
        self._again: list[Update] = []
        self._past: deque[Update] = deque(maxlen=REMEMBERED)
        self._poll: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    def __iter__(self) -> Iterator[Update]:
        return iter((*self._again, *self._waiting.values()))

    def push(self, kind: str, body: Json, lane: int) -> None:
        """Queue an update, unless the bot did not ask for its kind."""
        if kind not in self.allowed if self.allowed else kind in NOT_BY_DEFAULT:
            return
        self.push_raw({kind: body}, lane)

    def push_raw(self, body: Json, lane: int = 0) -> int:
        """Queue whatever this is, with an id of its own, which is returned."""
        update = Update(self._next, lane, {"update_id": self._next, **body})
        self._next += 1
        self._waiting[update.id] = update
        self._past.append(update)
        self._wake()
        return update.id

    def redeliver(self, update_id: int) -> None:
        """Deliver an update once more, as happens when a confirmation is lost."""
        self._again.extend(update for update in self._past if update.id == update_id)
        self._wake()

    def confirm(self, update: Update) -> None:
        """Forget one update."""
        if update in self._again:
            self._again.remove(update)
        else:
            self._waiting.pop(update.id, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()
        self._again.clear()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:  # noqa: ASYNC109 - the method's own parameter
        """Confirm what is before `offset`, then return what waits or arrives in time.

        Raises Refusal when another poll, or a webhook, takes over.
        """
        self.interrupt(TAKEN_OVER)
        self._forget(self._absolute(offset))
        if not len(self) and timeout > 0:
            await self._arrival(timeout)
        again, self._again = self._again[:limit], self._again[limit:]
        waiting = islice(self._waiting.values(), limit - len(again))
        return [update.body for update in (*again, *waiting)]

    def interrupt(self, problem: str) -> None:
        """End the poll that is under way with a conflict."""
        if self._poll and not self._poll.done():
            self._poll.set_exception(conflict(problem))

    def release(self) -> None:
        """End the poll that is under way with what there is."""
        if self._poll and not self._poll.done():
            self._poll.set_result(None)

    def _absolute(self, offset: int) -> int:
        """Count a negative offset from the end of the queue."""
        if offset >= 0:
            return offset
        last = list(self._waiting)[offset:]
        return last[0] if last else self._next

    def _forget(self, offset: int) -> None:
        for update_id in [known for known in self._waiting if known < offset]:
            del self._waiting[update_id]

    async def _arrival(self, timeout: float) -> None:  # noqa: ASYNC109 - as above
        self._poll = poll = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([poll], timeout=timeout)
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.done():
            poll.result()

    def _wake(self) -> None:
        self.arrived.set()
        self.release()
