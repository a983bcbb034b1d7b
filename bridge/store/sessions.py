"""Who each conversation is to Coze; kept until somebody forgets it."""

import msgspec

from bridge.model import Key, Session
from bridge.store import keys
from bridge.store.connection import Client, translated


class Sessions:
    """Sessions by the key of their conversation. All raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def load(self, key: Key) -> Session | None:
        """Return the session of a conversation, if it has one."""
        with translated():
            stored = await self._client.get(keys.session(key))
            return None if stored is None else msgspec.json.decode(stored, type=Session)

    async def save(self, key: Key, session: Session) -> None:
        """Keep the session of a conversation."""
        with translated():
            await self._client.set(keys.session(key), msgspec.json.encode(session))

    async def forget(self, key: Key) -> None:
        """Let the conversation begin anew."""
        with translated():
            await self._client.delete(keys.session(key))
