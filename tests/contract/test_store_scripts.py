"""Every script may run twice: a client whose connection broke repeats what may have happened."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bridge.store.script import Script

SEEN, MAILBOX, LEASE = "cb:{b}:seen:1", "cb:{b}:mailbox:k", "cb:{b}:lease:k"
READY, DEAD, GROUP = "cb:{b}:ready", "cb:{b}:dead", "workers"
PUT = ((SEEN, MAILBOX, LEASE, READY), "nonce", "1|1|{}", "k", 60000, 50)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client with the workers' group made, and one message put."""
    async with Redis.from_url(redis_url, decode_responses=True, protocol=2) as client:
        await client.xgroup_create(READY, GROUP, id="0", mkstream=True)
        await Script(client, "put")(*PUT)
        yield client


async def state(redis: Redis) -> list[object]:
    """All that is kept, but for times."""
    return [
        sorted(await redis.keys()),
        await redis.zrange(MAILBOX, 0, -1),
        await redis.hgetall(LEASE),
        await redis.xrange(READY),
        await redis.xrange(DEAD),
        [(one["message_id"], one["consumer"]) for one in await pending(redis)],
        await redis.get("cb:{b}:hold:"),
    ]


async def pending(redis: Redis) -> list[dict[str, str]]:
    return await redis.xpending_range(READY, GROUP, "-", "+", 100)


async def twice(redis: Redis, name: str, *arguments: object) -> tuple[object, object]:
    """Run a script twice; prove that the second run leaves everything as it was."""
    script = Script(redis, name)
    first = await script(*arguments)
    after = await state(redis)
    second = await script(*arguments)

    assert after == await state(redis)

    return first, second


async def held(redis: Redis, attempts: int = 5) -> tuple[str, str]:
    """Claim the message's conversation; return epoch and token."""
    ((_, ((token, _),)),) = await redis.xreadgroup(GROUP, "ann", {READY: ">"})
    names = (LEASE, MAILBOX, READY, DEAD)
    first, second = await twice(redis, "claim", names, token, "owner", GROUP, "ann", "k", attempts)

    assert first == second

    return first[0], token


async def test_put(redis):
    """A repeated put is answered like the first, unlike the same message put again."""
    await redis.delete(SEEN, MAILBOX, LEASE)

    assert ("new", "new") == await twice(redis, "put", *PUT)
    assert "duplicate" == await Script(redis, "put")(PUT[0], "other", *PUT[2:])


async def test_claim(redis):
    """A repeated claim has the same epoch, and is the same attempt."""
    epoch, _ = await held(redis)

    assert 1 < int(epoch)
    assert "1" == await redis.hget(LEASE, "attempt")
    assert 1 == len(await pending(redis))
    assert (
        await Script(redis, "claim")(
            (LEASE, MAILBOX, READY, DEAD), "0-1", "owner", GROUP, "ann", "k", 5
        )
        is None
    )


async def test_poisoned_claim(redis):
    """A repeated claim writes one dead letter, with the first message if none was taken."""
    await redis.zadd(MAILBOX, {"2|2|{}": 0})
    await held(redis, attempts=0)
    ((_, letter),) = await redis.xrange(DEAD)

    assert {"key": "k", "messages": '["1|1|{}"]', "record": ""} == letter


async def test_begin(redis):
    """A repeated begin takes the same, and a later one no more than the first."""
    names = (LEASE, MAILBOX)
    held_by = await held(redis)
    first, second = await twice(redis, "begin", names, *held_by, "1|1|")
    await redis.zadd(MAILBOX, {"2|2|{}": 0})

    assert ['["1|1|{}"]', 0] == first == second
    assert first == await Script(redis, "begin")(names, *held_by, "2|2|")
    assert ["2|2|{}"] == await redis.zrange(MAILBOX, 0, -1)


async def test_renew(redis):
    """A repeated renewal holds."""
    names = (LEASE, READY)
    held_by = await held(redis)

    assert ("held", "held") == await twice(redis, "renew", names, *held_by, GROUP, "ann")
    assert "lost" == await Script(redis, "renew")(names, "1", held_by[1], GROUP, "ann")


async def test_journal(redis):
    """A repeated entry is one entry."""
    assert (1, 1) == await twice(redis, "journal", (LEASE,), *await held(redis), "{}")


async def test_stop(redis):
    """A repeated stop is one wish, and one that came too early is not known afterwards."""
    names, rest = ("cb:{b}:seen:2", LEASE, MAILBOX), (60000, "cb:stops", "k")

    assert (0, 0) == await twice(redis, "stop", names, "0", *rest)
    assert (0, 0) == await twice(redis, "stop", names, "1", *rest)
    assert (1, 1) == await twice(redis, "stop", names, "2", *rest)


async def test_release(redis):
    """A repeated release makes no second token for what waits."""
    names = (LEASE, MAILBOX, READY)
    await twice(redis, "release", names, *await held(redis), GROUP, "k", 60)

    assert 1 == await redis.xlen(READY)
    assert [] == await pending(redis)


async def test_hand_off(redis):
    """A repeated hand-off makes no second token and gives no second attempt back."""
    _, token = await held(redis)
    await twice(redis, "hand_off", (LEASE, READY), token, "owner", GROUP, "ann", "k")

    assert 1 == await redis.xlen(READY)
    assert "0" == await redis.hget(LEASE, "attempt")


async def test_sweep(redis):
    """Consumers that hold nothing are forgotten, those that hold something never."""
    await redis.xreadgroup(GROUP, "ann", {READY: ">"})
    await redis.xgroup_createconsumer(READY, GROUP, "gone")
    await Script(redis, "sweep")((READY,), GROUP, 3600000)

    assert 2 == len(await redis.xinfo_consumers(READY, GROUP))

    await twice(redis, "sweep", (READY,), GROUP, -1)

    assert ["ann"] == [one["name"] for one in await redis.xinfo_consumers(READY, GROUP)]


async def test_scripts_survive_an_emptied_script_cache(redis):
    """A server that was restarted is sent the script again."""
    script = Script(redis, "put")
    await script(*PUT)
    await redis.script_flush()

    assert "new" == await script(*PUT)
