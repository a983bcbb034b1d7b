"""Every kind of server that a URL may name, and those that cannot be used."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket

import pytest
from msgspec import structs
from redis.asyncio import Redis

from bridge.errors import ConfigError, StoreError
from bridge.model import (
    Address,
    BotName,
    ChatId,
    CozeUserId,
    Key,
    Limit,
    Message,
    MessageId,
    PersonId,
    Platform,
    Sender,
    Session,
)
from bridge.store import Stores, open_stores
from bridge.store.embedded import find_server
from bridge.store.lease import Lease
from bridge.store.mailbox import Put

BOT = BotName("helper")
KEY = Key("helper:telegram:7")
MESSAGE = Message(
    id=MessageId("1"),
    address=Address(BotName("helper"), Platform("telegram"), ChatId("7")),
    sender=Sender(PersonId("1"), "Ann"),
    parts=(),
    is_private=True,
    is_addressed=True,
    order=1,
)


def free_port() -> int:
    """A port that nobody listens on, and whose neighbour 10000 above is a port too."""
    while True:
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            if (port := probe.getsockname()[1]) < 55000:
                return port


@contextmanager
def server(home: Path, *arguments: str) -> Iterator[None]:
    """A server of this test's own."""
    home.mkdir(exist_ok=True)
    command = [str(find_server()), *arguments, "--dir", str(home), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.terminate()


@asynccontextmanager
async def reached(port: int) -> AsyncIterator[Redis]:
    """A client of a server that has just been started."""
    async with Redis(port=port, decode_responses=True) as client:
        while True:
            try:
                await client.ping()
                break
            except (OSError, Exception):  # noqa: BLE001 - refused, or loading
                await asyncio.sleep(0.02)
        yield client


async def take_one_turn(stores: Stores) -> None:
    """Use every script and every kind of call once."""
    leases = stores.leases
    assert Put.NEW == await stores.mailbox.put(KEY, MESSAGE)
    (token,) = await leases.tokens(BOT, 5)
    lease = await leases.claim(token)
    lease = await leases.begin(lease, lease.waiting)
    assert not await leases.renew(lease)
    permits = leases.permits(lease, BotName("helper"), Platform("telegram"))
    assert 0.0 == await permits.ask((Limit("", 1, 9), Limit("chat:7", 1, 9)), is_final=True)
    await permits.hold(Limit("", 1, 9), 1.0)
    await leases.hand_off(token)
    (token,) = await leases.tokens(BOT, 5)
    lease = await leases.claim(token)
    assert (MESSAGE,) == lease.taken
    assert await is_stop_heard(stores, lease)
    await leases.release(lease)
    assert () == await leases.abandoned(BOT, 5)
    await stores.sessions.save(KEY, Session(CozeUserId("u")))
    assert Session(CozeUserId("u")) == await stores.sessions.load(KEY)
    assert await stores.secrets.load("a") == await stores.secrets.load("a")


async def is_stop_heard(stores: Stores, lease: Lease) -> bool:
    """Stop the running turn, each time anew, until it is heard of."""
    heard = asyncio.create_task(anext(stores.stops.heard()))
    order = MESSAGE.order
    while not heard.done():
        order += 1
        wish = structs.replace(MESSAGE, id=MessageId(str(order)), order=order)
        assert await stores.stops.ask(KEY, wish)
        await asyncio.sleep(0.05)
    return await heard == (KEY, lease.epoch)


async def test_a_server_by_tcp_with_a_password(tmp_path, clock):
    """redis:// with credentials; a wrong password is the operator's to correct."""
    port = free_port()
    url = f"redis://default:s%40cret@127.0.0.1:{port}/1"
    with server(tmp_path, "--port", str(port), "--requirepass", "s@cret"):
        while True:
            try:
                async with open_stores(url, tmp_path, clock) as stores:
                    await take_one_turn(stores)
                break
            except StoreError:
                await asyncio.sleep(0.02)
        with pytest.raises(ConfigError, match=r"redis\.url: the server refuses us"):
            async with open_stores(url.replace("s%40cret", "wrong"), tmp_path, clock):
                pass
        with pytest.raises(ConfigError, match=r"redis\.url: the server refuses us"):
            async with open_stores(f"redis://127.0.0.1:{port}", tmp_path, clock):
                pass


async def test_a_cluster(tmp_path, clock):
    """redis+cluster://: every script finds its keys in one slot."""
    port = free_port()
    with server(tmp_path, "--port", str(port), "--cluster-enabled", "yes"):
        async with reached(port) as client:
            await client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            await until_joined(client)
        url = f"redis+cluster://127.0.0.1:{port},127.0.0.1:{port}"
        async with open_stores(url, tmp_path, clock) as stores:
            await take_one_turn(stores)
            both = (stores.leases.tokens(bot, 5) for bot in (BOT, BotName("other")))

            assert [(), ()] == await asyncio.gather(*both)


async def until_joined(client: Redis) -> None:
    """Wait until the one node of a Cluster counts itself as one."""
    while (await client.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":
        await asyncio.sleep(0.02)


async def test_a_master_found_by_sentinel(tmp_path, clock):
    """redis+sentinel://host:port,host:port/service, with a password for the master."""
    port, guard = free_port(), free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {guard}\nsentinel monitor main 127.0.0.1 {port} 1\nsentinel auth-pass main pw\n"
    )
    with (
        server(tmp_path / "m", "--port", str(port), "--requirepass", "pw"),
        server(tmp_path / "s", str(config), "--sentinel"),
    ):
        async with reached(guard):
            pass
        url = f"redis+sentinel://:pw@127.0.0.1:1,127.0.0.1:{guard}/main"
        async with open_stores(url, tmp_path, clock) as stores:
            await take_one_turn(stores)
        with pytest.raises(StoreError):
            async with open_stores(url.replace("/main", "/other"), tmp_path, clock):
                pass


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1:{}", "redis+sentinel://127.0.0.1:{}/main", "redis+cluster://127.0.0.1:{}"],
)
async def test_a_server_that_does_not_answer(url, tmp_path, clock):
    """Nobody there is an error of the store."""
    with pytest.raises(StoreError):
        async with open_stores(url.format(free_port()), tmp_path, clock):
            pass


async def test_a_server_that_keeps_its_facts_to_itself(tmp_path, clock):
    """A user without INFO and other dangerous commands is enough."""
    port = free_port()
    with server(tmp_path, "--port", str(port)):
        async with reached(port) as client:
            await client.acl_setuser(
                "bridge",
                enabled=True,
                passwords=["+pw"],
                keys=["cb:*"],
                channels=["cb:*"],
                categories=["+@all", "-@dangerous", "-@admin"],
            )
        url = f"redis://bridge:pw@127.0.0.1:{port}"
        async with open_stores(url, tmp_path, clock) as stores:
            await take_one_turn(stores)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost",
        "redis://localhost:notaport",
        "redis+sentinel://localhost:26379",
        "redis+sentinel:///service",
        "redis+cluster://",
        "redis+cluster://localhost:99999",
    ],
)
async def test_a_url_that_cannot_be_used(url, tmp_path, clock):
    """The operator is told which setting is wrong."""
    with pytest.raises(ConfigError, match=r"^redis\.url: "):
        async with open_stores(url, tmp_path, clock):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa/s3cr3t@127.0.0.1:6379",
        "redis://helper:s3cr3t/x@127.0.0.1:6379",
        "redis+cluster://:s3cr3t@127.0.0.1:s3cr3t",
        "redis+sentinel://127.0.0.1:s3cr3t/main",
        "redis://[s3cr3t",
    ],
)
async def test_a_url_that_cannot_be_read_is_not_repeated(url, tmp_path, clock):
    """A password that was not encoded is taken for a port, and errors about ports show them."""
    with pytest.raises(ConfigError) as caught:
        async with open_stores(url, tmp_path, clock):
            pass

    assert "redis.url: is no URL; percent-encode the password" == str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_an_option_that_nobody_knows(tmp_path, clock):
    """What follows a question mark may be half of a password, and is not repeated either."""
    port = free_port()
    for url in (
        f"redis://127.0.0.1:{port}?s3cr3t=1",
        f"redis+sentinel://127.0.0.1:{port}/main?sentinel_s3cr3t=1",
    ):
        with pytest.raises(ConfigError, match=r"^redis\.url: has an unknown option") as caught:
            async with open_stores(url, tmp_path, clock):
                pass

        assert "s3cr3t" not in str(caught.value)


async def test_a_server_that_answers_but_will_not_do(tmp_path, clock):
    """What the server says is passed on; that nobody answers is said of silence alone."""
    port = free_port()
    with server(tmp_path, "--port", str(port)):
        async with reached(port):
            pass
        with pytest.raises(StoreError, match=r"^redis\.url: the server says: .*out of range"):
            async with open_stores(f"redis://127.0.0.1:{port}/9999", tmp_path, clock):
                pass
    with pytest.raises(StoreError, match=r"^redis\.url: nobody answers; "):
        async with open_stores(f"redis://127.0.0.1:{port}", tmp_path, clock):
            pass
