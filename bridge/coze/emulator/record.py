"""Remembers what the emulator was asked, fetched and given, for tests and the sandbox."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

KEPT = 1000  # requests; and as many files


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; `body` is its JSON, if it is any."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object
    raw: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A file that the emulator fetched from a `file_url`."""

    url: str
    content: bytes
    media_type: str


class Signal:
    """Wakes everyone who waits for it, each time anew."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        """Wake those who wait now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next `fire`."""
        await self._event.wait()


class Record:
    """The newest requests and downloads."""

    def __init__(self) -> None:
        self.requests: deque[Request] = deque(maxlen=KEPT)
        self.downloads: deque[Download] = deque(maxlen=KEPT)
        self.changed = Signal()

    def add(self, request: Request) -> None:
        """Keep a request."""
        self.requests.append(request)
        self.changed.fire()
