"""Stops: the wish that a turn end early, and how its holder hears of it at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from bridge.errors import StoreError
from bridge.log import get_logger
from bridge.model import Key, Message
from bridge.store import keys
from bridge.store.connection import Connections, translated
from bridge.store.mailbox import REMEMBERED, digits
from bridge.store.script import Script

log = get_logger(__name__)

LISTEN = 5.0  # seconds between two looks at whether the subscription is still alive
PAUSE = 0.5  # seconds before a lost subscription is tried again


class Stops:
    """The wishes of all conversations."""

    def __init__(self, connections: Connections) -> None:
        self._blocking = connections.blocking
        self._stop = Script(connections.commands, "stop")

    async def ask(self, key: Key, message: Message) -> bool:
        """Ask the turn that runs, or is about to begin, to stop; raises StoreError.

        It concerns one turn, of a message older than the one that asks, and however often that
        one is offered, never another turn. False when there is none: then nothing is stored.
        """
        names = (keys.seen(key, message), keys.lease(key), keys.mailbox(key))
        return bool(await self._stop(names, digits(message), REMEMBERED * 1000, keys.STOPS, key))

    async def heard(self) -> AsyncIterator[tuple[Key, int]]:
        """Yield the key and the epoch of turns that shall stop, as soon as somebody wants it.

        It survives the loss of Redis, but not what was said meanwhile: a renewal tells that.
        """
        while True:
            try:
                async with aclosing(self._subscribed()) as said:
                    async for turn in said:
                        yield turn
            except StoreError as error:
                log.warning("subscription lost", reason=str(error))
            await asyncio.sleep(PAUSE)

    async def _subscribed(self) -> AsyncGenerator[tuple[Key, int], None]:
        async with self._blocking.pubsub(ignore_subscribe_messages=True) as channel:
            with translated():
                await channel.subscribe(keys.STOPS)
            while True:
                with translated():
                    said = await channel.get_message(timeout=LISTEN)
                if said is not None:
                    epoch, _, key = said["data"].partition(" ")
                    yield Key(key), int(epoch)
