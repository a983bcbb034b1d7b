"""Lua scripts: each is one atomic step at the server, described in its own first lines."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from bridge.store.connection import Client, translated


class Script:
    """One script of this folder, ready to run; raises StoreError."""

    def __init__(self, client: Client, name: str) -> None:
        text = files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
        # Sends the script's hash, and its text only to a server that does not know it (any more).
        self._run = client.register_script(text)

    async def __call__(self, keys: Sequence[str], *arguments: str | float) -> Any:
        """Run it; what it returns stands in the script."""
        with translated():
            return await self._run(keys=list(keys), args=list(arguments))
