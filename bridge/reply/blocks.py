"""Where the lines of Markdown stand: in which containers, in which kind of block."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from markdown_it.token import Token

from bridge.reply.visible import parse_blocks

Kind = Literal["paragraph", "heading", "fence", "code_block", "table", "hr"]

QUOTE: Final = re.compile(r" {0,3}> ?")
ITEM: Final = re.compile(r"( {0,3}(?:[-+*]|\d{1,9}[.)]))( +|$)")
NOT_NUMBERED: Final = -2
INDENT: Final = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Container:
    """A quote (`width` 0), or a list item whose lines are indented by `width`."""

    first: int  # the line that opens it
    width: int


Stack = tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block that holds text: the lines `first` to `last` (exclusive), inside `stack`."""

    kind: Kind
    first: int
    last: int
    stack: Stack
    markup: str  # of a fence and of a heading: its characters
    info: str = ""  # of a fence
    rows: tuple[int, ...] = ()  # of a table: where the rows of its body start


def read_blocks(markdown: str) -> tuple[Block, ...]:
    """Find all blocks that hold text, in order."""
    lines = markdown.split("\n")
    tokens = parse_blocks(markdown)
    blocks: list[Block] = []
    stack: Stack = ()
    for index, token in enumerate(tokens):
        match token.type:
            case "blockquote_open":
                stack = (*stack, Container(line_range(token)[0], 0))
            case "list_item_open":
                stack = (*stack, item(stack, line_range(token)[0], lines))
            case "blockquote_close" | "list_item_close":
                stack = stack[:-1]
            case "paragraph_open" | "heading_open" | "fence" | "code_block" | "hr":
                blocks.append(block(token, stack))
            case "table_open":
                blocks.append(block(token, stack, body_rows(tokens[index:])))
            case _:
                pass
    return tuple(blocks)


def block(token: Token, stack: Stack, rows: tuple[int, ...] = ()) -> Block:
    """Make a block of the token that opens it."""
    first, last = line_range(token)
    kind = cast("Kind", token.type.removesuffix("_open"))
    return Block(kind, first, last, stack, token.markup, token.info, rows)


def line_range(token: Token) -> tuple[int, int]:
    """Return the lines of a block; the parser tells them for every one."""
    first, last = token.map or (0, 0)
    return first, last


def body_rows(tokens: Sequence[Token]) -> tuple[int, ...]:
    """Find where the rows of the first table's body start."""
    starts: list[int] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            starts.append(line_range(token)[0])
    return tuple(starts[1:])


def ordinal(markdown: str, line: int) -> int | None:
    """Return the number of the list item that starts in a line, if another one is written there."""
    numbers: list[int] = []
    for token in parse_blocks(markdown):
        match token.type:
            case "ordered_list_open":
                start = token.attrGet("start")
                numbers.append((1 if start is None else int(start)) - 1)
            case "bullet_list_open":
                numbers.append(NOT_NUMBERED)
            case "ordered_list_close" | "bullet_list_close":
                numbers.pop()
            case "list_item_open" if numbers[-1] != NOT_NUMBERED:
                numbers[-1] += 1
                if line_range(token)[0] == line:
                    return numbers[-1] if int(token.info) != numbers[-1] else None
            case _:
                pass
    return None


def item(stack: Stack, first: int, lines: Sequence[str]) -> Container:
    """Measure a list item; https://spec.commonmark.org/0.31.2/#list-items."""
    text, _ = enter(stack, first, lines[first])
    marker = ITEM.match(text)
    if marker is None:
        return Container(first, 2)
    is_code_or_empty = len(marker[2]) > 4 or marker.end() == len(text)
    return Container(first, len(marker[1]) + 1 if is_code_or_empty else marker.end())


def enter(stack: Stack, number: int, line: str) -> tuple[str, int]:
    """Remove what belongs to containers from a line; returns the rest and how many it is in."""
    text = untabbed(line)
    for depth, container in enumerate(stack):
        if not container.width:
            quote = QUOTE.match(text)
            if quote is None:
                return text, depth
            text = untabbed(text[quote.end() :])
        elif container.first == number or not text[: container.width].strip():
            text = untabbed(text[container.width :])
        else:
            return text, depth
    return text, len(stack)


def untabbed(line: str) -> str:
    """Turn the tabs of an indentation into spaces."""
    end = INDENT.match(line).end()  # type: ignore[union-attr]  # it matches nothing, too
    return line[:end].expandtabs(4) + line[end:]


def opened_before(stack: Stack, line: int) -> Stack:
    """Return the containers that a line finds open."""
    return tuple(container for container in stack if container.first < line)


def prefix(stack: Stack) -> str:
    """What a line needs in front to stand in all containers."""
    return "".join(" " * container.width or "> " for container in stack)


def quotes(stack: Stack) -> str:
    """What a line needs in front to stand in the quotes alone."""
    return "".join("> " for container in stack if not container.width)
