"""Which content Coze has already: what was uploaded once is not uploaded again."""

from bridge.store import keys
from bridge.store.connection import Client, translated

KEPT = 60 * 86400  # seconds; Coze itself keeps an upload for three months


class Uploads:
    """File ids by account and content; `digest` is the content's hash. All raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def load(self, account: str, digest: str) -> str | None:
        """Return the id of content that this account uploaded before."""
        with translated():
            stored = await self._client.get(keys.upload(account, digest))
            return None if stored is None else str(stored)

    async def save(self, account: str, digest: str, file_id: str) -> None:
        """Remember the id of uploaded content."""
        with translated():
            await self._client.set(keys.upload(account, digest), file_id, ex=KEPT)
