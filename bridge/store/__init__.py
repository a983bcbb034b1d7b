"""The store: Redis, and nothing but Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import Clock
from bridge.store.connection import connect
from bridge.store.lease import DURATION, Leases
from bridge.store.mailbox import Mailbox
from bridge.store.secret import Secrets
from bridge.store.sessions import Sessions
from bridge.store.stops import Stops
from bridge.store.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that outlives a process."""

    mailbox: Mailbox
    leases: Leases
    stops: Stops
    sessions: Sessions
    uploads: Uploads
    secrets: Secrets


@asynccontextmanager
async def open_stores(
    url: str, data_dir: Path, clock: Clock, lease: float = DURATION
) -> AsyncIterator[Stores]:
    """Open the store at a URL; "embedded" starts a server for the data directory, or joins it.

    `lease` is how long a conversation waits for a worker that died. Raises ConfigError where the
    setting or the server cannot be used, StoreError where it does not answer.
    """
    async with reached(url, data_dir, clock) as actual, connect(actual) as connections:
        yield Stores(
            mailbox=Mailbox(connections.commands),
            leases=Leases(connections, lease),
            stops=Stops(connections),
            sessions=Sessions(connections.commands),
            uploads=Uploads(connections.commands),
            secrets=Secrets(connections.commands),
        )


@asynccontextmanager
async def reached(url: str, data_dir: Path, clock: Clock) -> AsyncIterator[str]:
    """The URL of a server that runs."""
    if url != "embedded":
        yield url
        return
    # Only here: it needs `fcntl`, which Windows has not, and a server elsewhere works there too.
    from bridge.store.embedded import embedded  # noqa: PLC0415

    async with embedded(data_dir, clock) as found:
        yield found
