"""What a worker cannot read: left to a newer one, and in the end to the dead letters."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.model import (
    Address,
    BotName,
    ChatId,
    Key,
    Message,
    MessageId,
    PersonId,
    Platform,
    Sender,
)
from bridge.store import Stores, open_stores
from bridge.store.lease import ATTEMPTS, Lease
from bridge.store.mailbox import member, prefix

SHORT = 0.05  # seconds of a lease
BOT = BotName("helper")
KEY = Key("helper:telegram:7")
MAILBOX, LEASE, DEAD = (
    f"cb:{{helper}}:{name}" for name in (f"mailbox:{KEY}", f"lease:{KEY}", "dead")
)


def said(order: int) -> Message:
    return Message(
        id=MessageId(str(order)),
        address=Address(BOT, Platform("telegram"), ChatId("7")),
        sender=Sender(PersonId("1"), "Ann"),
        parts=(),
        is_private=True,
        is_addressed=True,
        order=order,
    )


def newer(order: int) -> bytes:
    """A message with a part that this version does not know."""
    return member(said(order)).replace('"parts":[]', '"parts":[{"type":"hologram"}]').encode()


@pytest.fixture
async def worker(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(redis_url, tmp_path, clock, lease=SHORT) as stores:
        yield stores


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def next_lease(worker: Stores) -> Lease:
    """Claim the conversation, whether its token is new or abandoned."""
    tokens = await worker.leases.abandoned(BOT, 1)
    while not tokens:
        tokens = await worker.leases.tokens(BOT, 1) or await worker.leases.abandoned(BOT, 1)
    lease = await worker.leases.claim(tokens[0])
    assert lease is not None
    return lease


async def fail(worker: Stores, times: int) -> None:
    """Try so often without success."""
    for _ in range(times):
        with pytest.raises(StoreError, match=r"^(Decode|Validation)Error: "):
            await next_lease(worker)
        await asyncio.sleep(SHORT * 1.2)


async def test_what_waits_behind_is_no_obstacle(worker, redis):
    """A message of a newer version does not stop the older ones before it, nor is it overtaken."""
    await worker.mailbox.put(KEY, said(1))
    await redis.zadd(MAILBOX, {newer(2): 0})
    await worker.mailbox.put(KEY, said(3))
    lease = await next_lease(worker)

    assert (said(1),) == lease.waiting


@pytest.mark.parametrize(
    "stored", [newer(1), prefix(said(1)).encode() + b"{\xff", b"!garbage", b"!\xff\x00"]
)
async def test_an_unreadable_message_ends_as_a_dead_letter(worker, redis, stored):
    """Every attempt may be that of a newer worker; after the last one the conversation goes on."""
    await worker.mailbox.put(KEY, said(2))
    await redis.zadd(MAILBOX, {stored: 0})
    await fail(worker, ATTEMPTS)
    lease = await next_lease(worker)

    assert (True, (), ()) == (lease.is_poisoned, lease.taken, lease.waiting)

    await worker.leases.release(lease)
    after = await next_lease(worker)
    ((_, letter),) = await redis.xrange(DEAD)

    assert ((said(2),), 1) == (after.waiting, after.attempt)
    assert KEY.encode() == letter[b"key"]
    assert b"hologram" not in stored or b"hologram" in letter[b"messages"]


async def test_a_newer_turn_ends_as_a_dead_letter(worker, redis):
    """What a newer worker took is left to its like, and then dropped."""
    await worker.mailbox.put(KEY, said(1))
    await worker.mailbox.put(KEY, said(2))
    lease = await next_lease(worker)
    await worker.leases.begin(lease, lease.waiting[:1])
    await redis.hset(LEASE, "taken", b"[7]")
    await asyncio.sleep(SHORT * 1.2)
    await fail(worker, ATTEMPTS - 1)
    lease = await next_lease(worker)
    await worker.leases.release(lease)
    after = await next_lease(worker)

    assert (True, (), ()) == (lease.is_poisoned, lease.taken, lease.waiting)
    assert ((), (said(2),)) == (after.taken, after.waiting)


async def test_an_unreadable_record_ends_in_an_apology(worker, redis):
    """Once nothing but the apology is left to do, the message is enough."""
    await worker.mailbox.put(KEY, said(1))
    lease = await next_lease(worker)
    await worker.leases.begin(lease, lease.waiting)
    await redis.hset(LEASE, "record", b'{"turn": 7}')
    await asyncio.sleep(SHORT * 1.2)
    await fail(worker, ATTEMPTS - 1)
    lease = await next_lease(worker)

    assert (True, (said(1),), None) == (lease.is_poisoned, lease.taken, lease.record)


async def test_an_apology_that_fails_everybody_is_not_tried_for_ever(worker):
    """After as many attempts again the message is gone, and the conversation goes on."""
    await worker.mailbox.put(KEY, said(1))
    await worker.mailbox.put(KEY, said(2))
    leases = []
    for _ in range(2 * ATTEMPTS + 1):
        leases.append(await next_lease(worker))
        await asyncio.sleep(SHORT * 1.2)
    await worker.leases.release(leases[-1])

    assert [(said(1), said(2))] * 2 * ATTEMPTS + [()] == [lease.waiting for lease in leases]
    assert (said(2),) == (await next_lease(worker)).waiting
