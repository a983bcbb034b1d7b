"""The files of messages: signed links that expire, and the serving of what they name.

https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
"""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aiohttp import web

from adapters.discord.emulator.world import Attachment, World

LIFE = 86_400.0
GONE = "This content is no longer available."


class Cdn:
    """Signs links and serves files."""

    def __init__(self, world: World) -> None:
        self.base = ""  # the server's URL, once it has one
        self._world = world
        self._key = secrets.token_bytes(32)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where files are fetched."""
        return [web.get("/attachments/{channel}/{attachment}/{name}", self.serve)]

    def link(self, attachment: Attachment) -> str:
        """A link that is good for a day."""
        return self.sign(f"/attachments/{attachment.channel}/{attachment.id}/{attachment.name}")

    def sign(self, path: str) -> str:
        """Sign the unquoted path of a file."""
        issued = int(self._world.clock.now())
        times = f"{issued + int(LIFE):x}", f"{issued:x}"
        mark = self._mark(path, *times)
        return f"{self.base}{quote(path)}?ex={times[0]}&is={times[1]}&hm={mark}&"

    def refresh(self, url: str) -> str | None:
        """Sign again what a link names, or None when it is none of ours."""
        parts = urlsplit(url)
        is_ours = f"{parts.scheme}://{parts.netloc}" == self.base
        is_file = parts.path.startswith("/attachments/") and parts.path.count("/") == 4
        return self.sign(unquote(parts.path)) if is_ours and is_file else None

    async def serve(self, request: web.Request) -> web.Response:
        """Hand out a file to whoever has a link that is whole and not too old."""
        query = parse_qs(request.query_string)
        times = [query.get(name, [""])[0] for name in ("ex", "is")]
        given = query.get("hm", [""])[0]
        is_whole = hmac.compare_digest(given.encode(), self._mark(request.path, *times).encode())
        found = self._find(request)
        if not is_whole or found is None or int(times[0], 16) < self._world.clock.now():
            return web.Response(status=404, text=GONE)
        return web.Response(body=found.content, headers={"Content-Type": found.mime})

    def _find(self, request: web.Request) -> Attachment | None:
        wanted = request.match_info
        for message in self._world.shown(wanted["channel"]):
            for attachment in message.attachments:
                if (attachment.id, attachment.name) == (wanted["attachment"], wanted["name"]):
                    return attachment
        return None

    def _mark(self, path: str, expires: str, issued: str) -> str:
        signed = f"{path}\n{expires}\n{issued}".encode()
        return hmac.new(self._key, signed, hashlib.sha256).hexdigest()
