"""Which Discord this process talks to: the one place that changes settings of discord.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import discord
from discord.http import Route

from adapters.discord.config import API_URL, DiscordConfig
from bridge.errors import ConfigError


@dataclass(slots=True)
class Endpoint:
    """Holds discord.py's API address, which it keeps once for the whole process.

    The gateway's address needs no such setting: it is given with every connection.
    """

    users: int = 0
    api_url: str = API_URL
    before: str = Route.BASE

    @contextmanager
    def hold(self, path: str, config: DiscordConfig) -> Iterator[None]:
        """Lead discord.py to the bot's API while in use; ConfigError where another bot's differs.

        `path` is where the bot's table stands, for the error.
        """
        if not self.users:
            self.api_url, self.before = config.api_url, Route.BASE
        if config.api_url != self.api_url:
            raise ConfigError(
                f"{path}.api_url",
                f"another bot of this process uses {self.api_url}; "
                "run bots of different Discord servers in processes of their own",
            )
        if config.api_url != API_URL:
            Route.BASE = config.api_url
        # The library warns about voice codecs it misses, and a bridge of text needs none.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        self.users += 1
        try:
            yield
        finally:
            self.users -= 1
            if not self.users:
                Route.BASE = self.before
