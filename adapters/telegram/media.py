"""Streams the files that people send; the URL they come from holds the bot's token."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

import httpx
from socksio import SOCKSError  # httpx lets these of its proxies through

from adapters.telegram.endpoint import Endpoint
from adapters.telegram.errors import translating
from bridge.errors import MediaTooLarge, MediaUnavailable, PlatformError
from bridge.model import MediaRef


@asynccontextmanager
async def opened(endpoint: Endpoint, ref: MediaRef) -> AsyncIterator[AsyncIterator[bytes]]:
    """A file's bytes as they arrive; raises MediaUnavailable or MediaTooLarge.

    Errors are raised from None: a chain of httpx's would end up in logs with its requests, and
    those hold the token.
    """
    url = await located(endpoint, ref)
    async with AsyncExitStack() as stack:
        try:
            response = await stack.enter_async_context(endpoint.files.stream("GET", url))
        except (httpx.HTTPError, SOCKSError) as error:
            raise MediaUnavailable(type(error).__name__) from None
        if response.status_code != httpx.codes.OK:
            raise MediaUnavailable(f"Telegram answered {response.status_code} for a file")
        yield chunks(response)


async def located(endpoint: Endpoint, ref: MediaRef) -> str:
    """Ask where the file is now; https://core.telegram.org/bots/api#getfile."""
    try:
        with translating():
            file = await endpoint.bot.get_file(ref.handle)
    except PlatformError as error:
        if "file is too big" in str(error).lower():
            raise MediaTooLarge("Telegram hands out files of up to 20 MB") from None
        raise MediaUnavailable(str(error)) from None
    base = endpoint.bot.base_file_url
    if not file.file_path:
        raise MediaUnavailable("Telegram does not say where the file is")
    # The library has put the address in front, unless a file of that name exists on this machine.
    return f"{base}/{quote(file.file_path.removeprefix(base).lstrip('/'))}"


async def chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body, piece by piece."""
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except (httpx.HTTPError, SOCKSError) as error:
        raise MediaUnavailable(type(error).__name__) from None
