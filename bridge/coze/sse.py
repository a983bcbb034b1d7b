"""Cuts a stream of bytes into server-sent events, wherever the network cut it before.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with
the liberties of real Coze servers:

Rule 1: an event that has a name but no data is delivered (coze-studio ends a stream that way).
Rule 2: a second `event:` line ends the event before it, blank line or not.
Rule 3: a bare line of JSON counts as data (older gateways write their errors like that).
Rule 4: an event cut off by the end of the stream is delivered if nothing of it can be missing.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.errors import StreamInterrupted

# Only these; str.splitlines would also cut at U+2028, U+0085 and others inside of JSON.
LINE_END = re.compile(rb"\r\n|\r|\n")
BOM = "\ufeff"
DONE = "[DONE]"
MAX_SIZE = 8 * 1024 * 1024  # bytes of a line, and of an event's data


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was sent; a name or data may be empty, never both."""

    name: str
    data: str


class Decoder:
    """Takes bytes as they arrive and gives events as they are complete.

    Both methods raise StreamInterrupted once a line or an event has grown beyond `max_size`, but
    never at the expense of events that were complete before it.
    """

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._max_size = max_size
        self._tail = bytearray()  # a line whose end has not arrived
        self._is_after_cr = False  # a "\n" that comes next belongs to the line before
        self._is_first_line = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._is_oversized = False

    def feed(self, data: bytes) -> list[Event]:
        """Take what has arrived."""
        self._check_size([])
        events: list[Event] = []
        for line in self._lines(data):
            events += self._line(line)
            if self._is_oversized:
                break
        self._check_size(events)
        return events

    def end(self) -> list[Event]:
        """Take the end of the stream."""
        self._check_size([])
        is_line_ended = not self._tail
        events = [] if is_line_ended else self._line(bytes(self._tail))
        self._tail.clear()
        self._check_size(events)
        if not self._is_oversized and is_complete(self._data, is_line_ended=is_line_ended):
            events += self._dispatch()
        return events

    def _check_size(self, events: list[Event]) -> None:
        if self._is_oversized and not events:
            raise StreamInterrupted(f"an event is larger than {self._max_size} bytes")

    def _lines(self, data: bytes) -> Iterator[bytes]:
        if self._is_after_cr and data:
            data = data.removeprefix(b"\n")
            self._is_after_cr = False
        self._is_after_cr = self._is_after_cr or data.endswith(b"\r")
        *ended, rest = LINE_END.split(data)
        for piece in ended:
            self._tail += piece
            line = bytes(self._tail)
            self._tail.clear()
            yield line
        self._tail += rest
        self._is_oversized |= len(self._tail) > self._max_size

    def _line(self, line: bytes) -> list[Event]:
        # Line ends are ASCII, so no character of UTF-8 is ever cut here.
        text = line.decode("utf-8", errors="replace")
        if self._is_first_line:
            text = text.removeprefix(BOM)
            self._is_first_line = False
        if not text:
            return self._dispatch()
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            before = self._dispatch() if self._name else []
            self._name = value
            return before
        if field == "data" or text.startswith("{"):
            self._data.append(value if field == "data" else text)
            self._size += len(line)
        self._is_oversized |= max(self._size, len(line)) > self._max_size
        return []

    def _dispatch(self) -> list[Event]:
        event = Event(self._name, "\n".join(self._data))
        self._name, self._data, self._size = "", [], 0
        return [event] if event.name or event.data else []


def is_complete(data: list[str], *, is_line_ended: bool) -> bool:
    """Whether nothing can be missing of an event that no blank line follows."""
    text = "\n".join(data)
    if not text:
        return is_line_ended
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text == DONE
    return True
