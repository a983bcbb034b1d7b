"""A page of Markdown: as much as fits into one message, and the places where it may be cut."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import regex  # type: ignore[import-untyped]  # it ships no types; used for \X alone

from bridge.reply.blocks import Block, Stack, enter, opened_before, read_blocks
from bridge.reply.inline import Span, read_spans

SENTENCE: Final = re.compile(
    r"[.!?…][\"'”’)\]]*[ \t]+(?=\S)|[。！？；…]+[”’」』）]*(?=[^\s。！？；…])"
)
WORD: Final = re.compile(r"[ \t]+(?=\S)|[，、：](?=\S)")
GRAPHEME: Final = regex.compile(r"\X")
# What is a list, a heading, a quote, a fence, a table or an underline where a line starts; at the
# end of what is known, also what could become one.
BLOCK_START: Final = re.compile(
    r"#{1,6}(?:\s|$)|[-+*](?:\s|$)|\d{1,9}(?:[.)](?:\s|$)|$)|[-+=_*:| \t]+(?:\n|$)"
    r"|[>|]|`{3}|~{3}|[`~]{1,2}$"
)
STYLES: Final = ("*", "_", "~", "`", "|")
VERBATIM: Final = ("fence", "code_block")


class Rank(IntEnum):
    """How good a place is: the smaller, the better."""

    BLOCK = 0
    NESTED = 1  # between blocks inside a list or quote, or between a heading and its text
    LINE = 2
    SENTENCE = 3
    WORD = 4
    GRAPHEME = 5


@dataclass(frozen=True, slots=True)
class Between:
    """A place before a block."""

    position: int
    line: int
    stack: Stack


@dataclass(frozen=True, slots=True)
class Inside:
    """A place inside a block, before a line of it or within one."""

    position: int
    line: int
    block: Block
    is_line_start: bool


Place = Between | Inside


@dataclass(frozen=True, slots=True)
class Spans:
    """The inline constructs of a paragraph or a table's row, and which parts they cover."""

    start: int
    all: tuple[Span, ...]
    covered: tuple[tuple[int, int], ...]  # disjoint, in order


class Page:
    """Markdown to be cut somewhere after its first `opening` characters."""

    def __init__(self, text: str, opening: int) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines[:-1]:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.opening = opening
        self._blocks = read_blocks(text)
        self._spans: dict[int, Spans] = {}

    def places(self) -> Iterator[Place]:
        """Yield places, best first; those that leave the message half empty come last."""
        half = (self.opening + len(self.text)) // 2
        for first, last in ((half, len(self.text)), (self.opening + 1, half)):
            for rank in Rank:
                for place in reversed(list(self._of_rank(rank))):
                    if first <= place.position < last:
                        yield place

    def is_free(self, place: Place) -> bool:
        """Whether nothing is cut there that is open, or could become a block of its own."""
        if isinstance(place, Between) or place.block.kind in VERBATIM:
            return True
        spans = self._spans_at(place)
        position = place.position - spans.start
        before = bisect_left(spans.covered, (position, 0)) - 1
        if before >= 0 and position < spans.covered[before][1]:
            return False
        is_text = place.block.kind != "table" and place.block.markup[:1] != "#"
        return not (is_text and BLOCK_START.match(self.text, place.position))

    def styles(self, place: Place) -> tuple[str, ...]:
        """Return the markers of the emphasis and code that a place is in, outermost first."""
        if isinstance(place, Between) or place.block.kind not in ("paragraph", "heading"):
            return ()
        spans = self._spans_at(place)
        position = place.position - spans.start
        return tuple(
            span.marker
            for span in spans.all
            if span.start < position
            and (span.end is None or position < span.end)
            and span.marker[:1] in STYLES
        )

    def inner(self, block: Block, line: int) -> str:
        """Return a line of a block without its containers."""
        return enter(block.stack, line, self.lines[line])[0]

    def _of_rank(self, rank: Rank) -> Iterator[Place]:
        """Yield the places of one rank in order."""
        match rank:
            case Rank.BLOCK | Rank.NESTED:
                yield from self._between(is_best=rank is Rank.BLOCK)
            case Rank.LINE:
                for block in self._blocks:
                    yield from self._line_starts(block)
            case _:
                for block in self._blocks:
                    yield from self._within_lines(block, rank)

    def _between(self, *, is_best: bool) -> Iterator[Place]:
        """Yield the places before blocks: the best ones, or the others."""
        for before, block in pairwise((None, *self._blocks)):
            if block is None:
                continue
            stack = opened_before(block.stack, block.first)
            if is_best == (not stack and not (before and before.kind == "heading")):
                yield Between(self.starts[block.first], block.first, stack)

    def _line_starts(self, block: Block) -> Iterator[Place]:
        """Yield the places before the lines of a block."""
        match block.kind:
            case "table":
                lines = block.rows[1:]
            case "fence":
                lines = tuple(
                    line
                    for line in range(block.first + 2, block.last)
                    if set(self.inner(block, line).strip()) != {block.markup[0]}
                )
            case _:
                lines = tuple(range(block.first + 1, block.last))
        is_text = block.kind in ("paragraph", "heading")
        for line in lines:
            position = self._text_start(block, line) if is_text else self.starts[line]
            yield Inside(position, line, block, is_line_start=not is_text)

    def _within_lines(self, block: Block, rank: Rank) -> Iterator[Place]:
        """Yield the places inside the lines of a block."""
        match block.kind:
            case "hr":
                return
            case "table":
                lines = block.rows
            case "fence":
                lines = tuple(range(block.first + 1, block.last))
            case _:
                lines = tuple(range(block.first, block.last))
        pattern = {Rank.SENTENCE: SENTENCE, Rank.WORD: WORD}.get(rank, GRAPHEME)
        for line in lines:
            end = self.starts[line] + len(self.lines[line])
            for match in pattern.finditer(self.text, self._text_start(block, line), end):
                if match.end() < end:
                    yield Inside(match.end(), line, block, is_line_start=False)

    def _text_start(self, block: Block, line: int) -> int:
        """Where the words of a line start."""
        text = self.inner(block, line)
        return self.starts[line] + len(self.lines[line]) - len(text.lstrip())

    def _spans_at(self, place: Inside) -> Spans:
        """Return the inline constructs of a place's paragraph or row."""
        block = place.block
        is_row = block.kind == "table"
        first, last = (place.line, place.line + 1) if is_row else (block.first, block.last)
        if first not in self._spans:
            text = "\n".join(self.lines[first:last])
            spans = read_spans(text)
            self._spans[first] = Spans(self.starts[first], spans, covered(spans, len(text) + 1))
        return self._spans[first]


def covered(spans: tuple[Span, ...], end: int) -> tuple[tuple[int, int], ...]:
    """Merge spans into disjoint ranges; open ones reach to the end."""
    ranges: list[tuple[int, int]] = []
    for span in spans:
        last = end if span.end is None else span.end
        if ranges and span.start < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((span.start, last))
    return tuple(ranges)
