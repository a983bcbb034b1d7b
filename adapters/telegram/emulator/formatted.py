"""A text on its way into a post: parsed, trimmed, measured."""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from adapters.telegram.emulator import (
    detect,
    entities,
    parse_html,
    parse_markdown,
    parse_old_markdown,
    utf16,
)
from adapters.telegram.emulator.post import Entity, Formatted, Json
from adapters.telegram.emulator.refusal import bad

TEXT = 4096  # code points, after parsing and trimming
CAPTION = 1024

INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad\u3164\u2800]*")


def parsed(text: str, parse_mode: str, given: object) -> Formatted:
    """Read what a bot sent as text, parse mode and entities; raises Refusal.

    The service does this before it looks at the chat.
    """
    match parse_mode.lower():
        case "" | "none":
            return Formatted(text, entities.read(given))
        case "html":
            return parse_html.parse(text)
        case "markdownv2":
            return parse_markdown.parse(text)
        case "markdown":
            return parse_old_markdown.parse(text)
        case _:
            raise bad("unsupported parse_mode")


def settled(raw: Formatted, people: Mapping[int, Json]) -> Formatted:
    """Check the entities and trim; raises Refusal. The length is the caller's to judge."""
    checked = entities.checked(raw.text, raw.entities, people)
    return trimmed(raw.text, checked)


def trimmed(text: str, given: Iterable[Entity] = ()) -> Formatted:
    """Take away what surrounds the text, move the entities along and add those found in it."""
    kept = text.replace("\r", "").strip()
    if INVISIBLE.fullmatch(kept):
        return Formatted()
    return Formatted(kept, detect.with_detected(kept, shifted(text, kept, given)))


def shifted(text: str, kept: str, given: Iterable[Entity]) -> Iterator[Entity]:
    """The entities of `text` as they lie in `kept`."""
    bare = text.replace("\r", "")
    lead = utf16.length(bare) - utf16.length(bare.lstrip())
    total = utf16.length(kept)

    def place(offset: int) -> int:
        returns = utf16.cut(text, 0, offset).count("\r")
        return min(max(offset - returns - lead, 0), total)

    for entity in given:
        begin, end = place(entity.offset), place(entity.end)
        if begin < end:
            yield msgspec.structs.replace(entity, offset=begin, length=end - begin)


def message_text(raw: Formatted, people: Mapping[int, Json], *, is_edit: bool) -> Formatted:
    """A text that may be sent; raises Refusal, in an edit with the words of the inner server."""
    text = settled(raw, people)
    if not text.text:
        raise bad("text must be non-empty")
    if len(text.text) > TEXT:
        raise bad("MESSAGE_TOO_LONG" if is_edit else "message is too long")
    return text


def caption(raw: Formatted, people: Mapping[int, Json]) -> Formatted:
    """A caption that may be sent; raises Refusal."""
    text = settled(raw, people)
    if len(text.text) > CAPTION:
        raise bad("message caption is too long")
    return text
