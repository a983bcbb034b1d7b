"""Discord: a bot account there, as a platform of the bridge."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from adapters.discord import config
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.endpoint import Endpoint
from adapters.discord.gateway import Gateway
from adapters.discord.media import Media
from adapters.discord.rest import Rest
from bridge.clock import SystemClock
from bridge.model import BotName
from bridge.ports import Emulator

# What Discord asks of every client; https://docs.discord.com/developers/reference#user-agent
USER_AGENT = "DiscordBot (https://github.com/coze-dev/coze-bridge, 0.1)"


@dataclass(frozen=True, slots=True)
class DiscordPlugin:
    """The front door: all bots on Discord in this process."""

    endpoint: Endpoint = field(default_factory=Endpoint)

    @asynccontextmanager
    async def open(
        self, bot: BotName, section: Mapping[str, object]
    ) -> AsyncIterator[DiscordAdapter]:
        """Prepare a bot described by `[bots.<bot>.discord]`; ConfigError names a wrong key."""
        checked = config.read(bot, section)
        # The proxy is the one that is configured, for discord.py reads no environment either.
        client = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT}, proxy=checked.proxy or None, trust_env=False
        )
        with self.endpoint.hold(config.path_of(bot), checked):
            async with client as http:
                clock = SystemClock()
                rest = Rest(http, checked.api_url, checked.token)
                gateway = Gateway(bot, checked, rest, clock)
                yield DiscordAdapter(bot, gateway, rest, Media(http, rest, clock))

    def from_environment(self, environment: Mapping[str, str]) -> Mapping[str, object] | None:
        """The section that DISCORD_TOKEN and its like describe, or None."""
        return config.from_environment(environment)

    def emulator(self) -> Emulator:
        """A stand-in for Discord; loaded only when asked for."""
        from adapters.discord.emulator import DiscordEmulator  # noqa: PLC0415 - never in production

        return DiscordEmulator()


plugin = DiscordPlugin()
