"""Connections to Redis: from a URL to clients that fail fast, and from its errors to ours."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow

from bridge.errors import ConfigError, StoreError
from bridge.log import get_logger

log = get_logger(__name__)

Client = Redis | RedisCluster
Options = dict[str, Any]  # what redis-py takes as keyword arguments is of many types

BLOCK = 1.0  # seconds that a read for new tokens waits at the server
OLDEST = (6, 2)
UNKNOWN = "has an unknown option after its question mark; percent-encode the password"
SILENT = (Unreachable, TooSlow, RedisClusterException, OSError)  # nobody is there, or wakes up

# redis-py's defaults do not suit: a time-out shorter than our blocking read, ten silent retries
# that repeat what they write, and a reply format that changes its shape between versions.
COMMON: Options = {
    "decode_responses": True,
    "encoding_errors": "surrogateescape",  # a value that is no text fails its reader, not the call
    "protocol": 2,
    "health_check_interval": 15,
}
POOL = 32  # connections for commands; more callers than that wait for their turn
WIDE_POOL = 512  # for reads that block, and for Sentinel and Cluster: their pools raise when empty
COMMANDS: Options = {"socket_timeout": 2, "socket_connect_timeout": 2}
BLOCKING: Options = {
    "socket_timeout": BLOCK + 3,
    "socket_connect_timeout": 2,
    "max_connections": WIDE_POOL,
}


@dataclass(frozen=True, slots=True)
class Connections:
    """Two clients: a command never waits behind a blocking read."""

    commands: Client
    blocking: Client


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Connections]:
    """Connect to the server, Sentinel or Cluster of a URL.

    Raises ConfigError for a URL or a server that cannot be used, StoreError for one that does not
    answer.
    """
    once = Retry(ExponentialBackoff(cap=0.3, base=0.05), 1)
    async with (
        client(url, {**COMMON, **COMMANDS, "retry": once}) as commands,
        client(url, {**COMMON, **BLOCKING, "retry": Retry(NoBackoff(), 0)}) as blocking,
    ):
        with refusals():
            await examine(commands)
        yield Connections(commands, blocking)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what redis-py raises, and stored values that cannot be read, into StoreError."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{type(error).__name__}: {error}") from error
    # redis-py looks for stale replies under a time-out of zero, and when a cancellation arrives
    # just then, `asyncio.timeout` takes it for its own: the call succeeds and nobody stops.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def refusals() -> Iterator[None]:
    """Tell a server that refuses us, where the operator can act, from one that does not answer."""
    try:
        with translated():
            yield
    except TypeError:
        raise ConfigError("redis.url", UNKNOWN) from None
    except StoreError as error:
        if isinstance(error.__cause__, AuthenticationError | AuthorizationError):
            raise ConfigError("redis.url", f"the server refuses us: {error.__cause__}") from error
        if not isinstance(error.__cause__, SILENT):
            raise StoreError(f"redis.url: the server says: {error.__cause__}") from error
        advice = "start a server there, or name another one"
        raise StoreError(f"redis.url: nobody answers; {advice} ({error.__cause__})") from error


@asynccontextmanager
async def client(url: str, options: Options) -> AsyncIterator[Client]:
    """Make a client of a URL and close it in the end; it connects when it is first used."""
    try:
        made, closed_along = make(urlsplit(url), url, options)
    except ValueError:
        # Not its words: what is taken for a port may be of the password.
        raise ConfigError("redis.url", "is no URL; percent-encode the password") from None
    except TypeError:
        raise ConfigError("redis.url", UNKNOWN) from None
    try:
        yield made
    finally:
        await made.aclose()
        for other in closed_along:
            await other.aclose()


def make(parts: SplitResult, url: str, options: Options) -> tuple[Client, list[Redis]]:
    """Make the client, and name those it needs and does not close itself."""
    match parts.scheme:
        case "redis" | "rediss" | "unix":
            return single(url, options), []
        case "redis+sentinel" | "rediss+sentinel":
            return sentinel(parts, options)
        case "redis+cluster" | "rediss+cluster":
            return cluster(parts, options), []
    raise ConfigError(
        "redis.url",
        "write embedded, redis://, rediss://, unix://, redis+sentinel://host:port,host:port/service"
        " or redis+cluster://host:port,host:port",
    )


def single(url: str, options: Options) -> Redis:
    """One server. Its pool makes callers wait, where redis-py's own would raise."""
    sized = {"max_connections": POOL, **options}
    pool: ConnectionPool = BlockingConnectionPool.from_url(url, timeout=5, **sized)
    return Redis.from_pool(pool)


def sentinel(parts: SplitResult, options: Options) -> tuple[Redis, list[Redis]]:
    """The master that the Sentinels name, asked again after a failover.

    `?sentinel_password=…` is for Sentinels that have one; the URL's own is the master's.
    """
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ConfigError("redis.url", "name the service: redis+sentinel://host:port/service")
    own = {key.removeprefix("sentinel_"): value for key, value in parse_qsl(parts.query)}
    # redis-py leaves this class without types.
    make_sentinel: Any = Sentinel
    shared = {**options, "max_connections": WIDE_POOL, **tls(parts)}
    scout = make_sentinel(hosts(parts, 26379), sentinel_kwargs={**shared, **own})
    master = scout.master_for(service, db=int(database or 0), **shared, **credentials(parts))
    return master, scout.sentinels


def cluster(parts: SplitResult, options: Options) -> RedisCluster:
    """A Cluster, found through any of its nodes."""
    nodes = [ClusterNode(host, port) for host, port in hosts(parts, 6379)]
    shared = {**options, "max_connections": WIDE_POOL, **tls(parts)}
    return RedisCluster(startup_nodes=nodes, **shared, **credentials(parts))


def hosts(parts: SplitResult, default_port: int) -> list[tuple[str, int]]:
    """The host:port,host:port of a URL, which `urlsplit` does not take apart."""
    found = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        host = urlsplit(f"//{place}")
        if not host.hostname:
            raise ConfigError("redis.url", "names no host")
        found.append((host.hostname, host.port or default_port))
    return found


def credentials(parts: SplitResult) -> Options:
    """User and password of a URL, where it has them."""
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    given = {"username": unquote(user), "password": unquote(password)}
    return {key: value for key, value in given.items() if value}


def tls(parts: SplitResult) -> Options:
    """What encrypts a connection."""
    return {"ssl": True} if parts.scheme.startswith("rediss") else {}


async def examine(commands: Client) -> None:
    """Refuse a server that is too old; warn of one that may forget."""
    try:
        facts = await about(commands)
    except NoPermissionError:
        log.info("store not examined", reason="INFO is not permitted")
        return
    version = str(facts.get("redis_version", "6.2"))
    if tuple(int(piece) for piece in version.split(".")[:2]) < OLDEST:
        raise ConfigError("redis.url", f"the server is Redis {version}; 6.2 or newer is needed")
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        log.warning("store may evict messages", maxmemory_policy=facts["maxmemory_policy"])
    if not facts.get("aof_enabled", 1):
        log.warning("store may lose messages", appendonly="no")


async def about(commands: Client) -> Mapping[str, object]:
    """What a server, or one node of a Cluster, tells about itself."""
    if isinstance(commands, RedisCluster):
        await commands.initialize()
        node = commands.get_primaries()[0]
        facts: Mapping[str, object] = await commands.info(target_nodes=node)
        return facts
    return await commands.info()
