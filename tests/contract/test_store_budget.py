"""Flood limits, shared by everybody who speaks for a bot."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.clock import Clock
from bridge.model import BotName, Limit, Platform
from bridge.ports import Permits
from bridge.store import open_stores

# A burst of four, and then nothing for longer than any test: no test depends on time.
CHAT = Limit("chat:7", 1000.0, 4)
BOT = Limit("", 1000.0, 6)
OTHER = Limit("chat:8", 1000.0, 4)


@pytest.fixture
async def permits(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Permits]:
    """Permits outside of a turn."""
    async with open_stores(redis_url, tmp_path, clock) as stores:
        yield stores.leases.permits(None, BotName("helper"), Platform("telegram"))


@pytest.fixture
async def others(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Permits]:
    """The same bot's permits in another process."""
    async with open_stores(redis_url, tmp_path, clock) as stores:
        yield stores.leases.permits(None, BotName("helper"), Platform("telegram"))


async def granted(permits: Permits, *limits: Limit, is_final: bool = True) -> int:
    """How many calls are granted until the first is not."""
    count = 0
    while await permits.ask(limits, is_final=is_final) == 0.0:
        count += 1
    return count


async def test_a_burst_is_granted_and_then_one_call_an_interval(permits):
    """The wait says when the next call will be granted."""
    assert 4 == await granted(permits, CHAT)
    assert 999 < await permits.ask((CHAT,), is_final=True) <= 1000


async def test_a_wait_that_was_kept_is_granted(permits):
    """Whoever waits as long as told gets the slot."""
    limit = (Limit("chat:7", 0.05, 1),)
    await permits.ask(limits=limit, is_final=True)
    await asyncio.sleep(await permits.ask(limit, is_final=True) + 0.001)

    assert 0.0 == await permits.ask(limit, is_final=True)


async def test_two_processes_share_a_budget(permits, others):
    """Together they may do what one may."""
    one, other = await asyncio.gather(granted(permits, CHAT), granted(others, CHAT))

    assert 4 == one + other


async def test_a_part_of_each_burst_is_left_to_what_must_be_said(permits):
    """Edits in between get half of the burst, final texts all that is left."""
    assert 2 == await granted(permits, CHAT, is_final=False)
    assert 2 == await granted(permits, CHAT, is_final=True)


async def test_slots_are_taken_in_all_limits_or_in_none(permits):
    """What one limit refuses costs the others nothing."""
    assert 4 == await granted(permits, CHAT, BOT)
    assert 2 == await granted(permits, OTHER, BOT)
    assert 2 == await granted(permits, OTHER)


async def test_limits_of_another_bot_are_its_own(permits, redis_url, clock, tmp_path):
    """Telegram counts each bot apart."""
    await granted(permits, BOT)
    async with open_stores(redis_url, tmp_path, clock) as stores:
        other = stores.leases.permits(None, BotName("other"), Platform("telegram"))

        assert 6 == await granted(other, BOT)


async def test_no_limits_are_no_wait(permits):
    """A platform without limits is written at any time."""
    assert 0.0 == await permits.ask((), is_final=False)


async def test_a_hold_silences_its_scope_for_everybody(permits, others):
    """After a 429 nothing is granted in that chat, whichever of its limits is asked."""
    await permits.hold(CHAT, 100.0)

    assert 99 < await others.ask((CHAT,), is_final=True) <= 100
    assert 99 < await others.ask((Limit("chat:7", 0.001, 1000),), is_final=True) <= 100
    assert 0.0 == await others.ask((OTHER,), is_final=True)


async def test_a_hold_is_only_ever_extended(permits):
    """A shorter answer that comes later does not end a longer one."""
    await permits.hold(CHAT, 100.0)
    await permits.hold(CHAT, 1.0)

    assert 99 < await permits.ask((CHAT,), is_final=True)

    await permits.hold(CHAT, 200.0)

    assert 199 < await permits.ask((CHAT,), is_final=True)


async def test_after_a_hold_there_is_no_burst(permits):
    """One call is granted when the silence is over, and the next an interval later."""
    await permits.hold(CHAT, 0.05)
    await asyncio.sleep(await permits.ask((CHAT,), is_final=True) + 0.001)

    assert 1 == await granted(permits, CHAT)
    assert 900 < await permits.ask((CHAT,), is_final=True)


async def test_budgets_do_not_stay(permits, redis_url):
    """Everything about limits is forgotten once it no longer matters."""
    await granted(permits, CHAT, BOT)
    await permits.hold(CHAT, 1.0)
    async with Redis.from_url(redis_url) as redis:
        left = [await redis.ttl(name) for name in await redis.keys("cb:{telegram*")]

    assert 3 == len(left)
    assert all(seconds > 0 for seconds in left)


async def test_a_cancelled_call_is_cancelled(permits):
    """Whenever a cancellation arrives during a call, the caller stops."""
    went_on = 0
    for tick in range(400):
        asking = asyncio.create_task(permits.ask((OTHER,), is_final=True))
        await asyncio.sleep(tick * 5e-6)
        is_under_way = not asking.done()
        asking.cancel()
        await asyncio.wait({asking})
        went_on += is_under_way and not asking.cancelled()

    assert 0 == went_on
