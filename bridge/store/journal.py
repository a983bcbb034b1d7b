"""The journal of a turn: what it has done so far, for whoever takes it over."""

import asyncio

import msgspec

from bridge.errors import StoreError
from bridge.model import Replies, TurnRecord
from bridge.store import keys
from bridge.store.fence import Fence
from bridge.store.script import Script

STOPPED = 2  # what the script answers where the turn shall stop


class LeaseJournal:
    """The journal as the holder of a lease writes it. All raise LeaseLost and StoreError."""

    def __init__(self, script: Script, fence: Fence, record: TurnRecord | None) -> None:
        self._script = script
        self._fence = fence
        self._latest = record
        self._order = asyncio.Lock()

    @property
    def latest(self) -> TurnRecord | None:
        """What was written last, by this holder or the one before; None before the first write."""
        return self._latest

    async def write(self, record: TurnRecord) -> None:
        """Remember how far the turn is. Make `record` of `latest`, without an await between."""
        self._latest = record
        await self._save("")

    async def close(self) -> bool:
        """Take no stops any more: what is asked from now on waits. True if one came before."""
        return await self._save("close")

    async def record(self, replies: Replies) -> None:
        """Remember the platform messages so far."""
        if self._latest is None:
            raise StoreError("the journal of a turn begins with `write`")
        await self.write(msgspec.structs.replace(self._latest, replies=replies))

    async def _save(self, close: str) -> bool:
        # One after the other, each with the latest: two connections could swap their order.
        async with self._order:
            record = msgspec.json.encode(self._latest).decode()
            fence = self._fence
            names = (keys.lease(fence.key),)
            saved = await self._script(names, fence.epoch, fence.token, record, close)
        if not saved:
            raise self._fence.lost()
        return bool(saved == STOPPED)
