"""Splits Markdown into messages: losing nothing, and never changing what is closed."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from bridge.reply.blocks import ITEM, Stack, enter, quotes
from bridge.reply.cuts import Cut, cuts, daring_cuts
from bridge.reply.page import Page
from bridge.reply.visible import visible

NOWHERE: Final = -1  # no line that opens a container
HORIZON: Final = 8  # messages ahead in which the end of a construct is looked for
TRIES: Final = 64  # cuts to look at before a worse kind is tried

Fits = Callable[[str], bool]


def split(markdown: str, fits: Fits, max_length: int) -> tuple[str, ...]:
    """Split `markdown` into chunks that each fit into a message of `max_length` code points.

    Rule 1: joined, the chunks show what the whole shows, as `visible` defines it.
    Rule 2: all chunks but the last stay the same however the text goes on; a cut is decided by
    what comes before it and by as much after it as would have fitted into the same message.
    Where emphasis, a link or inline code is longer than a whole message, both cannot be had:
    the chunks then may change when it is closed, and Rule 1 holds.
    """
    return Splitter(fits, max_length).split(markdown)


class Splitter:
    """Splits one growing answer, and remembers the chunks that are closed."""

    def __init__(self, fits: Fits, max_length: int) -> None:
        self._fits = fits
        self._max_length = max_length
        self._closed: list[str] = []
        self._known = ""  # the text that the closed chunks were decided by
        self._mark = Mark()

    def split(self, markdown: str) -> tuple[str, ...]:
        """As `split`; text that only grew costs no more than what is new."""
        text = markdown.replace("\r\n", "\n").replace("\r", "\n")
        if not text.startswith(self._known):
            self._closed, self._known, self._mark = [], "", Mark()
        while self._close_one(text):
            pass
        rest = go_on(text, self._mark).text
        return (*self._closed, rest) if rest.strip() else tuple(self._closed)

    def _close_one(self, text: str) -> bool:
        """Close a chunk if there is more text than fits."""
        end = self._mark.offset + 2 * self._max_length
        rest = go_on(text[:end], self._mark)
        if len(text) <= end and self._is_ok(rest.text):
            return False
        page = Page(self._window(rest.text), len(self._mark.opening))
        cut = self._safe_cut(page) or self._daring_cut(page, text) or self._forced_cut(page)
        if cut.chunk.strip():
            self._closed.append(cut.chunk)
        self._known = text[:end]
        self._mark = rest.mark(cut)
        return True

    def _is_ok(self, chunk: str) -> bool:
        return len(chunk) <= self._max_length and self._fits(chunk)

    def _safe_cut(self, page: Page) -> Cut | None:
        """Find the best cut that loses nothing, whatever follows."""
        return self._lossless(cuts(page), page.text)

    def _daring_cut(self, page: Page, text: str) -> Cut | None:
        """Find the best cut of an inline construct that loses nothing, as far as is known."""
        end = text.find("\n\n", self._mark.offset + len(page.text))
        far = self._mark.offset + HORIZON * self._max_length
        known = go_on(text[: far if end < 0 else min(end, far)], self._mark).text
        return self._lossless(daring_cuts(page), known)

    def _lossless(self, candidates: Iterator[Cut], text: str) -> Cut | None:
        """Return the first cut after which both sides show what the text shows."""
        whole = visible(text)
        for cut in islice(candidates, TRIES):
            if self._is_ok(cut.chunk):
                mark = Mark(cut.position, cut.opening, carried_by(cut), cut.is_whole_line)
                if visible(cut.chunk) + visible(go_on(text, mark).text) == whole:
                    return cut
        return None

    def _window(self, rest: str) -> str:
        """Return the longest start of `rest` that fits, in steps that its length has no part in."""
        window = rest[: self._max_length]
        if self._fits(window):
            return window
        step = max(1, self._max_length // 16)
        size = step
        while size + step <= len(window) and self._fits(rest[: size + step]):
            size += step
        return rest[:size]

    def _forced_cut(self, page: Page) -> Cut:
        """Cut somewhere: what no rule helps must still be shown."""
        for cut in islice(chain(daring_cuts(page), cuts(page)), TRIES):
            if self._is_ok(cut.chunk):
                return cut
        size = len(page.text)
        while size > page.opening + 1 and not self._is_ok(page.text[:size]):
            size -= 1
        return Cut(page.text[:size], max(size, page.opening + 1))


@dataclass(frozen=True, slots=True)
class Carried:
    """Lists that a chunk starts in without showing it, and the fence that is open in them."""

    stack: Stack
    fence: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the next chunk starts: with `opening`, then the text from `offset`.

    Lines come out of the lists in `carried`, until they leave them by themselves.
    """

    offset: int = 0
    opening: str = ""
    carried: tuple[Carried, ...] = ()
    is_whole_line: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the rest: where it came from, and what was carried before and after it."""

    offset: int
    end: int
    before: tuple[Carried, ...]
    after: tuple[Carried, ...]


@dataclass(slots=True)
class Rest:
    """What is still to be split, and where each line of it came from."""

    text: str
    starts: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def add(self, shown: str, line: Line) -> None:
        """Append a line."""
        if self.lines:
            self.text += "\n"
        self.starts.append(len(self.text))
        self.text += shown
        self.lines.append(line)

    def mark(self, cut: Cut) -> Mark:
        """Translate a cut of this text into the terms of the whole."""
        index = bisect_right(self.starts, cut.position) - 1
        line = self.lines[index]
        if cut.is_whole_line:
            return Mark(line.offset, cut.opening, line.before + carried_by(cut))
        end = self.starts[index + 1] - 1 if index + 1 < len(self.starts) else len(self.text)
        offset = line.end - (end - cut.position)
        return Mark(offset, cut.opening, line.after + carried_by(cut), is_whole_line=False)


def carried_by(cut: Cut) -> tuple[Carried, ...]:
    """What the next chunk carries: quotes alone are written out on every line anyway."""
    is_in_list = any(container.width for container in cut.stack)
    return (Carried(cut.stack, cut.fence),) if is_in_list else ()


def go_on(text: str, mark: Mark) -> Rest:
    """Return what is left of `text` from a mark on."""
    rest = Rest(mark.opening)
    offset, carried = mark.offset, mark.carried
    for index, raw in enumerate(text[offset:].split("\n")):
        before, shown = carried, raw
        if index or mark.is_whole_line:
            shown, carried = leave_lists(raw, carried)
        rest.add(shown, Line(offset, offset + len(raw), before, carried))
        offset += len(raw) + 1
    return rest


def leave_lists(line: str, carried: tuple[Carried, ...]) -> tuple[str, tuple[Carried, ...]]:
    """Take a line out of lists; returns it, and the lists that it does not end."""
    still: list[Carried] = []
    for lists in carried:
        text, depth = enter(lists.stack, NOWHERE, line)
        inside = lists.stack[:depth]
        line = quotes(inside) + text
        if depth < len(lists.stack):
            line = ended(lists.fence, text, quotes(inside)) + line
        fence = "" if depth < len(lists.stack) or closes(text, lists.fence) else lists.fence
        if any(container.width for container in inside):
            still.append(Carried(inside, fence))
    return line, tuple(still)


def ended(fence: str, text: str, lead: str) -> str:
    """What has to come before a line that leaves a list, since the list is not there to end."""
    if fence:
        return f"{lead}{fence}\n"
    # After a paragraph, only an empty line lets a list start with any number.
    return f"{lead.rstrip()}\n" if ITEM.match(text) else ""


def closes(text: str, fence: str) -> bool:
    """Whether a line closes a fence."""
    mark = text.strip()
    return bool(fence) and len(mark) >= len(fence) and set(mark) == {fence[0]}
