"""The relay: serves the files behind signed links to Coze, opening them as they are fetched."""

from collections.abc import AsyncIterator

from aiohttp import web

from bridge.clock import Clock
from bridge.errors import LinkExpired, LinkForged, MediaTooLarge, MediaUnavailable
from bridge.log import get_logger
from bridge.media.reading import AdapterFor, reading
from bridge.media.signing import verify
from bridge.model import MediaRef

log = get_logger(__name__)

PATH = "/media"

# Served under their own type; all else, SVG and HTML too, could act as a page of this host.
SHOWN_TYPES = frozenset(
    {
        *(
            f"image/{kind}"
            for kind in ("png", "jpeg", "gif", "webp", "bmp", "tiff", "heic", "heif")
        ),
        *(f"audio/{kind}" for kind in ("mpeg", "ogg", "wav", "x-wav", "mp4", "aac", "flac")),
        "video/mp4",
        "application/pdf",
    }
)


class Relay:
    """Answers GET /media/<token>/<name>."""

    def __init__(self, adapter_for: AdapterFor, key: bytes, max_size: int, clock: Clock) -> None:
        self._adapter_for = adapter_for
        self._key = key
        self._max_size = max_size
        self._clock = clock

    def application(self) -> web.Application:
        """The web application to serve at `media.bind`."""
        app = web.Application()
        app.router.add_get(PATH + "/{token}/{name}", self._get, allow_head=True)
        return app

    async def _get(self, request: web.Request) -> web.StreamResponse:
        try:
            ref = verify(request.match_info["token"], now=self._clock.now(), key=self._key)
            return await self._answer(request, ref)
        except (LinkForged, MediaUnavailable) as error:
            log.warning("media refused", reason=str(error))
            raise web.HTTPNotFound from error
        except LinkExpired as error:
            raise web.HTTPGone from error
        except MediaTooLarge as error:
            raise web.HTTPRequestEntityTooLarge(self._max_size, 0) from error

    async def _answer(self, request: web.Request, ref: MediaRef) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers(ref))
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        async with reading(self._adapter_for(ref), ref, self._max_size) as chunks:
            # The first bytes come before the status: until then the answer can still be an error.
            first = await anext(chunks, b"")
            await response.prepare(request)
            await response.write(first)
            await copy(chunks, response)
        await response.write_eof()
        return response


async def copy(chunks: AsyncIterator[bytes], response: web.StreamResponse) -> None:
    """Send the rest; a failure now cuts the connection, so that nobody takes half for whole."""
    try:
        async for chunk in chunks:
            await response.write(chunk)
    except (MediaUnavailable, MediaTooLarge) as error:
        log.warning("media cut off", reason=str(error))
        response.force_close()
        raise ConnectionResetError from error


def headers(ref: MediaRef) -> dict[str, str]:
    """What Coze is told of a file, and what a browser must not make of it."""
    is_shown = ref.mime_type in SHOWN_TYPES
    return {
        "Content-Type": ref.mime_type if is_shown else "application/octet-stream",
        "Content-Disposition": "inline" if is_shown else "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
