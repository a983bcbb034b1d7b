"""Leases: one worker at a time for a conversation, and another one when it is gone."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from bridge.errors import StoreError
from bridge.log import get_logger
from bridge.model import BotName, Key, Message, Platform, TurnRecord
from bridge.store import keys
from bridge.store.budget import Budgets
from bridge.store.connection import BLOCK, Connections, translated
from bridge.store.fence import Fence
from bridge.store.journal import LeaseJournal
from bridge.store.mailbox import message_of, prefix
from bridge.store.permit import LeasePermits
from bridge.store.script import Script

log = get_logger(__name__)

DURATION = 15.0  # seconds a lease outlives its last renewal; renew at a fifth of it
ATTEMPTS = 5  # workers that may fail on one turn
REMEMBERED = 7 * 86400  # seconds that the epoch of an idle conversation is kept
SILENCE = 3600 * 1000  # milliseconds after which a consumer with nothing pending is forgotten
LISTEN = 5.0  # seconds between two looks at whether the subscription is still alive
PAUSE = 0.5  # seconds before a lost subscription is tried again
GROUP = "workers"


@dataclass(frozen=True, slots=True)
class Token:
    """The right to work on a conversation that has something to do."""

    id: str
    key: Key


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed token: what its holder has to know of the conversation."""

    key: Key
    token: str  # the token's id
    epoch: int  # higher than that of any holder before
    attempt: int  # how many workers have tried this turn, this one included
    taken: tuple[Message, ...]  # the messages of the turn in work; none if it was not begun
    waiting: tuple[Message, ...]  # the mailbox as it was when claimed, oldest first
    record: TurnRecord | None  # what the turn's holder before has done
    is_poisoned: bool  # the turn failed too often and stands in the dead-letter stream

    @property
    def fence(self) -> Fence:
        """What to show with everything that is written for the turn."""
        return Fence(self.key, self.epoch, self.token)


class Leases:
    """Tokens, and the leases they become. All raise StoreError."""

    def __init__(self, connections: Connections, duration: float) -> None:
        self.duration = duration
        self._client = connections.commands
        self._blocking = connections.blocking
        self._consumer = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        names = ("claim", "begin", "renew", "release", "hand_off", "stop", "journal", "sweep")
        self._budgets = Budgets(self._client)
        self._scripts = {name: Script(self._client, name) for name in names}

    async def tokens(self, count: int) -> tuple[Token, ...]:
        """Wait about a second for up to `count` new tokens."""
        with translated():
            try:
                found = await self._read(count)
            except ResponseError as error:
                await self._regroup(error)
                found = await self._read(count)
        return tuple(token_of(entry) for _, entries in found or () for entry in entries)

    async def abandoned(self) -> tuple[Token, ...]:
        """Take over all tokens whose holders have not renewed them for the lease's duration."""
        found: list[Token] = []
        with translated():
            try:
                for part in range(keys.PARTITIONS):
                    found += await self._abandoned(keys.ready(part))
            except ResponseError as error:
                await self._regroup(error)
        return tuple(found)

    async def claim(self, token: Token) -> Lease | None:
        """Become the holder; None when there is nothing to hold any more."""
        key, part = token.key, keys.partition(token.key)
        names = (keys.lease(key), keys.mailbox(key), keys.ready(part), keys.dead(part))
        owner = uuid.uuid4().hex
        claimed = await self._scripts["claim"](
            names, token.id, owner, GROUP, self._consumer, key, ATTEMPTS
        )
        if claimed is None:
            return None
        epoch, attempt, taken, record, waiting = claimed
        with translated():
            return Lease(
                key=key,
                token=token.id,
                epoch=int(epoch),
                attempt=int(attempt),
                taken=messages_of(taken),
                waiting=tuple(message_of(stored) for stored in waiting),
                record=msgspec.json.decode(record, type=TurnRecord) if record else None,
                is_poisoned=int(attempt) > ATTEMPTS,
            )

    async def begin(self, lease: Lease, messages: tuple[Message, ...]) -> Lease:
        """Move messages from the mailbox into the turn, once; raises LeaseLost."""
        names = (keys.lease(lease.key), keys.mailbox(lease.key))
        prefixes = (prefix(message) for message in messages)
        stored = await self._scripts["begin"](names, lease.epoch, lease.token, *prefixes)
        if stored is None:
            raise lease.fence.lost()
        with translated():
            taken = messages_of(stored)
        waiting = tuple(message for message in lease.waiting if message not in taken)
        return replace(lease, taken=taken, waiting=waiting)

    async def renew(self, lease: Lease) -> bool:
        """Keep the lease, and tell whether the turn shall stop; raises LeaseLost."""
        names = (keys.lease(lease.key), keys.ready(keys.partition(lease.key)))
        state = await self._scripts["renew"](names, lease.epoch, lease.token, GROUP, self._consumer)
        if state == "lost":
            raise lease.fence.lost()
        return bool(state == "stop")

    async def release(self, lease: Lease) -> None:
        """End the turn; a lease that is lost already is left alone."""
        key, ready = lease.key, keys.ready(keys.partition(lease.key))
        names = (keys.lease(key), keys.mailbox(key), ready)
        await self._scripts["release"](names, lease.epoch, lease.token, GROUP, key, REMEMBERED)

    async def hand_off(self, lease: Lease) -> None:
        """Let another worker go on at once. Stop reading tokens first, or it may be this one."""
        names = (keys.lease(lease.key), keys.ready(keys.partition(lease.key)))
        await self._scripts["hand_off"](names, lease.epoch, lease.token, GROUP, lease.key)

    async def stop(self, key: Key) -> bool:
        """Ask the running turn to stop; False when none is running."""
        return bool(await self._scripts["stop"]((keys.lease(key),), keys.STOPS, key))

    async def stops(self) -> AsyncIterator[Key]:
        """Yield the conversations whose turn shall stop, as soon as somebody wants it.

        It survives the loss of Redis, but not what was said meanwhile: `renew` tells that.
        """
        while True:
            try:
                async with aclosing(self._subscribed()) as heard:
                    async for key in heard:
                        yield key
            except StoreError as error:
                log.warning("subscription lost", reason=str(error))
            await asyncio.sleep(PAUSE)

    def journal(self, lease: Lease) -> LeaseJournal:
        """Where the holder writes down what the turn has done."""
        return LeaseJournal(self._scripts["journal"], lease.fence, lease.record)

    def permits(self, lease: Lease | None, bot: BotName, platform: Platform) -> LeasePermits:
        """Leave to write for the holder; with no lease, only the flood limits are asked."""
        fence = None if lease is None else lease.fence
        return LeasePermits(self._client, self._budgets, fence, bot, platform)

    async def _read(self, count: int) -> Any:
        # redis-py states more types for names and replies than there are.
        streams: dict[Any, Any] = {keys.ready(part): ">" for part in range(keys.PARTITIONS)}
        return await self._blocking.xreadgroup(
            GROUP, self._consumer, streams, count=count, block=int(BLOCK * 1000)
        )

    async def _abandoned(self, ready: str) -> list[Token]:
        found: list[Token] = []
        cursor = "0-0"
        while True:
            cursor, entries, *_ = await self._client.xautoclaim(
                ready, GROUP, self._consumer, int(self.duration * 1000), cursor, count=100
            )
            found += [token_of(entry) for entry in entries if entry[1]]
            if cursor == "0-0":
                break
        await self._scripts["sweep"]((ready,), GROUP, SILENCE)
        return found

    async def _regroup(self, error: ResponseError) -> None:
        """Make the group of workers, at the first start or after somebody emptied Redis."""
        if "NOGROUP" not in str(error):
            raise error
        for part in range(keys.PARTITIONS):
            try:
                await self._client.xgroup_create(keys.ready(part), GROUP, id="0", mkstream=True)
            except ResponseError as other:
                if "BUSYGROUP" not in str(other):
                    raise

    async def _subscribed(self) -> AsyncGenerator[Key, None]:
        async with self._blocking.pubsub(ignore_subscribe_messages=True) as channel:
            with translated():
                await channel.subscribe(keys.STOPS)
            while True:
                with translated():
                    said = await channel.get_message(timeout=LISTEN)
                if said is not None:
                    yield Key(said["data"])


def token_of(entry: tuple[str, dict[str, str]]) -> Token:
    """Read an entry of the stream of tokens."""
    return Token(entry[0], Key(entry[1]["key"]))


def messages_of(taken: str) -> tuple[Message, ...]:
    """Read what a turn has taken; raises msgspec.MsgspecError."""
    stored = msgspec.json.decode(taken, type=tuple[str, ...]) if taken else ()
    return tuple(message_of(one) for one in stored)
