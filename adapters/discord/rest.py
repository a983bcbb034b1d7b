"""Discord's HTTP API, as far as a reply needs it: one request a call, no queue and no retry.

https://docs.discord.com/developers/reference
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeVar

import httpx
import msgspec
from socksio import SOCKSError  # httpx lets these of its proxies through

from adapters.discord.refusal import refusal
from bridge.errors import MessageGone, PlatformUnavailable

T = TypeVar("T")

TIMEOUT = httpx.Timeout(8.0)
NONCE_LENGTH = 25
SUPPRESS_EMBEDS = 1 << 2
SILENT: Mapping[str, object] = {"parse": [], "replied_user": False}

# Failures of httpx after which nothing can have reached the server.
UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    SOCKSError,
)


class User(msgspec.Struct, frozen=True):
    """An account."""

    id: str
    username: str


class Entrance(msgspec.Struct, frozen=True):
    """Where the gateway is."""

    url: str


class Attachment(msgspec.Struct, frozen=True):
    """A file of a message."""

    id: str
    url: str


class Forwarded(msgspec.Struct, frozen=True):
    """What a forwarded message was."""

    attachments: tuple[Attachment, ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """A forwarded message inside another."""

    message: Forwarded


class Posted(msgspec.Struct, frozen=True):
    """A message, as far as we read it."""

    id: str
    attachments: tuple[Attachment, ...] = ()
    message_snapshots: tuple[Snapshot, ...] = ()


class RefreshedUrl(msgspec.Struct, frozen=True):
    """One attachment's new address."""

    refreshed: str


class RefreshedUrls(msgspec.Struct, frozen=True):
    """New addresses of attachments."""

    refreshed_urls: tuple[RefreshedUrl, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """One bot's calls; all raise `PlatformError`."""

    http: httpx.AsyncClient
    api_url: str
    token: str

    async def me(self) -> User:
        """Who the token belongs to."""
        return decoded(await self.call("GET", "/users/@me"), User)

    async def gateway(self) -> str:
        """Where this API's gateway is."""
        return decoded(await self.call("GET", "/gateway"), Entrance).url

    async def message(self, channel: str, message: str) -> Posted:
        """Look up a message: needs the right to read the channel's history."""
        return decoded(await self.call("GET", f"/channels/{channel}/messages/{message}"), Posted)

    async def refreshed(self, url: str) -> str:
        """Sign an attachment's address anew: needs no right."""
        body = {"attachment_urls": [url]}
        answer = await self.call("POST", "/attachments/refresh-urls", body)
        urls = decoded(answer, RefreshedUrls).refreshed_urls
        if not urls:
            raise MessageGone("no such attachment")
        return urls[0].refreshed

    async def post(self, channel: str, content: str, *, nonce: str, reply_to: str | None) -> str:
        """Send a message and return its id; for some minutes a nonce gives only one message.

        Mentions in it are shown and wake nobody, and links are not unfolded: a preview would come
        and go with every edit.
        """
        body: dict[str, object] = {
            "content": content,
            "allowed_mentions": SILENT,
            "flags": SUPPRESS_EMBEDS,
            "nonce": shortened(nonce),
            "enforce_nonce": True,
        }
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
        answer = await self.call("POST", f"/channels/{channel}/messages", body)
        return decoded(answer, Posted).id

    async def edit(self, channel: str, message: str, content: str) -> None:
        """Replace a message's text; without flags, so that links stay as they were."""
        body = {"content": content, "allowed_mentions": SILENT}
        await self.call("PATCH", f"/channels/{channel}/messages/{message}", body)

    async def delete(self, channel: str, message: str) -> None:
        """Remove a message; raises MessageGone when it is gone already."""
        await self.call("DELETE", f"/channels/{channel}/messages/{message}")

    async def typing(self, channel: str) -> None:
        """Show for ten seconds that the bot is writing."""
        await self.call("POST", f"/channels/{channel}/typing")

    async def call(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Make one request; only a post that may have arrived leaves it open what happened."""
        headers = {"Authorization": f"Bot {self.token}"}
        try:
            answer = await self.http.request(
                method, self.api_url + path, json=body, headers=headers, timeout=TIMEOUT
            )
        except (httpx.RequestError, SOCKSError) as error:
            is_ambiguous = method == "POST" and not isinstance(error, UNSENT)
            reason = f"Discord cannot be reached: {type(error).__name__}"
            raise PlatformUnavailable(reason, is_ambiguous=is_ambiguous) from error
        if answer.is_success:
            return answer
        raise refusal(answer, is_post=method == "POST")


def decoded(answer: httpx.Response, kind: type[T]) -> T:
    """Read an answer's body; what is no JSON of that kind is no answer of Discord's."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        is_ambiguous = answer.request.method == "POST"
        raise PlatformUnavailable("not an answer", is_ambiguous=is_ambiguous) from error


def shortened(nonce: str) -> str:
    """A nonce that Discord takes: at most 25 signs, and always the same for the same."""
    if len(nonce) <= NONCE_LENGTH:
        return nonce
    return blake2b(nonce.encode(), digest_size=12).hexdigest()
