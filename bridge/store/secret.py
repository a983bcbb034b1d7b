"""Values that are made once and that all processes agree on from then on."""

import secrets

from bridge.store import keys
from bridge.store.connection import Client, translated


class Secrets:
    """Secrets by name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def load(self, name: str) -> str:
        """Return the secret of this name, made by whoever asks first; raises StoreError."""
        with translated():
            await self._client.set(keys.secret(name), secrets.token_hex(32), nx=True)
            return str(await self._client.get(keys.secret(name)))
