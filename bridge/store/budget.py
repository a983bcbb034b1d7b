"""Budgets: what a bot may still send, shared by all processes that speak for it."""

import math
from itertools import chain

from bridge.model import BotName, Limit, Platform
from bridge.store import keys
from bridge.store.connection import Client
from bridge.store.script import Script

RESERVED = 0.5  # the share of each burst that is left to what must be said
REFILL = 600  # seconds by which any burst is full again


class Budgets:
    """The flood limits of all bots. All raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._take = Script(client, "budget")
        self._hold = Script(client, "hold")

    async def take(
        self, platform: Platform, bot: BotName, limits: tuple[Limit, ...], *, is_final: bool
    ) -> float:
        """Take a slot in all limits and return 0.0, or take none and return the seconds to wait."""
        names = [
            *(keys.pace(platform, bot, limit) for limit in limits),
            *(keys.hold(platform, bot, limit) for limit in limits),
        ]
        shapes = ((limit.interval * 1e6, limit.burst) for limit in limits)
        reserved = 0.0 if is_final else RESERVED
        wait = await self._take(names, reserved, *chain.from_iterable(shapes))
        return int(wait) / 1e6

    async def hold(self, platform: Platform, bot: BotName, limit: Limit, seconds: float) -> None:
        """Grant nothing in the limit's scope for so long, nor a burst right after."""
        name = keys.hold(platform, bot, limit)
        await self._hold([name], math.ceil(seconds * 1e6), REFILL * 1000)
