"""Leases: one worker at a time for a conversation, and another one when it is gone."""

import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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
from bridge.store.mailbox import decoded, message_of, prefix
from bridge.store.permit import LeasePermits
from bridge.store.script import Script

log = get_logger(__name__)

DURATION = 15.0  # seconds a lease outlives its last renewal; renew at a fifth of it
ATTEMPTS = 5  # workers that may fail on one turn
REMEMBERED = 7 * 86400  # seconds that the epoch of an idle conversation is kept
SILENCE = 3600 * 1000  # milliseconds after which a consumer with nothing pending is forgotten
PAGE = 100  # tokens that one call takes over at most
GROUP = "workers"


@dataclass(frozen=True, slots=True)
class Token:
    """The right to work on a conversation that has something to do."""

    id: str
    key: Key
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)  # a nonce of this reading


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed token: what its holder has to know of the conversation."""

    key: Key
    token: str  # the token's id
    epoch: int  # higher than that of any holder before
    attempt: int  # how many workers have tried this turn, this one included
    is_poisoned: bool  # the turn failed too often and stands in the dead-letter stream
    is_stopped: bool  # somebody asked the turn in work to stop
    taken: tuple[Message, ...] = ()  # the messages of the turn in work; none if it was not begun
    waiting: tuple[Message, ...] = ()  # the mailbox when claimed, oldest first, while readable
    record: TurnRecord | None = None  # what the turn's holder before has done

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
        names = ("claim", "begin", "renew", "release", "hand_off", "journal", "sweep")
        self._budgets = Budgets(self._client)
        self._scripts = {name: Script(self._client, name) for name in names}

    async def tokens(self, bot: BotName, count: int) -> tuple[Token, ...]:
        """Wait about a second for up to `count` new tokens of a bot."""
        with translated():
            try:
                found = await self._new(bot, count)
            except ResponseError as error:
                await self._regroup(bot, error)
                found = await self._new(bot, count)
        return tuple(token_of(entry) for _, entries in found or () for entry in entries)

    async def abandoned(self, bot: BotName, count: int) -> tuple[Token, ...]:
        """Take over up to `count` tokens that were not renewed for the lease's duration."""
        with translated():
            try:
                return tuple(await self._abandoned(keys.ready(bot), count))
            except ResponseError as error:
                await self._regroup(bot, error)
                return ()

    async def claim(self, token: Token) -> Lease | None:
        """Become the holder; None when there is nothing to hold any more.

        StoreError also means that this version cannot read what is stored. When the attempts are
        used up, such a lease is without it, and to be released.
        """
        key, bot = token.key, keys.bot_of(token.key)
        names = (keys.lease(key), keys.mailbox(key), keys.ready(bot), keys.dead(bot))
        claimed = await self._scripts["claim"](
            names, token.id, token.owner, GROUP, self._consumer, key, ATTEMPTS
        )
        if claimed is None:
            return None
        epoch, attempt, taken, record, waiting, stop = claimed
        lease = Lease(
            key=key,
            token=token.id,
            epoch=int(epoch),
            attempt=int(attempt),
            is_poisoned=int(attempt) > ATTEMPTS,
            is_stopped=bool(stop),
        )
        # The apology may fail whoever tries it, too.
        if lease.attempt <= 2 * ATTEMPTS:
            try:
                return filled(lease, taken, record, waiting)
            except StoreError:
                if not lease.is_poisoned:
                    raise
        log.error("dropped to the dead letters", key=key, attempts=lease.attempt)
        if not taken:
            await self._begin(lease, waiting[:1])
        return lease

    async def begin(self, lease: Lease, messages: tuple[Message, ...]) -> Lease:
        """Move messages from the mailbox into the turn, once; raises LeaseLost."""
        stored, stop = await self._begin(lease, [prefix(message) for message in messages])
        with translated():
            taken = messages_of(stored)
        waiting = tuple(message for message in lease.waiting if message not in taken)
        return replace(lease, taken=taken, waiting=waiting, is_stopped=bool(stop))

    async def renew(self, lease: Lease) -> bool:
        """Keep the lease, and tell whether the turn shall stop; raises LeaseLost."""
        names = (keys.lease(lease.key), keys.ready(keys.bot_of(lease.key)))
        state = await self._scripts["renew"](names, lease.epoch, lease.token, GROUP, self._consumer)
        if state == "lost":
            raise lease.fence.lost()
        return bool(state == "stop")

    async def release(self, lease: Lease) -> None:
        """End the turn; a lease that is lost already is left alone."""
        key, ready = lease.key, keys.ready(keys.bot_of(lease.key))
        names = (keys.lease(key), keys.mailbox(key), ready)
        await self._scripts["release"](names, lease.epoch, lease.token, GROUP, key, REMEMBERED)

    async def hand_off(self, token: Token) -> None:
        """Let another worker go on at once, claimed or not; what is not ours is left alone.

        Stop reading tokens first, or that worker may be this one.
        """
        key, consumer = token.key, self._consumer
        names = (keys.lease(key), keys.ready(keys.bot_of(key)))
        await self._scripts["hand_off"](names, token.id, token.owner, GROUP, consumer, key)

    def journal(self, lease: Lease) -> LeaseJournal:
        """Where the holder writes down what the turn has done."""
        return LeaseJournal(self._scripts["journal"], lease.fence, lease.record)

    def permits(self, lease: Lease | None, bot: BotName, platform: Platform) -> LeasePermits:
        """Leave to write for the holder; with no lease, only the flood limits are asked."""
        fence = None if lease is None else lease.fence
        return LeasePermits(self._client, self._budgets, fence, bot, platform)

    async def _new(self, bot: BotName, count: int) -> Any:
        # redis-py states more types for names and replies than there are.
        streams: dict[Any, Any] = {keys.ready(bot): ">"}
        return await self._blocking.xreadgroup(
            GROUP, self._consumer, streams, count=count, block=int(BLOCK * 1000)
        )

    async def _abandoned(self, ready: str, count: int) -> list[Token]:
        found: list[Token] = []
        cursor, idle = "0-0", int(self.duration * 1000)
        while len(found) < count:
            page = min(PAGE, count - len(found))
            cursor, entries, *_ = await self._client.xautoclaim(
                ready, GROUP, self._consumer, idle, cursor, count=page
            )
            found += [token_of(entry) for entry in entries if entry[1]]
            if cursor == "0-0":
                break
        await self._scripts["sweep"]((ready,), GROUP, SILENCE)
        return found

    async def _regroup(self, bot: BotName, error: ResponseError) -> None:
        """Make the group of workers, at the first start or after somebody emptied Redis."""
        if "NOGROUP" not in str(error):
            raise error
        try:
            await self._client.xgroup_create(keys.ready(bot), GROUP, id="0", mkstream=True)
        except ResponseError as other:
            if "BUSYGROUP" not in str(other):
                raise

    async def _begin(self, lease: Lease, prefixes: Sequence[str]) -> tuple[str, int]:
        names = (keys.lease(lease.key), keys.mailbox(lease.key))
        begun = await self._scripts["begin"](names, lease.epoch, lease.token, *prefixes)
        if begun is None:
            raise lease.fence.lost()
        return str(begun[0]), int(begun[1])


def filled(lease: Lease, taken: str, record: str, waiting: Sequence[str]) -> Lease:
    """Read what a claimed lease is about; raises StoreError where that cannot be read."""
    with translated():
        work = messages_of(taken)
        if not work and waiting:
            message_of(waiting[0])
        return replace(
            lease,
            taken=work,
            waiting=tuple(readable(waiting)),
            record=record_of(record, is_poisoned=lease.is_poisoned),
        )


def messages_of(taken: str) -> tuple[Message, ...]:
    """Read what a turn has taken; raises msgspec.MsgspecError."""
    stored = decoded(taken, list[str]) if taken else ()
    return tuple(message_of(one) for one in stored)


def readable(waiting: Sequence[str]) -> Iterator[Message]:
    """Read messages until one cannot be: what a newer version wrote must not be overtaken."""
    for stored in waiting:
        try:
            yield message_of(stored)
        except msgspec.MsgspecError:
            return


def record_of(stored: str, *, is_poisoned: bool) -> TurnRecord | None:
    """Read what was done; raises msgspec.MsgspecError unless only an apology is left to be made."""
    try:
        return decoded(stored, TurnRecord) if stored else None
    except msgspec.MsgspecError:
        if is_poisoned:
            return None
        raise


def token_of(entry: tuple[str, dict[str, str]]) -> Token:
    """Read an entry of the stream of tokens."""
    return Token(entry[0], Key(entry[1]["key"]))
