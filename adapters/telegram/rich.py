"""Reads the words out of a rich message, which the library does not know yet.

https://core.telegram.org/bots/api#richmessage
"""

from collections.abc import Iterator, Mapping

# The fields of blocks and texts that hold what a person reads, in reading order.
FIELDS = ("label", "summary", "text", "expression", "alternative_text", "caption", "credit")


def words(message: object) -> str:
    """The text of a rich message, one line for each block; empty where there is none."""
    return "\n".join(lines(message)).strip()


def lines(block: object) -> Iterator[str]:
    """One line for the block's own text, then those of the blocks, items and rows inside it."""
    if not isinstance(block, Mapping):
        return
    if own := " ".join(filter(None, (inline(block.get(field)) for field in FIELDS))):
        yield own
    for name in ("blocks", "items"):
        for inner in listed(block.get(name)):
            yield from lines(inner)
    for row in listed(block.get("cells")):
        yield " | ".join(inline(cell) for cell in listed(row))


def inline(text: object) -> str:
    """The words of a RichText: a string, a list of them, or one dressed up."""
    if isinstance(text, str):
        return text
    if isinstance(text, Mapping):
        return "".join(inline(text.get(field)) for field in FIELDS)
    return "".join(inline(piece) for piece in listed(text))


def listed(value: object) -> list[object]:
    """The value if it is a list, else nothing: the format is younger than this reader."""
    return value if isinstance(value, list) else []
