"""Ways to cut a page of Markdown in two that both stand for themselves, best first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.reply.blocks import ITEM, Block, Stack, enter, ordinal, prefix, quotes
from bridge.reply.page import Between, Inside, Page, Place

LONGEST_INFO: Final = 80  # of a fence; with more it was no language but text gone astray
ESCAPED_PIPE: Final = re.compile(r"\\\|")


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk, and how to go on at `position` of the page.

    The next chunk starts with `opening`; its lines come out of the lists of `stack`, the first
    one included if it is whole, and with the lists ends the `fence` in them.
    """

    chunk: str
    position: int
    opening: str = ""
    stack: Stack = ()
    is_whole_line: bool = False
    fence: str = ""  # open where the next chunk starts


def cuts(page: Page) -> Iterator[Cut]:
    """Yield cuts that no later text can prove wrong."""
    for place in page.places():
        if page.is_free(place):
            yield from sensible(page, carve(page, place))


def daring_cuts(page: Page) -> Iterator[Cut]:
    """Yield cuts inside inline constructs: taken for plain text, then closed and opened again."""
    for place in page.places():
        if not page.is_free(place):
            for markers in dict.fromkeys(((), page.styles(place))):
                yield from sensible(page, carve(page, place, markers))


def sensible(page: Page, cut: Cut) -> Iterator[Cut]:
    """Yield a cut unless one side of it would have nothing to say."""
    if cut.chunk.strip() and len(cut.opening) <= len(page.text) // 3:
        yield cut


def carve(page: Page, place: Place, markers: tuple[str, ...] = ()) -> Cut:
    """Cut at a place, as the kind of block there demands."""
    if isinstance(place, Between):
        return carve_between(page, place)
    match place.block.kind:
        case "fence":
            return carve_fence(page, place)
        case "table":
            return carve_table(page, place)
        case "code_block":
            opening = "" if place.is_line_start else quotes(place.block.stack) + "    "
            return Cut(
                page.text[: place.position].rstrip(),
                place.position,
                opening,
                place.block.stack,
                place.is_line_start,
            )
        case _:
            return carve_text(page, place, markers)


def carve_between(page: Page, place: Between) -> Cut:
    """Cut before a block; a list goes on with the number that its next item has."""
    chunk = page.text[: place.position].rstrip()
    text, _ = enter(place.stack, place.line, page.lines[place.line])
    marker = ITEM.match(text)
    number = ordinal(page.text, place.line)
    if marker is None or number is None:
        return Cut(chunk, place.position, "", place.stack, is_whole_line=True)
    position = place.position + len(page.lines[place.line]) - len(text) + marker.end()
    opening = f"{quotes(place.stack)}{number}{marker[1][-1]} "
    return Cut(chunk, position, opening, place.stack)


def carve_fence(page: Page, place: Inside) -> Cut:
    """Close a fence, and open it again."""
    block, before = place.block, page.text[: place.position].removesuffix("\n")
    text = page.inner(block, block.first)
    indent = " " * (len(text) - len(text.lstrip(" ")))
    info = block.info if len(block.info) <= LONGEST_INFO else ""
    lead = quotes(block.stack)
    return Cut(
        f"{before}\n{prefix(block.stack)}{block.markup}",
        place.position,
        f"{lead}{indent}{block.markup}{info}\n{'' if place.is_line_start else lead + indent}",
        block.stack,
        place.is_line_start,
        block.markup,
    )


def carve_table(page: Page, place: Inside) -> Cut:
    """Go on with a table under a head without words, so that nothing is shown twice."""
    block, chunk = place.block, page.text[: place.position].rstrip()
    lead, delimiters = quotes(block.stack), page.inner(block, block.first + 1).strip()
    head = f"{lead}|{' |' * columns(block, page)}\n{lead}{delimiters}\n"
    if place.is_line_start:
        return Cut(chunk, place.position, head, block.stack, is_whole_line=True)
    row = page.inner(block, place.line).lstrip()
    shown = row[
        : len(row) - (page.starts[place.line] + len(page.lines[place.line])) + place.position
    ]
    empty = " |" * ESCAPED_PIPE.sub("", shown).removeprefix("|").count("|")
    return Cut(f"{chunk} |", place.position, f"{head}{lead}|{empty} ", block.stack)


def columns(block: Block, page: Page) -> int:
    """Count the columns of a table."""
    return page.inner(block, block.first + 1).strip().strip("|").count("|") + 1


def carve_text(page: Page, place: Inside, markers: tuple[str, ...]) -> Cut:
    """Cut a paragraph or a heading; closes and opens again what `markers` name."""
    is_heading = place.block.markup[:1] == "#"
    lead = quotes(place.block.stack) + (f"{place.block.markup} " if is_heading else "")
    return Cut(
        page.text[: place.position].rstrip() + "".join(reversed(markers)),
        place.position,
        lead + "".join(markers),
        place.block.stack,
    )
