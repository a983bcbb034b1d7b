"""Draws a table with characters of fixed width, Chinese ones counted as two."""

import unicodedata

from markdown_it.tree import SyntaxTreeNode as Node

COLUMN, ROW, CROSSING = " │ ", "─", "─┼─"


def drawn(table: Node) -> str:
    """The lines of a Markdown table, its columns aligned."""
    rows = [
        [words(cell) for cell in row.children] for part in table.children for row in part.children
    ]
    sides = [str(cell.attrs.get("style", "")) for cell in table.children[0].children[0].children]
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [COLUMN.join(map(aligned, row, widths, sides)).rstrip() for row in rows]
    # A table that goes on from the message before has no header: its first row is empty.
    head = (lines[0], CROSSING.join(ROW * size for size in widths)) if any(rows[0]) else ()
    return "\n".join((*head, *lines[1:]))


def words(node: Node) -> str:
    """The text of a cell; nothing in it can be marked."""
    if node.children:
        return "".join(words(child) for child in node.children)
    return node.content if node.token else ""


def aligned(text: str, size: int, side: str) -> str:
    """The text filled up with spaces to the width of its column."""
    space = size - width(text)
    if side.endswith("right"):
        return " " * space + text
    left = space // 2 if side.endswith("center") else 0
    return " " * left + text + " " * (space - left)


def width(text: str) -> int:
    """How many columns a fixed-width font takes; https://www.unicode.org/reports/tr11/."""
    return sum(columns(character) for character in text)


def columns(character: str) -> int:
    """Two for wide characters, none for those that join or change the one before."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
