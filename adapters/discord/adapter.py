"""One bot on Discord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from adapters.discord.config import token_refused
from adapters.discord.gateway import Gateway
from adapters.discord.intake import Intake
from adapters.discord.media import Media
from adapters.discord.normalise import PLATFORM
from adapters.discord.rest import Rest
from adapters.discord.surface import DiscordSurface
from bridge.errors import NotPermitted
from bridge.model import Address, BotName, MediaRef, MessageId, Platform
from bridge.ports import Deliver

SETTLING = 2.0  # seconds in which what was read becomes durable when the bot is stopped


@dataclass(frozen=True, slots=True)
class DiscordAdapter:
    """A bot account: listens through discord.py, writes through our own REST client."""

    bot: BotName
    gateway: Gateway
    rest: Rest
    media: Media

    @property
    def platform(self) -> Platform:
        """The folder's name."""
        return PLATFORM

    async def check(self) -> str:
        """Ask Discord for the bot's name; ConfigError if it refuses the token."""
        try:
            return (await self.rest.me()).username
        except NotPermitted as error:
            raise token_refused(self.bot) from error

    async def receive(self, deliver: Deliver) -> None:
        """Deliver messages until cancelled; ConfigError when Discord refuses the bot for good."""
        try:
            async with asyncio.TaskGroup() as tasks:
                intake = Intake(deliver, tasks)
                try:
                    await self.gateway.listen(intake)
                finally:
                    await intake.settle(SETTLING)
        except ExceptionGroup as failed:
            # The first failure ends the others, and is the one that says why.
            raise failed.exceptions[0] from failed

    def surface(self, address: Address, reply_to: MessageId | None) -> DiscordSurface:
        """Where the reply to that message is written."""
        return DiscordSurface(self.rest, address.chat, reply_to)

    def open_media(self, ref: MediaRef) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream an attachment's bytes; raises MediaUnavailable."""
        return self.media.open(ref)

    async def public_url(self, ref: MediaRef) -> str | None:
        """Discord's own signed URL, good for ten minutes at least."""
        return await self.media.public_url(ref)
