"""One bot on Telegram."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from adapters.telegram.config import PLATFORM
from adapters.telegram.endpoint import Endpoint
from adapters.telegram.errors import translating
from adapters.telegram.intake import Intake, refused, whoami
from adapters.telegram.media import opened
from adapters.telegram.surface import TelegramSurface
from bridge.errors import NotPermitted
from bridge.model import Address, BotName, MediaRef, MessageId, Platform
from bridge.ports import Deliver


@dataclass(frozen=True, slots=True)
class TelegramAdapter:
    """Reads and writes with one bot's token."""

    bot: BotName
    endpoint: Endpoint
    platform: Platform = PLATFORM

    async def check(self) -> str:
        """The bot's @username; ConfigError if Telegram refuses the token."""
        try:
            with translating():
                me = await whoami(self.endpoint.bot)
        except NotPermitted as error:
            raise refused(self.bot) from error
        return f"@{me.username}"

    async def receive(self, deliver: Deliver) -> None:
        """Deliver messages until cancelled; an update is confirmed when it is durable."""
        await Intake(self.bot, self.endpoint.bot, deliver).run()

    def surface(self, address: Address, reply_to: MessageId | None) -> TelegramSurface:
        """Where the reply to that message is written."""
        return TelegramSurface.of(self.endpoint.bot, address, reply_to)

    def open_media(self, ref: MediaRef) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream a file's bytes; raises MediaUnavailable or MediaTooLarge."""
        return opened(self.endpoint, ref)

    async def public_url(self, ref: MediaRef) -> str | None:  # noqa: ARG002 - the same for all
        """Return none: every URL of a file on Telegram holds the bot's token."""
        return None
