"""Turns what a person sent into what Coze can read: our link, the platform's, or an upload."""

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import quote

from bridge.clock import Clock
from bridge.config import MediaConfig
from bridge.media.naming import fitting
from bridge.media.reading import reading
from bridge.media.relay import PATH
from bridge.media.signing import sign
from bridge.model import Content, Image, Linked, MediaRef, Part, Text, Uploaded
from bridge.ports import ChatBackend, PlatformAdapter

Kind = Literal["image", "file", "audio"]


class UploadCache(Protocol):
    """Remembers what an account at Coze has been handed already."""

    async def load(self, account: str, digest: str) -> str | None:
        """The file id of that content, if it is still good."""

    async def save(self, account: str, digest: str, file_id: str) -> None:
        """Remember a file id for as long as Coze keeps it."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Decides how a file travels, and sends it off."""

    config: MediaConfig
    key: bytes
    uploads: UploadCache
    clock: Clock

    async def contents(
        self, parts: tuple[Part, ...], adapter: PlatformAdapter, backend: ChatBackend, account: str
    ) -> tuple[Content, ...]:
        """The parts of a question; raises MediaError, or BackendError from an upload."""
        return tuple(
            [
                part
                if isinstance(part, Text)
                else await self._content(kind_of(part), part.ref, adapter, backend, account)
                for part in parts
            ]
        )

    async def _content(
        self,
        kind: Kind,
        ref: MediaRef,
        adapter: PlatformAdapter,
        backend: ChatBackend,
        account: str,
    ) -> Content:
        async with reading(adapter, ref, self.config.max_size) as chunks:
            named = fitting(ref, await anext(chunks, b""))
        if self.config.mode != "upload" and self.config.public_url:
            return Linked(kind, self._link(named))
        # A platform's link has the name that its sender chose, and Coze judges by that.
        is_honest = named.name == ref.name
        if self.config.mode == "auto" and is_honest and (url := await adapter.public_url(ref)):
            return Linked(kind, url)
        return Uploaded(kind, await self._upload(named, adapter, backend, account))

    def _link(self, ref: MediaRef) -> str:
        """Our own URL; its last segment has the extension that Coze judges the type by."""
        token = sign(ref, expires=self.clock.now() + self.config.expires, key=self.key)
        return f"{self.config.public_url.rstrip('/')}{PATH}/{token}/{quote(ref.name, safe='')}"

    async def _upload(
        self, ref: MediaRef, adapter: PlatformAdapter, backend: ChatBackend, account: str
    ) -> str:
        async with reading(adapter, ref, self.config.max_size) as chunks:
            content = b"".join([chunk async for chunk in chunks])
        digest = hashlib.sha256(content).hexdigest()
        if known := await self.uploads.load(account, digest):
            return known
        uploaded = await backend.upload(ref, content)
        await self.uploads.save(account, digest, uploaded.file_id)
        return uploaded.file_id


def kind_of(part: Part) -> Kind:
    """How Coze calls it; https://www.coze.com/docs/developer_guides/chat_v3 (object_string)."""
    if isinstance(part, Image):
        return "image"
    is_audio = not isinstance(part, Text) and part.ref.mime_type.startswith("audio/")
    return "audio" if is_audio else "file"
