"""Handing messages over: in order within a channel, side by side between channels."""

import asyncio
import random
from collections import deque

from bridge.errors import StoreError
from bridge.log import get_logger
from bridge.model import ChatId, Message
from bridge.ports import Deliver

log = get_logger(__name__)

CAPACITY = 1000  # messages; beyond, nothing more is read, and Discord replays it on RESUME
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0  # seconds between two attempts


class Intake:
    """Messages that are not durable yet; one task for each channel that has any."""

    def __init__(self, deliver: Deliver, tasks: asyncio.TaskGroup) -> None:
        self.deliver = deliver
        self.tasks = tasks
        self.waiting: dict[ChatId, deque[Message]] = {}
        self.drains: set[asyncio.Task[None]] = set()
        self.count = 0
        self.has_room = asyncio.Event()
        self.has_room.set()

    def take(self, message: Message) -> None:
        """Accept a message behind those of its channel; it never waits."""
        chat = message.address.chat
        self.count += 1
        if self.count >= CAPACITY:
            self.has_room.clear()
        if chat in self.waiting:
            self.waiting[chat].append(message)
            return
        self.waiting[chat] = deque([message])
        drain = self.tasks.create_task(self.drain(chat))
        self.drains.add(drain)
        drain.add_done_callback(self.drains.discard)

    async def room(self) -> None:
        """Return when more may be taken."""
        await self.has_room.wait()

    async def settle(self, seconds: float) -> None:
        """Wait until all is durable, or for so long."""
        if self.drains:
            await asyncio.wait(self.drains, timeout=seconds)

    async def drain(self, chat: ChatId) -> None:
        """Hand over a channel's messages, one after another, until none waits."""
        queue = self.waiting[chat]
        while queue:
            await self.hand_over(queue[0])
            queue.popleft()
            self.count -= 1
            if self.count < CAPACITY:
                self.has_room.set()
        del self.waiting[chat]

    async def hand_over(self, message: Message) -> None:
        """Deliver one message, however long the store is away."""
        wait = FIRST_WAIT
        while True:
            try:
                await self.deliver(message)
            except StoreError as error:
                log.warning("delivery_retried", message=message.id, error=type(error).__name__)
            else:
                return
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - spreads load
            wait = min(LONGEST_WAIT, wait * 2)
