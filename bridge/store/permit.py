"""Permits: leave to make one outgoing call, for whoever holds the conversation."""

from bridge.model import BotName, Limit, Platform
from bridge.store.budget import Budgets
from bridge.store.connection import Client
from bridge.store.fence import Fence


class LeasePermits:
    """The permits of one bot; without a fence, for what is said outside of a turn."""

    def __init__(
        self,
        client: Client,
        budgets: Budgets,
        fence: Fence | None,
        bot: BotName,
        platform: Platform,
    ) -> None:
        self._client = client
        self._budgets = budgets
        self._fence = fence
        self._bot = bot
        self._platform = platform

    async def ask(self, limits: tuple[Limit, ...], *, is_final: bool) -> float:
        """Take a slot in all limits at once and return 0.0, or return the seconds to wait.

        Raises LeaseLost and StoreError: then nothing may be sent.
        """
        wait = await self._budgets.take(self._platform, self._bot, limits, is_final=is_final)
        # The fence comes last: between it and the call there is nothing left to wait for.
        if wait == 0.0 and self._fence is not None:
            await self._fence.check(self._client)
        return wait

    async def hold(self, limit: Limit, seconds: float) -> None:
        """Grant nothing in the limit's scope for so long; raises StoreError."""
        await self._budgets.hold(self._platform, self._bot, limit, seconds)
