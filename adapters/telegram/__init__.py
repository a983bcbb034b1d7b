"""Telegram: a bot on any Bot API server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from adapters.telegram import config
from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.endpoint import connect
from bridge.model import BotName
from bridge.ports import Emulator, PlatformAdapter, Plugin


class TelegramPlugin:
    """The front door of this folder."""

    @asynccontextmanager
    async def open(
        self, bot: BotName, section: Mapping[str, object]
    ) -> AsyncIterator[PlatformAdapter]:
        """Open a bot; ConfigError names a wrong key."""
        async with connect(config.read(bot, section)) as endpoint:
            yield TelegramAdapter(bot, endpoint)

    def from_environment(self, environment: Mapping[str, str]) -> Mapping[str, object] | None:
        """What TELEGRAM_TOKEN and TELEGRAM_API_URL describe."""
        return config.from_environment(environment)

    def emulator(self) -> Emulator:
        """A Bot API server of our own; only the sandbox and tests need its code."""
        from adapters.telegram.emulator import TelegramEmulator  # noqa: PLC0415

        return TelegramEmulator()


plugin: Plugin = TelegramPlugin()
