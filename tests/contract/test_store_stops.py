"""A stop: one wish for one turn, whenever it arrives and however often."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.clock import Clock
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
    Text,
    TurnId,
    TurnRecord,
)
from bridge.store import Stores, open_stores
from bridge.store.lease import Lease
from bridge.store.mailbox import Put

SHORT = 0.2  # seconds of a lease, for tests that wait until one runs out
BOT = BotName("helper")
KEY = Key("helper:telegram:7")


def said(order: int) -> Message:
    return Message(
        id=MessageId(str(order)),
        address=Address(BOT, Platform("telegram"), ChatId("7")),
        sender=Sender(PersonId("1"), "Ann"),
        parts=(Text("words"),),
        is_private=True,
        is_addressed=True,
        order=order,
    )


@pytest.fixture
async def ann(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Stores]:
    """One worker."""
    async with open_stores(redis_url, tmp_path, clock) as stores:
        yield stores


@pytest.fixture
async def ben(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Stores]:
    """Another worker, with little patience for the first."""
    async with open_stores(redis_url, tmp_path, clock, lease=SHORT) as stores:
        yield stores


async def claimed(stores: Stores) -> Lease:
    """The lease of the one conversation that has a token."""
    (token,) = await stores.leases.tokens(BOT, 10)
    lease = await stores.leases.claim(token)
    assert lease is not None
    return lease


async def begun(stores: Stores) -> Lease:
    """A turn with the first message that waits."""
    lease = await claimed(stores)
    return await stores.leases.begin(lease, lease.waiting[:1])


async def test_a_stop_reaches_the_running_turn_alone(ann, ben):
    """Whoever renews is told; what waits is answered later."""
    await ann.mailbox.put(KEY, said(1))
    lease = await begun(ann)
    await ann.mailbox.put(KEY, said(2))
    before = await ann.leases.renew(lease)
    is_stopped = await ben.stops.ask(KEY, said(3))
    after = await ann.leases.renew(lease)
    await ann.leases.release(lease)
    following = await begun(ann)

    assert (False, True, True) == (before, is_stopped, after)
    assert ((said(2),), False) == (following.taken, following.is_stopped)
    assert not await ann.leases.renew(following)


async def test_nothing_to_stop_is_a_message_like_any_other(ann):
    """Where nothing runs the wish is not stored, so that it can be answered with a sentence."""
    assert not await ann.stops.ask(KEY, said(1))
    assert Put.NEW == await ann.mailbox.put(KEY, said(1))


async def test_a_stop_offered_again_stops_no_later_turn(ann):
    """A platform repeats what it has no answer to: that is the same wish."""
    await ann.mailbox.put(KEY, said(1))
    first = await begun(ann)
    await ann.stops.ask(KEY, said(2))
    await ann.leases.release(first)
    await ann.mailbox.put(KEY, said(3))
    later = await begun(ann)

    assert await ann.stops.ask(KEY, said(2))
    assert not later.is_stopped
    assert not await ann.leases.renew(later)


async def test_a_stop_that_was_answered_stops_no_later_turn(ann):
    """A needless /stop that was put into the mailbox is known when it comes again."""
    await ann.mailbox.put(KEY, said(1))
    await ann.leases.release(await begun(ann))
    await ann.mailbox.put(KEY, said(2))
    lease = await begun(ann)

    assert await ann.stops.ask(KEY, said(1))
    assert not await ann.leases.renew(lease)


async def test_a_late_stop_spares_what_was_asked_after_it(ann):
    """A /stop that arrives when its turn is over stops neither a running nor a waiting one."""
    await ann.mailbox.put(KEY, said(5))
    waiting = await ann.stops.ask(KEY, said(4))
    lease = await begun(ann)
    running = await ann.stops.ask(KEY, said(4))

    assert (False, False) == (waiting, running)
    assert not lease.is_stopped
    assert not await ann.leases.renew(lease)


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_an_early_stop_stops_the_turn_that_is_about_to_begin(ann, is_claimed):
    """A question and /stop that arrive together: the turn begins stopped, the next one does not."""
    await ann.mailbox.put(KEY, said(1))
    await ann.mailbox.put(KEY, said(2))
    if not is_claimed:
        await ann.stops.ask(KEY, said(3))
    lease = await claimed(ann)
    if is_claimed:
        await ann.stops.ask(KEY, said(3))
    lease = await ann.leases.begin(lease, lease.waiting[:1])
    await ann.leases.release(lease)
    following = await begun(ann)

    assert ((said(1),), True) == (lease.taken, lease.is_stopped)
    assert ((said(2),), False) == (following.taken, following.is_stopped)


async def test_an_early_stop_spares_a_turn_of_a_newer_message(ann):
    """What was claimed before an older message came in late is not what the wish is about."""
    await ann.mailbox.put(KEY, said(5))
    lease = await claimed(ann)
    await ann.mailbox.put(KEY, said(1))

    assert await ann.stops.ask(KEY, said(3))

    lease = await ann.leases.begin(lease, lease.waiting[:1])

    assert ((said(5),), False) == (lease.taken, lease.is_stopped)
    assert not await ann.leases.renew(lease)


async def test_a_stop_survives_the_worker_it_was_meant_for(ann, ben):
    """Who takes the turn over learns from the claim that nobody wants it any more."""
    await ann.mailbox.put(KEY, said(1))
    await begun(ann)
    await ann.stops.ask(KEY, said(2))
    await asyncio.sleep(SHORT * 1.2)
    (token,) = await ben.leases.abandoned(BOT, 1)
    lease = await ben.leases.claim(token)

    assert lease.is_stopped
    assert await ben.leases.renew(lease)


async def test_a_stop_is_heard_by_other_workers_at_once(ann, ben, redis_url):
    """It names the turn; and it is heard still after the connection was lost."""
    await ann.mailbox.put(KEY, said(1))
    lease = await begun(ann)
    heard: asyncio.Queue[tuple[Key, int]] = asyncio.Queue()

    async def listen() -> None:
        async for turn in ann.stops.heard():
            heard.put_nowait(turn)

    async def stop_until_heard(order: int) -> tuple[Key, int]:
        while heard.empty():
            order += 1
            await ben.stops.ask(KEY, said(order))
            await asyncio.sleep(0.05)
        return heard.get_nowait()

    listener = asyncio.create_task(listen())
    try:
        assert (KEY, lease.epoch) == await stop_until_heard(1)

        async with Redis.from_url(redis_url) as redis:
            await redis.client_kill_filter(_type="pubsub")
        while not heard.empty():
            heard.get_nowait()

        assert (KEY, lease.epoch) == await stop_until_heard(1000)
    finally:
        listener.cancel()
        await asyncio.wait([listener])


async def test_a_turn_with_its_final_text_is_not_stopped(ann):
    """What is asked after `close` is left to the mailbox; what was asked before is told."""
    await ann.mailbox.put(KEY, said(1))
    journal = ann.leases.journal(await begun(ann))
    await journal.write(TurnRecord(turn=TurnId("t")))

    assert not await journal.close()
    assert not await ann.stops.ask(KEY, said(2))


async def test_a_stop_just_before_the_final_text_is_told(ann):
    """Whoever closes a turn hears of the stop that nobody has obeyed."""
    await ann.mailbox.put(KEY, said(1))
    journal = ann.leases.journal(await begun(ann))
    await journal.write(TurnRecord(turn=TurnId("t")))

    assert await ann.stops.ask(KEY, said(2))
    assert await journal.close()
