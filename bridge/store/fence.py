"""The fence: what a holder shows with everything it writes, so that a former one writes nothing."""

from dataclasses import dataclass

from bridge.errors import LeaseLost
from bridge.model import Key
from bridge.store import keys
from bridge.store.connection import Client, translated


@dataclass(frozen=True, slots=True)
class Fence:
    """One holding of a conversation: the epoch rises with every holder, the token ends with it."""

    key: Key
    epoch: int
    token: str

    async def check(self, client: Client) -> None:
        """Ask whether the holding is still the current one; raises LeaseLost and StoreError."""
        with translated():
            current = await client.hmget(keys.lease(self.key), ["epoch", "token"])
        if current != [str(self.epoch), self.token]:
            raise self.lost()

    def lost(self) -> LeaseLost:
        """What to raise when the holding is over."""
        return LeaseLost(f"epoch {self.epoch} of this conversation is over")
