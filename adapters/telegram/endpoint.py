"""The connections of one bot to its Bot API server."""

import ipaddress
import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from telegram import Bot
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from adapters.telegram.config import TelegramConfig

POLL = 25.0  # seconds that Telegram may keep a getUpdates waiting

# The server itself waits out flood limits of up to 8 s before it answers 429: a shorter read
# time-out would turn a plain "retry after" into a call that may or may not have been carried out.
CONNECT, READ, WRITE, POOL = 5.0, 20.0, 10.0, 5.0

# The library's own five seconds close a connection between two edits of one reply.
KEEPALIVE = 60.0


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """A bot's client, which would show its token, and another one for its files."""

    bot: Bot
    files: httpx.AsyncClient


@asynccontextmanager
async def connect(config: TelegramConfig) -> AsyncIterator[Endpoint]:
    """Open the clients; nothing is sent yet."""
    # Updates are fetched raw, so that one the library cannot parse does not hold up the others.
    warnings.filterwarnings("ignore", "Please use 'Bot.getUpdates'", PTBUserWarning)
    # It would write out an answer it cannot read, and people's words with it; we log such an error.
    logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)
    polls = _request(config, connections=1, read=POLL + READ)
    calls = _request(config, connections=256, read=READ)
    async with (
        polls,
        calls,
        httpx.AsyncClient(
            timeout=httpx.Timeout(READ, connect=CONNECT, pool=POOL),
            proxy=config.proxy or None,
            trust_env=_uses_environment(config.api_url),
        ) as files,
    ):
        bot = Bot(
            config.token,
            base_url=f"{config.api_url}/bot",
            base_file_url=f"{config.api_url}/file/bot",
            request=calls,
            get_updates_request=polls,
        )
        yield Endpoint(bot, files)


def _request(config: TelegramConfig, *, connections: int, read: float) -> HTTPXRequest:
    return HTTPXRequest(
        read_timeout=read,
        write_timeout=WRITE,
        connect_timeout=CONNECT,
        pool_timeout=POOL,
        proxy=config.proxy or None,
        httpx_kwargs={
            "limits": httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=min(connections, 64),
                keepalive_expiry=KEEPALIVE,
            ),
            "trust_env": _uses_environment(config.api_url),
        },
    )


def _uses_environment(api_url: str) -> bool:
    """Whether HTTPS_PROXY and the like apply: never to a server on this machine."""
    host = urlsplit(api_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"
