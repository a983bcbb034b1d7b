"""Sessions, uploads and secrets: what is kept besides turns."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.model import ConversationId, CozeUserId, Key, Session
from bridge.store import Stores, open_stores

KEY = Key("telegram:helper:7")
SESSION = Session(CozeUserId("u"), ConversationId("c"))


@pytest.fixture
async def stores(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(redis_url, tmp_path, clock) as opened:
        yield opened


async def test_a_session_is_kept_until_it_is_forgotten(stores, redis_url):
    """A conversation goes on after any pause, and begins anew when somebody asks for that."""
    before = await stores.sessions.load(KEY)
    await stores.sessions.save(KEY, SESSION)
    async with Redis.from_url(redis_url) as redis:
        life = await redis.ttl("cb:session:" + KEY)
    kept = await stores.sessions.load(KEY)
    await stores.sessions.forget(KEY)
    await stores.sessions.forget(KEY)

    assert (None, SESSION, -1) == (before, kept, life)
    assert await stores.sessions.load(KEY) is None


async def test_a_session_that_cannot_be_read_is_an_error(stores, redis_url):
    """Nobody's conversation is silently replaced."""
    async with Redis.from_url(redis_url) as redis:
        await redis.set("cb:session:" + KEY, "[]")

    with pytest.raises(StoreError):
        await stores.sessions.load(KEY)


async def test_an_upload_is_known_to_its_account_for_a_while(stores, redis_url):
    """Coze lets only the uploading account use a file, and drops it after three months."""
    await stores.uploads.save("acc", "d1", "file-1")
    async with Redis.from_url(redis_url) as redis:
        life = await redis.ttl("cb:upload:acc:d1")

    assert "file-1" == await stores.uploads.load("acc", "d1")
    assert await stores.uploads.load("other", "d1") is None
    assert 0 < life <= 60 * 86400


async def test_a_secret_is_made_once(stores, redis_url, clock, tmp_path):
    """However many processes ask at the same time, they get the same one."""
    async with open_stores(redis_url, tmp_path, clock) as others:
        found = await asyncio.gather(
            *(each.secrets.load("signing") for each in (stores, others) * 5)
        )

    assert 1 == len(set(found))
    assert 64 == len(found[0])
    assert found[0] != await stores.secrets.load("another")
