"""From Markdown to the Markdown that Discord can show, without losing a character of content.

https://docs.discord.com/developers/reference#message-formatting and
https://support.discord.com/hc/articles/210298617: headings go to level 3, there are no tables and
no images, and what stands in a fence is shown as it is.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

MAX_LENGTH = 2000  # code points; https://docs.discord.com/developers/resources/message
MAX_COLUMNS = 72  # a wider table would be broken by a narrow window, and is written as a list

FENCE = re.compile(r"\s*(?P<marks>`{3,}(?=[^`]*$)|~{3,})")
HEADING = re.compile(r" {0,3}#{4,6}[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*")
RULE = re.compile(r" {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
CELL_END = re.compile(r"(?<!\\)\|")
# A code span is matched first, so that nothing inside it is taken for an image.
IMAGE = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?<!\\)!(?P<link>\[(?P<alt>[^\]]*)\]\((?P<url>[^)\s]+)\))"
)
CELL_MARKUP = re.compile(r"`([^`]+)`|\*\*([^*`]+)\*\*")


def fits(markdown: str) -> bool:
    """Whether a chunk of Markdown fits into one message."""
    return len(convert(markdown)) <= MAX_LENGTH


def convert(markdown: str) -> str:
    """Markdown as Discord shows it."""
    return "\n".join(converted(markdown.split("\n")))


def converted(lines: Sequence[str]) -> Iterator[str]:
    """Convert line by line; fences pass as they stand, tables are taken as a whole."""
    place = 0
    while place < len(lines):
        height = fence_height(lines, place)
        if height:
            yield from lines[place : place + height]
        elif height := table_height(lines, place):
            yield from table(lines[place : place + height])
        else:
            height = 1
            yield plain(lines[place])
        place += height


def fence_height(lines: Sequence[str], start: int) -> int:
    """How many lines the fence that opens at `start` takes, up to the end if nothing closes it."""
    opening = FENCE.match(lines[start])
    if not opening:
        return 0
    marks = opening["marks"]
    for place in range(start + 1, len(lines)):
        line = lines[place].strip()
        if len(line) >= len(marks) and not line.strip(marks[0]):
            return place + 1 - start
    return len(lines) - start


def table_height(lines: Sequence[str], start: int) -> int:
    """How many lines the table at `start` takes; https://github.github.com/gfm/#tables-extension-."""
    head = lines[start : start + 2]
    if len(head) < 2 or "|" not in head[0] or not RULE.fullmatch(head[1]):
        return 0
    if len(cells(head[0])) != len(cells(head[1])):
        return 0
    end = start + 2
    while end < len(lines) and "|" in lines[end] and not FENCE.match(lines[end]):
        end += 1
    return end - start


def table(lines: Sequence[str]) -> Iterator[str]:
    """Draw a table in a fence; list its rows where it is too wide or has a fence of its own."""
    head, rule, *body = evened([cells(line) for line in lines])
    shown = [[CELL_MARKUP.sub(r"\1\2", cell) for cell in row] for row in (head, *body)]
    rooms = [max(map(width, column)) for column in zip(*shown, strict=True)]
    if sum(rooms) + 3 * len(rooms) <= MAX_COLUMNS and "```" not in "".join(lines):
        yield from drawn(shown, rooms, rule)
    elif body:
        yield from (plain(listed(head, row)) for row in body)
    else:
        yield from map(plain, lines)


def evened(rows: list[list[str]]) -> list[list[str]]:
    """The same rows, all as long as the longest."""
    length = max(map(len, rows))
    return [row + [""] * (length - len(row)) for row in rows]


def drawn(rows: list[list[str]], rooms: list[int], rules: list[str]) -> Iterator[str]:
    """A table as a fenced block whose columns stand below each other."""
    lines = [" │ ".join(map(padded, row, rooms, rules)).rstrip() for row in rows]
    ruling = "─┼─".join("─" * room for room in rooms)
    # A table that goes on from the message before has no header: its first row is empty.
    head = (lines[0], ruling) if any(rows[0]) else ()
    yield from ("```", *head, *lines[1:], "```")


def listed(head: list[str], row: list[str]) -> str:
    """A row as a list item in which every cell says what it is."""
    pairs = zip(head, row, strict=True)
    return "- " + " · ".join(f"{bold(name)}: {cell}" if name else cell for name, cell in pairs)


def padded(cell: str, room: int, rule: str) -> str:
    """The cell, filled with spaces on the side that its column's rule says."""
    gap = room - width(cell)
    left = 0
    if rule.endswith(":"):
        left = gap // 2 if rule.startswith(":") else gap
    return " " * left + cell + " " * (gap - left)


def cells(line: str) -> list[str]:
    """What stands between the bars of a table's line."""
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return [cell.strip().replace("\\|", "|") for cell in CELL_END.split(line)]


def width(text: str) -> int:
    """How many columns of a fixed-width font a text takes; https://www.unicode.org/reports/tr11/."""
    return sum(
        0
        if unicodedata.category(sign) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )


def plain(line: str) -> str:
    """One line outside of fences and tables."""
    heading = HEADING.fullmatch(line)
    return IMAGE.sub(linked, bold(heading["title"]) if heading else line)


def bold(text: str) -> str:
    """Text in bold, unless it is empty or has emphasis of its own."""
    return text if not text or "*" in text else f"**{text}**"


def linked(found: re.Match[str]) -> str:
    """An image as a link; a code span as it stands."""
    if found["code"]:
        return found["code"]
    return found["link"] if found["alt"] else found["url"]
