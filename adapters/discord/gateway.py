"""Listening to Discord's gateway with discord.py, and staying connected.

The library's own loop ends for good at the first event it cannot parse and at a first connection
that is refused, so the loop is ours: connect, read, resume. https://docs.discord.com/developers/events/gateway
"""

import asyncio
import contextlib
import random
import sys
import zlib
from dataclasses import dataclass
from typing import Never, TypedDict

import aiohttp
import discord
import yarl
from aiohttp_socks import ProxyConnector, ProxyError
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from adapters.discord import normalise
from adapters.discord.config import API_URL, PORTAL, DiscordConfig, path_of, token_refused
from adapters.discord.intake import Intake
from adapters.discord.rest import Rest
from bridge.clock import Clock
from bridge.errors import ConfigError, PlatformError
from bridge.log import get_logger
from bridge.model import BotName

log = get_logger(__name__)

CONNECTING = 60.0  # seconds until a connection has said hello
CLOSING = 2.0  # seconds that the other side has to say goodbye
STABLE = 60.0  # seconds after which a connection was a good one
FIRST_WAIT, LONGEST_WAIT = 0.25, 60.0  # seconds between two connections
RESUMES = 3  # attempts to take up a session before a new one is begun

TOKEN_REFUSED = 4004
INTENT_REFUSED = 4014
CLOSE_CODES = "https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway"

LOST = (
    OSError,
    EOFError,
    ProxyError,
    TimeoutError,
    aiohttp.ClientError,
    discord.HTTPException,
    ReconnectWebSocket,
    PlatformError,
)
# What an answer that is not Discord's leads to inside the library.
NOT_DISCORD = (AttributeError, KeyError, TypeError, ValueError, zlib.error)


class ProxyOptions(TypedDict, total=False):
    """What discord.py's client takes."""

    proxy: str
    connector: aiohttp.BaseConnector


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a session with the gateway was read: what came since is replayed from here."""

    session: str
    sequence: int | None
    gateway: yarl.URL


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the messages of one bot come from."""

    bot: BotName
    config: DiscordConfig
    rest: Rest
    clock: Clock

    async def listen(self, intake: Intake) -> Never:
        """Take in messages until cancelled; ConfigError when Discord refuses the bot for good."""
        wants_content = self.config.message_content
        failures = 0
        while True:
            try:
                async with self.client(intake, wants_content=wants_content) as client:
                    await client.login(self.config.token)
                    await self.follow(client, intake)
            except discord.LoginFailure as error:
                raise token_refused(self.bot) from error
            except discord.ConnectionClosed as error:
                if error.code != INTENT_REFUSED or not wants_content:
                    raise self.refused(error.code) from error
                wants_content = False
                todo = f"switch on Message Content Intent at {PORTAL}, or message_content off"
                log.warning("message_content_refused", bot=self.bot, todo=todo)
            except (*LOST, *NOT_DISCORD) as error:
                failures += 1
                log.warning("login_failed", bot=self.bot, error=name_of(error))
                await asyncio.sleep(wait_after(failures))

    def client(self, intake: Intake, *, wants_content: bool) -> discord.Client:
        """A client that asks for little, keeps nothing and hands messages to `intake`."""
        client = discord.Client(
            intents=discord.Intents(
                guilds=True, guild_messages=True, dm_messages=True, message_content=wants_content
            ),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.5,
            allowed_mentions=discord.AllowedMentions.none(),
            **through(self.config.proxy),
        )

        @client.event
        async def on_message(source: discord.Message) -> None:
            me = client.user.id if client.user else 0
            if message := normalise.message(source, me, self.bot):
                intake.take(message)

        @client.event
        async def on_connect() -> None:
            log.info("connected", bot=self.bot, account=str(client.user))

        @client.event
        async def on_resumed() -> None:
            log.info("resumed", bot=self.bot)

        @client.event
        async def on_error(event: str, *_args: object, **_named: object) -> None:
            log.warning(
                "event_skipped", bot=self.bot, listener=event, error=name_of(sys.exception())
            )

        return client

    async def follow(self, client: discord.Client, intake: Intake) -> Never:
        """Keep one session: dropped, it is resumed; raises ConnectionClosed when refused."""
        start = await self.address()
        bookmark: Bookmark | None = None
        is_first, failures = True, 0
        while True:
            began = self.clock.monotonic()
            try:
                socket = await connected(client, start, bookmark, is_first=is_first)
            except (*LOST, *NOT_DISCORD) as error:
                log.warning("gateway_unreachable", bot=self.bot, error=name_of(error))
                reached = bookmark
            else:
                is_first = False
                reached = await self.read(socket, intake)
            has_advanced = reached is not None and reached != bookmark
            is_good = has_advanced or self.clock.monotonic() - began > STABLE
            failures = 0 if is_good else failures + 1
            bookmark = reached if failures < RESUMES else None
            await asyncio.sleep(wait_after(failures))

    async def address(self) -> yarl.URL:
        """The configured gateway, or the one that belongs to the API."""
        if self.config.gateway_url:
            return yarl.URL(self.config.gateway_url)
        if self.config.api_url == API_URL:
            return DiscordWebSocket.DEFAULT_GATEWAY
        return yarl.URL(await self.rest.gateway())

    async def read(self, socket: DiscordWebSocket, intake: Intake) -> Bookmark | None:
        """Read until the connection ends; None when the session ended with it."""
        try:
            while True:
                await intake.room()
                sequence = socket.sequence
                try:
                    await socket.poll_event()
                except (discord.ConnectionClosed, *LOST):
                    raise
                except Exception as error:  # noqa: BLE001 - whatever a parser of the library raises
                    where = {"bot": self.bot, "sequence": socket.sequence}
                    log.warning("dispatch_skipped", error=name_of(error), **where)
                    if socket.sequence == sequence:
                        # Not one event is bad but the stream: a new connection starts a new one.
                        return bookmark_of(socket)
        except ReconnectWebSocket as request:
            return bookmark_of(socket) if request.resume else None
        except LOST:
            return bookmark_of(socket)
        finally:
            # This first ends the library's heartbeat thread; a peer that is gone says no goodbye.
            with contextlib.suppress(*LOST):
                async with asyncio.timeout(CLOSING):
                    await socket.close()

    def refused(self, code: int) -> ConfigError:
        """What the operator can do about a gateway that does not want the bot."""
        if code == TOKEN_REFUSED:
            return token_refused(self.bot)
        return ConfigError(
            path_of(self.bot),
            f"Discord refuses the connection, close code {code}; see {CLOSE_CODES}",
        )


async def connected(
    client: discord.Client, start: yarl.URL, bookmark: Bookmark | None, *, is_first: bool
) -> DiscordWebSocket:
    """Open a connection and go on where the bookmark is, or begin a session."""
    async with asyncio.timeout(CONNECTING):
        if bookmark is None:
            return await DiscordWebSocket.from_client(client, gateway=start, initial=is_first)
        return await DiscordWebSocket.from_client(
            client,
            gateway=bookmark.gateway,
            resume=True,
            session=bookmark.session,
            sequence=bookmark.sequence,
        )


def bookmark_of(socket: DiscordWebSocket) -> Bookmark | None:
    """How far a connection came; None before Discord has begun a session."""
    if socket.session_id is None:
        return None
    return Bookmark(socket.session_id, socket.sequence, socket.gateway)


def through(proxy: str) -> ProxyOptions:
    """How the client reaches Discord."""
    if proxy.startswith("socks5"):
        # Names are resolved by the proxy either way, which is what the "h" asks for.
        url = proxy.replace("socks5h:", "socks5:")
        return {"connector": ProxyConnector.from_url(url, rdns=True)}
    return {"proxy": proxy} if proxy else {}


def wait_after(failures: int) -> float:
    """Seconds until the next attempt: longer after each failure, and not the same for all."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 16))
    return wait * random.uniform(0.5, 1)  # noqa: S311 - spreads load


def name_of(error: BaseException | None) -> str:
    """What a log line says of an error: its kind, for its text may hold a person's words."""
    return type(error).__name__
