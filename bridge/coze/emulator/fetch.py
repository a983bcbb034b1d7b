"""Fetches the files that a question names, as Coze does before it answers."""

import asyncio
from urllib.parse import unquote, urlsplit

import httpx

from bridge.coze.emulator.asked import Part
from bridge.coze.emulator.record import Download, Record
from bridge.coze.emulator.seeds import PICTURE
from bridge.coze.emulator.sniff import problem
from bridge.coze.emulator.state import Account
from bridge.errors import MediaTooLarge, MediaUnavailable

REDIRECTS = 3
PATIENCE = 5.0
SIZE = 64 * 1024 * 1024


async def first_problem(parts: tuple[Part, ...], account: Account, record: Record) -> str | None:
    """Fetch what is linked, look at what is uploaded, and say what is wrong with it, if anything.

    A file that is not there is a problem like any other: nothing is raised.
    """
    for part in parts:
        if part.type == "text":
            continue
        found = await _problem_of(part, account, record)
        if found:
            return found
    return None


async def _problem_of(part: Part, account: Account, record: Record) -> str | None:
    if not part.file_url:
        upload = account.uploads[part.file_id or ""]
        return problem(part.type, upload.name, upload.content)
    if part.file_url == PICTURE:
        return None  # Coze's own: the documented example is answered on a machine without a net
    try:
        download = await fetch(part.file_url)
    except (MediaUnavailable, MediaTooLarge) as error:
        return str(error)
    record.downloads.append(download)
    record.changed.fire()
    return problem(part.type, unquote(urlsplit(part.file_url).path), download.content)


async def fetch(url: str) -> Download:
    """Download a file; raises MediaUnavailable, MediaTooLarge."""
    # No proxy of the environment: in the sandbox the relay is on loopback.
    client = httpx.AsyncClient(
        follow_redirects=True, max_redirects=REDIRECTS, timeout=PATIENCE, trust_env=False
    )
    try:
        async with asyncio.timeout(PATIENCE), client, client.stream("GET", url) as response:
            if not response.is_success:
                raise MediaUnavailable(f"the file answers with HTTP {response.status_code}")
            content = await _read(response)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise MediaUnavailable(f"the file cannot be fetched: {type(error).__name__}") from error
    return Download(url, content, response.headers.get("content-type", ""))


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > SIZE:
            raise MediaTooLarge(f"the file is larger than {SIZE} bytes")
    return bytes(content)
