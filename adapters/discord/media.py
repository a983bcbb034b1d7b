"""Opening the attachments of messages: Discord's own hosts only, with a fresh signature."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

import httpx
from socksio import SOCKSError  # httpx lets these of its proxies through

from adapters.discord import handle
from adapters.discord.handle import Handle
from adapters.discord.rest import Rest
from bridge.clock import Clock
from bridge.errors import MediaUnavailable, PlatformError
from bridge.model import MediaRef

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
TIMEOUT = httpx.Timeout(30.0, connect=8.0)
MARGIN = 600.0  # seconds that a URL has to stay good for whoever is given it
EXPIRED = (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Media:
    """The attachments that one bot was sent."""

    http: httpx.AsyncClient
    rest: Rest
    clock: Clock

    @asynccontextmanager
    async def open(self, ref: MediaRef) -> AsyncIterator[AsyncIterator[bytes]]:
        """Stream an attachment's bytes; raises MediaUnavailable."""
        place = handle.read(ref.handle)
        answer = await self.fetch(await self.fresh(place, 0.0))
        try:
            if answer.status_code in EXPIRED:
                await answer.aclose()
                answer = await self.fetch(await self.renewed(place))
            if answer.status_code != httpx.codes.OK:
                raise MediaUnavailable(f"the attachment's host answers {answer.status_code}")
            yield chunks(answer)
        finally:
            await answer.aclose()

    async def public_url(self, ref: MediaRef) -> str | None:
        """A URL that is good for ten minutes at least, or as long as can be had; else None."""
        place = handle.read(ref.handle)
        try:
            return await self.fresh(place, MARGIN)
        except MediaUnavailable:
            return place.url if self.is_good(place.url, 0.0) else None

    async def fresh(self, place: Handle, margin: float) -> str:
        """The attachment's URL, renewed if it ends within `margin`."""
        return place.url if self.is_good(place.url, margin) else await self.renewed(place)

    def is_good(self, url: str, margin: float) -> bool:
        """Whether the URL is on a host of Discord's and does not end within `margin`."""
        end = handle.expires_at(url)
        return self.is_own(url) and (end is None or self.clock.now() + margin < end)

    def is_own(self, url: str) -> bool:
        """Whether the URL leads to Discord, or to the host that is configured in its place."""
        parts, api = urlsplit(url), urlsplit(self.rest.api_url)
        if (parts.scheme, parts.hostname) == (api.scheme, api.hostname):
            return True
        return parts.scheme == "https" and parts.netloc in HOSTS

    async def renewed(self, place: Handle) -> str:
        """Ask for the message's attachments again, or, where history is hidden, for a signature."""
        try:
            try:
                url = await self.looked_up(place)
            except PlatformError:
                url = await self.rest.refreshed(place.url)
        except PlatformError as error:
            raise MediaUnavailable(f"no fresh address: {error}") from error
        if not self.is_good(url, 0.0):
            raise MediaUnavailable("the fresh address is no good")
        return url

    async def looked_up(self, place: Handle) -> str:
        """The attachment's URL as its message has it now; raises MediaUnavailable if it is gone."""
        message = await self.rest.message(place.channel, place.message)
        forwarded = (snapshot.message.attachments for snapshot in message.message_snapshots)
        for attachment in chain(message.attachments, *forwarded):
            if attachment.id == place.attachment:
                return attachment.url
        raise MediaUnavailable("the message no longer has this attachment")

    async def fetch(self, url: str) -> httpx.Response:
        """Begin a download; the bot's token stays here, and redirects are not followed."""
        request = self.http.build_request("GET", url, timeout=TIMEOUT)
        try:
            return await self.http.send(request, stream=True, follow_redirects=False)
        except (httpx.RequestError, SOCKSError) as error:
            raise MediaUnavailable(f"no connection: {type(error).__name__}") from error


async def chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes as they arrive; a broken connection raises MediaUnavailable."""
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    except (httpx.HTTPError, SOCKSError) as error:
        raise MediaUnavailable(f"broke off: {type(error).__name__}") from error
