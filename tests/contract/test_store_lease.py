"""Mailbox, token, lease: every message once, in order, by one worker at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bridge.clock import Clock
from bridge.errors import LeaseLost
from bridge.model import (
    Address,
    BotName,
    ChatId,
    CozeChatId,
    Key,
    Limit,
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
from bridge.store.lease import ATTEMPTS, Lease, Token
from bridge.store.mailbox import CAPACITY, Put

SHORT = 0.2  # seconds of a lease, for tests that wait until one runs out
KEY = Key("helper:telegram:7")
BOT = BotName("helper")
WHERE = Address(BOT, Platform("telegram"), ChatId("7"))
RECORD = TurnRecord(turn=TurnId("t1"), asked_at=5.0, chat=CozeChatId("c1"))
LIMITS = (Limit("chat:7", 0.001, 100),)


def said(order: int, id_: str | None = None, where: Address = WHERE) -> Message:
    return Message(
        id=MessageId(id_ or str(order)),
        address=where,
        sender=Sender(PersonId("1"), "Ann"),
        parts=(Text('ein "Wort" 你好 \\ / \x07'),),
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


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A look behind the scenes."""
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def claimed(stores: Stores) -> Lease:
    """The lease of the one conversation that has a token."""
    (token,) = await stores.leases.tokens(BOT, 10)
    lease = await stores.leases.claim(token)
    assert lease is not None
    return lease


async def taken_over(stores: Stores) -> Lease:
    """The lease of the one conversation whose holder is silent."""
    await asyncio.sleep(SHORT * 1.2)
    (token,) = await stores.leases.abandoned(BOT, 500)
    lease = await stores.leases.claim(token)
    assert lease is not None
    return lease


async def test_a_message_offered_twice_is_taken_once(ann, ben):
    """Two workers get the same update: one message waits."""
    results = await asyncio.gather(
        ann.mailbox.put(KEY, said(1)), ben.mailbox.put(KEY, said(1)), ann.mailbox.put(KEY, said(1))
    )
    lease = await claimed(ann)

    assert [Put.DUPLICATE, Put.DUPLICATE, Put.NEW] == sorted(results, key=lambda put: put.value)
    assert (said(1),) == lease.waiting


async def test_the_same_id_in_another_chat_is_another_message(ann):
    """Telegram counts messages in each chat."""
    elsewhere = Address(WHERE.bot, WHERE.platform, ChatId("8"))
    await ann.mailbox.put(KEY, said(1))

    assert Put.NEW == await ann.mailbox.put(Key("helper:other"), said(1, where=elsewhere))


async def test_a_message_stays_known_after_its_turn(ann):
    """A platform that repeats an update later gets no second answer."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    await ann.leases.release(await ann.leases.begin(lease, lease.waiting))

    assert Put.DUPLICATE == await ann.mailbox.put(KEY, said(1))


async def test_a_full_mailbox_stores_nothing(ann):
    """Past the documented number nothing is taken, and the same message fits in later."""
    for order in range(CAPACITY):
        await ann.mailbox.put(KEY, said(order))
    late = said(CAPACITY)

    assert Put.FULL == await ann.mailbox.put(KEY, late)
    assert Put.DUPLICATE == await ann.mailbox.put(KEY, said(0))

    lease = await claimed(ann)
    await ann.leases.begin(lease, lease.waiting[:1])

    assert Put.NEW == await ann.mailbox.put(KEY, late)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(orders=st.permutations(range(8, 14)))
def test_messages_wait_in_their_own_order(orders, redis_url, clock, tmp_path):
    """However they arrive, they are worked on as the platform ordered them."""

    async def arrive() -> tuple[Message, ...]:
        async with open_stores(redis_url, tmp_path, clock) as stores:
            for order in orders:
                await stores.mailbox.put(KEY, said(order))
            lease = await claimed(stores)
            await stores.leases.release(await stores.leases.begin(lease, lease.waiting))
            async with Redis.from_url(redis_url) as client:
                await client.flushall()
            return lease.waiting

    assert tuple(said(order) for order in range(8, 14)) == asyncio.run(arrive())


async def test_what_arrives_during_a_turn_waits_for_the_next(ann):
    """A turn keeps what it took; the rest makes a new token when it ends."""
    await ann.mailbox.put(KEY, said(2))
    lease = await claimed(ann)
    lease = await ann.leases.begin(lease, lease.waiting)
    await ann.mailbox.put(KEY, said(1))
    await ann.mailbox.put(KEY, said(3))

    assert () == await ann.leases.tokens(BOT, 10)

    await ann.leases.release(lease)
    after = await claimed(ann)

    assert ((said(2),), ()) == (lease.taken, lease.waiting)
    assert ((), (said(1), said(3)), 1) == (after.taken, after.waiting, after.attempt)


async def test_a_released_conversation_without_messages_has_no_token(ann, redis):
    """Nothing is left but the epoch, and that not for ever."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    await ann.leases.release(await ann.leases.begin(lease, lease.waiting))

    assert 0 == await redis.xlen("cb:{helper}:ready")
    assert ["epoch"] == await redis.hkeys("cb:{helper}:lease:" + KEY)
    assert 0 < await redis.ttl("cb:{helper}:lease:" + KEY)

    await ann.mailbox.put(KEY, said(2))

    assert -1 == await redis.ttl("cb:{helper}:lease:" + KEY)


async def test_one_worker_gets_a_token(ann, ben):
    """While a lease is renewed, nobody else finds the conversation."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    for _ in range(4):
        await asyncio.sleep(SHORT / 3)
        await ann.leases.renew(lease)

    assert () == await ben.leases.abandoned(BOT, 500)


async def test_different_conversations_have_different_tokens(ann, ben):
    """One key never waits for another."""
    await ann.mailbox.put(KEY, said(1))
    await ann.mailbox.put(Key("helper:other"), said(2))
    (one,), (other,) = await ann.leases.tokens(BOT, 1), await ben.leases.tokens(BOT, 1)

    assert (KEY, Key("helper:other")) == (one.key, other.key)


async def test_a_turn_goes_on_where_its_worker_died(ann, ben):
    """The next holder gets the messages in work and the journal, under a higher epoch."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    lease = await ann.leases.begin(lease, lease.waiting)
    journal = ann.leases.journal(lease)
    await journal.write(RECORD)
    await journal.record(((MessageId("m1"), MessageId("m2")),))
    await ann.mailbox.put(KEY, said(2))
    after = await taken_over(ben)

    assert (said(1),) == after.taken
    assert (said(2),) == after.waiting
    assert after.record is not None
    assert ((MessageId("m1"), MessageId("m2")),) == after.record.replies
    assert (CozeChatId("c1"), 2, False) == (after.record.chat, after.attempt, after.is_poisoned)
    assert after.epoch > lease.epoch


async def test_a_former_holder_writes_nothing(ann, ben):
    """A worker that slept past its lease is refused everywhere, and ends nothing."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    permits = ann.leases.permits(lease, WHERE.bot, WHERE.platform)

    assert 0.0 == await permits.ask(LIMITS, is_final=True)

    after = await ben.leases.begin(await taken_over(ben), (said(1),))
    for refused in (
        ann.leases.renew(lease),
        ann.leases.begin(lease, lease.waiting),
        ann.leases.journal(lease).write(RECORD),
        permits.ask(LIMITS, is_final=True),
    ):
        with pytest.raises(LeaseLost):
            await refused
    await ann.leases.release(lease)
    await ann.leases.hand_off(Token(lease.token, lease.key))

    assert not await ben.leases.renew(after)
    assert () == await ann.leases.tokens(BOT, 10)


async def test_a_released_lease_is_over_for_its_holder_too(ann):
    """What was forgotten to be cancelled writes nothing into the next turn."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    permits = ann.leases.permits(lease, WHERE.bot, WHERE.platform)
    await ann.leases.release(lease)

    with pytest.raises(LeaseLost):
        await permits.ask(LIMITS, is_final=True)
    with pytest.raises(LeaseLost):
        await ann.leases.journal(lease).write(RECORD)


async def test_who_reads_a_token_and_sleeps_does_not_take_it_back(ann, ben):
    """A token that somebody else took over meanwhile is not to be claimed."""
    await ann.mailbox.put(KEY, said(1))
    (token,) = await ann.leases.tokens(BOT, 10)
    after = await taken_over(ben)

    assert await ann.leases.claim(token) is None
    assert not await ben.leases.renew(after)


async def test_a_stale_token_is_cleaned_away(ann, redis):
    """A token whose turn is over claims nothing and does not come back."""
    await ann.mailbox.put(KEY, said(1))
    (token,) = await ann.leases.tokens(BOT, 10)
    lease = await ann.leases.claim(token)
    await ann.leases.release(await ann.leases.begin(lease, lease.waiting))
    await redis.xadd("cb:{helper}:ready", {"key": KEY})
    (stale,) = await ann.leases.tokens(BOT, 10)

    assert await ann.leases.claim(stale) is None
    assert await ann.leases.claim(token) is None
    assert 0 == await redis.xlen("cb:{helper}:ready")


async def test_a_turn_handed_off_goes_on_at_once_and_uncounted(ann, ben):
    """An orderly end costs the person nothing, however often it happens."""
    await ann.mailbox.put(KEY, said(1))
    (token,) = await ann.leases.tokens(BOT, 10)
    lease = await ann.leases.claim(token)
    lease = await ann.leases.begin(lease, lease.waiting)
    await ann.leases.journal(lease).write(RECORD)
    await ann.leases.hand_off(token)
    after = await claimed(ben)

    assert ((said(1),), RECORD, 1) == (after.taken, after.record, after.attempt)
    assert after.epoch > lease.epoch
    with pytest.raises(LeaseLost):
        await ann.leases.renew(lease)


async def test_a_turn_that_fails_everybody_is_poisoned(ann, ben, redis):
    """After the last attempt it is in the dead-letter stream, once, and its holder is told."""
    await ann.mailbox.put(KEY, said(1))
    lease = await claimed(ann)
    lease = await ann.leases.begin(lease, lease.waiting)
    leases = [lease, *[await taken_over(ben) for _ in range(ATTEMPTS + 1)]]
    (dead,) = await redis.xrange("cb:{helper}:dead")

    assert [False] * ATTEMPTS + [True, True] == [one.is_poisoned for one in leases]
    assert KEY == dead[1]["key"]
    assert (said(1),) == leases[-1].taken

    await ben.leases.release(leases[-1])

    assert 0 == await redis.xlen("cb:{helper}:ready")


async def test_workers_find_a_redis_that_was_emptied(ann, redis):
    """The group of workers is made again, and messages are taken again."""
    await ann.mailbox.put(KEY, said(1))
    await claimed(ann)
    await redis.flushall()

    assert () == await ann.leases.abandoned(BOT, 500)

    await redis.flushall()
    await ann.mailbox.put(KEY, said(1))

    assert (said(1),) == (await claimed(ann)).waiting


async def test_tokens_sent_before_the_first_worker_are_found(ann):
    """A message may arrive when no worker has run yet: the group begins with the oldest token."""
    await ann.mailbox.put(KEY, said(1))

    assert (said(1),) == (await claimed(ann)).waiting


async def test_a_token_handed_off_unclaimed_goes_on_at_once(ann, ben):
    """Who is cancelled between reading a token and claiming it keeps nobody waiting."""
    await ann.mailbox.put(KEY, said(1))
    (token,) = await ann.leases.tokens(BOT, 10)
    await ann.leases.hand_off(token)
    await ann.leases.hand_off(token)
    after = await claimed(ben)

    assert ((said(1),), 1) == (after.waiting, after.attempt)
    assert await ann.leases.claim(token) is None


async def test_a_turn_handed_off_in_the_middle_of_its_claim(ann, ben):
    """Whether the claim arrived or not, the attempt is not counted."""
    await ann.mailbox.put(KEY, said(1))
    (token,) = await ann.leases.tokens(BOT, 10)
    await ann.leases.claim(token)
    await ann.leases.hand_off(token)

    assert 1 == (await claimed(ben)).attempt


async def test_only_tokens_of_silent_workers_are_abandoned(ann, ben):
    """More than one page of them is taken over in one go, but no more than there is room for."""
    for number in range(230):
        await ann.mailbox.put(Key(f"helper:{number}"), said(number))
    await ann.leases.tokens(BOT, 500)
    await asyncio.sleep(SHORT * 1.2)
    counts = [len(await ben.leases.abandoned(BOT, count)) for count in (7, 150, 500, 500)]

    assert [7, 150, 73, 0] == counts


async def test_bots_on_one_store_do_not_meet(ann, ben):
    """A process finds the work of its own bots alone, new or abandoned."""
    other = BotName("other")
    key = Key("other:telegram:7")
    await ann.mailbox.put(key, said(1, where=Address(other, WHERE.platform, WHERE.chat)))
    found = await ann.leases.tokens(BOT, 10)
    (token,) = await ann.leases.tokens(other, 10)
    await asyncio.sleep(SHORT * 1.2)

    assert () == found == await ben.leases.abandoned(BOT, 10)
    assert (Token(token.id, key, "n"),) == tuple(
        replace(one, owner="n") for one in await ben.leases.abandoned(other, 10)
    )
