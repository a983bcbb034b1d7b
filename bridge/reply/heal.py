"""Makes the live end of a growing answer well-formed: closes what is open, holds back the rest."""

import re
from typing import Final

from bridge.reply.blocks import Block, enter, prefix, read_blocks
from bridge.reply.inline import Span, read_spans

LONGEST_LABEL: Final = 80  # an open bracket with more behind it is no link
NOT_CLOSED: Final = ("[", "](", "<")
ALPHANUMERIC: Final = re.compile(r"[0-9A-Za-z]")
PARTIAL_CELL: Final = re.compile(r".*(?<!\\)\|", re.DOTALL)


def heal(markdown: str) -> str:
    """Return `markdown` fit to be shown although more will follow.

    An open fence, inline code, emphasis, strikethrough or spoiler is closed; a marker with
    nothing behind it yet, and the half-written part of a link or an image, is held back.
    Markdown that is complete comes back as it is.
    """
    blocks = read_blocks(markdown)
    if not blocks:
        return markdown
    last = blocks[-1]
    lines = markdown.split("\n")
    if last.kind == "fence":
        return heal_fence(last, lines)
    is_over = len(lines) - last.last >= 2
    if is_over or last.kind not in ("paragraph", "heading", "table"):
        return markdown
    start = len(markdown) - len("\n".join(lines[last.first :]))
    if last.kind == "table" and (cells := PARTIAL_CELL.match(markdown)):
        start = max(start, cells.end())
    return markdown[:start] + heal_inline(markdown[start:])


def heal_fence(block: Block, lines: list[str]) -> str:
    """Close the fence that is the last block, if it is open."""
    markdown = "\n".join(lines)
    content = [line for line in lines[block.first + 1 :] if line.strip()]
    if is_closed(block, lines) or block.last < len(lines) - 1:
        return markdown
    if not content:
        return "\n".join(lines[: block.first])
    text, _ = enter(block.stack, block.last - 1, lines[-1])
    half = text.strip()
    if half and len(half) < len(block.markup) and set(half) == {block.markup[0]}:
        return markdown.rstrip() + block.markup[len(half) :]
    return markdown.rstrip("\n") + "\n" + prefix(block.stack) + block.markup


def is_closed(block: Block, lines: list[str]) -> bool:
    """Whether the last line of a fence closes it."""
    if block.last - block.first < 2:
        return False
    text, _ = enter(block.stack, block.last - 1, lines[block.last - 1])
    mark = text.strip()
    return len(mark) >= len(block.markup) and set(mark) == {block.markup[0]}


def heal_inline(text: str) -> str:
    """Close what is open in a paragraph, innermost first, or hold it back."""
    markers: list[str] = []
    for span in read_spans(text):
        if span.end is not None:
            continue
        shown = hold_back(text, span)
        if shown != text:
            return heal_inline(shown)
        if span.marker not in NOT_CLOSED and is_meant(text, span):
            markers.insert(0, span.marker)
    return close(text, markers)


def hold_back(text: str, span: Span) -> str:
    """Return `text` without what is half-written of an open construct."""
    behind = text[span.start :].removeprefix("!").removeprefix(span.marker)
    match span.marker:
        case "](":
            return text[: span.start] + behind.removeprefix("[").rpartition("](")[0]
        case "[":
            is_half = len(behind) <= LONGEST_LABEL and "\n" not in behind
        case "<":
            is_half = True
        case _:
            is_half = not behind.strip()
    return text[: span.start] if is_half and is_meant(text, span) else text


def is_meant(text: str, span: Span) -> bool:
    """Whether an opener is markup, not an asterisk in a formula or an index in brackets."""
    return span.marker[0] in "`<" or not ALPHANUMERIC.match(text[span.start - 1 : span.start])


def close(text: str, markers: list[str]) -> str:
    """Put closers before the white space at the end; one that is half there is completed."""
    if not markers:
        return text
    body = text.rstrip()
    if markers[0][0] != "`" and (len(body) - len(body.rstrip("\\"))) % 2:
        body = body[:-1]  # it would escape the closer
    half = len(body) - len(body.rstrip(markers[0][0]))
    is_half = markers[0][0] in "`~|" and half < len(markers[0])
    return body + "".join(markers)[half if is_half else 0 :] + text[len(text.rstrip()) :]
