"""Counting as Telegram does: entities in UTF-16 code units, errors in UTF-8 bytes."""

from itertools import accumulate


def length(text: str) -> int:
    """The number of UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, offset: int, end: int) -> str:
    """The part of a text between two UTF-16 offsets."""
    return text.encode("utf-16-le")[2 * offset : 2 * end].decode("utf-16-le", "replace")


def starts(text: str) -> list[int]:
    """The UTF-16 offset of every character, then that of the end."""
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def byte_offset(text: str, index: int) -> int:
    """The UTF-8 offset of a character."""
    return len(text[:index].encode())
