"""What tests of several rooms need: a real server, and a clock."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from bridge.clock import Clock, SystemClock
from bridge.store.embedded import command, find_server


@pytest.fixture
def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


@pytest.fixture
def redis_url(server_url: str) -> str:
    """A running server with nothing in it; REDIS_TEST_URL names another one to use."""
    with Redis.from_url(server_url, retry=Retry(ConstantBackoff(0.02), 250)) as client:
        client.flushall()
    return server_url


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this test run's own."""
    if given := os.environ.get("REDIS_TEST_URL"):
        yield given
        return
    home = tmp_path_factory.mktemp("store")
    socket = Path(home) / "s"
    with subprocess.Popen(
        command(find_server(), home, socket), stdout=subprocess.DEVNULL
    ) as server:
        yield f"unix://{socket}"
        server.terminate()
