"""Reading a file from its platform, never more than the cap."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bridge.errors import MediaTooLarge, MediaUnavailable
from bridge.model import MediaRef
from bridge.ports import PlatformAdapter

AdapterFor = Callable[[MediaRef], PlatformAdapter | None]


@asynccontextmanager
async def reading(
    adapter: PlatformAdapter | None, ref: MediaRef, max_size: int
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Stream a file; MediaTooLarge as soon as it is known to be larger than `max_size` bytes."""
    if adapter is None:
        raise MediaUnavailable(f"no bot {ref.bot} on {ref.platform} any more")
    if ref.size is not None and ref.size > max_size:
        raise MediaTooLarge(f"{ref.size} bytes, {max_size} allowed")
    async with adapter.open_media(ref) as chunks:
        yield capped(chunks, max_size)


async def capped(chunks: AsyncIterator[bytes], max_size: int) -> AsyncIterator[bytes]:
    """Pass bytes on until there are too many."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_size:
            raise MediaTooLarge(f"more than {max_size} bytes")
        yield chunk
