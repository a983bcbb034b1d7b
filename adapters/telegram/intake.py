"""Reads updates by long polling, and confirms them only when they are durable.

https://core.telegram.org/bots/api#getupdates
"""

import asyncio
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any

from telegram import Bot, Update
from telegram.error import Conflict

from adapters.telegram.config import PLATFORM
from adapters.telegram.endpoint import POLL
from adapters.telegram.errors import translating
from adapters.telegram.normalise import Me, normalise
from bridge.errors import ConfigError, NotPermitted, PlatformError, RateLimited, StoreError
from bridge.log import get_logger
from bridge.model import BotName, Message
from bridge.ports import Deliver

LIMIT = 100  # updates of one answer
UPDATES = ["message"]
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

log = get_logger("telegram.intake")


@dataclass(slots=True)
class Intake:
    """One bot's reading: `offset` is the first update that is not yet durable."""

    name: BotName
    bot: Bot = field(repr=False)  # it would show its token
    deliver: Deliver
    me: Me | None = None
    offset: int = 0
    failures: int = 0  # in a row
    has_webhook: bool = False
    is_contested: bool = False

    async def run(self) -> None:
        """Read until cancelled; ConfigError when Telegram does not know the token."""
        while True:
            try:
                await self._step()
            except NotPermitted as error:
                raise refused(self.name) from error
            except (PlatformError, StoreError) as error:
                await self._recover(error)
            else:
                self.failures, self.is_contested = 0, False

    async def _step(self) -> None:
        """Fetch what is there and deliver it; what could not be delivered is fetched again."""
        with translating():
            me = self.me or await self._greet()
            if self.has_webhook:
                await self.bot.delete_webhook(drop_pending_updates=False)
                self.has_webhook = False
            updates = await self._updates()
        for number, raw in updates:
            if message := self._read(number, raw, me):
                await self.deliver(message)
            self.offset = number + 1

    async def _greet(self) -> Me:
        """Learn who the bot is."""
        self.me = await whoami(self.bot)
        log.info("connected", bot=self.name, account=f"@{self.me.username}")
        return self.me

    async def _updates(self) -> list[tuple[int, Any]]:
        """The updates from `offset` on, as Telegram wrote them; asking confirms those before."""
        wanted = {
            "offset": self.offset,
            "limit": LIMIT,
            "timeout": int(POLL),
            "allowed_updates": UPDATES,
        }
        answer = await self.bot.do_api_request("getUpdates", api_kwargs=wanted)
        return [(raw["update_id"], raw) for raw in answer]

    def _read(self, number: int, raw: Any, me: Me) -> Message | None:
        """A person's message; an update that cannot be read is left out, never met again."""
        try:
            return normalise(Update.de_json(raw, self.bot), me, self.name)
        except Exception as error:  # noqa: BLE001 - a parser of foreign values can fail in any way
            log.warning(
                "update.unreadable", bot=self.name, update=number, error=type(error).__name__
            )
            return None

    async def _recover(self, error: PlatformError | StoreError) -> None:
        """Say what is wrong, and wait before the next try."""
        if isinstance(error.__cause__, Conflict):
            self._give_way(error.__cause__)
        else:
            log.warning("poll.failed", bot=self.name, reason=str(error), failures=self.failures)
        await asyncio.sleep(self._wait(error))

    def _give_way(self, error: Conflict) -> None:
        """Somebody else gets the updates: have a webhook removed, or wait for another process."""
        if "webhook" in str(error).lower():
            advice = "the bot has a webhook; it is removed, because mode is polling"
            log.warning("webhook.found", bot=self.name, advice=advice)
            self.has_webhook = True
        elif not self.is_contested:
            advice = "another process reads with this token: stop it, or give it a bot of its own"
            log.warning("poll.conflict", bot=self.name, advice=advice)
            self.is_contested = True

    def _wait(self, error: PlatformError | StoreError) -> float:
        """Seconds until the next try: more with every failure, and not the same for all bots."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.failures, 10))
        self.failures += 1
        pause = SystemRandom().uniform(0.5, 1.0) * longest
        return max(pause, error.retry_after) if isinstance(error, RateLimited) else pause


async def whoami(bot: Bot) -> Me:
    """Ask Telegram who the bot is; raises the library's errors."""
    user = await bot.get_me()
    return Me(user.id, user.username or "")


def refused(name: BotName) -> ConfigError:
    """What the operator reads when Telegram answers 401 or 404."""
    return ConfigError(
        f"bots.{name}.{PLATFORM}.token",
        "Telegram does not know this token; copy it again from @BotFather (/mybots, API Token), "
        "and see that api_url is a Bot API server",
    )
