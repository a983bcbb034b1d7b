"""A chat as a page shows it: HTML of text and entities, pictures as data: URLs."""

import base64
from collections.abc import Sequence
from html import escape

from adapters.telegram.emulator import images, links, utf16
from adapters.telegram.emulator.post import Entity, Post
from bridge.model import MessageId
from bridge.ports import Shown

TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}


def shown(post: Post) -> Shown:
    """One message."""
    return Shown(
        id=MessageId(str(post.id)),
        is_bot=post.is_bot,
        html=html(post.text, post.entities),
        text=post.text,
        edits=post.edits,
        images=tuple(map(data_url, post.photos)),
    )


def html(text: str, entities: Sequence[Entity]) -> str:
    """The text with its formatting, safe to put into a page."""
    ordered = sorted(entities, key=lambda entity: (entity.offset, -entity.length))
    return between(text, 0, utf16.length(text), ordered)


def between(text: str, start: int, end: int, entities: Sequence[Entity]) -> str:
    """The part between two offsets; the entities lie in it and are nested."""
    pieces: list[str] = []
    at = start
    while entities:
        first, rest = entities[0], entities[1:]
        inner = [entity for entity in rest if entity.offset < first.end]
        pieces.append(escape(utf16.cut(text, at, first.offset)))
        inside = between(text, first.offset, first.end, inner)
        pieces.append(wrapped(first, inside, utf16.cut(text, first.offset, first.end)))
        at = first.end
        entities = rest[len(inner) :]
    pieces.append(escape(utf16.cut(text, at, end)))
    return "".join(pieces)


def wrapped(entity: Entity, inside: str, plain: str) -> str:
    """A piece of HTML inside the tag of its entity."""
    if tag := TAGS.get(entity.type):
        return f"<{tag}>{inside}</{tag}>"
    match entity.type:
        case "pre" if entity.language:
            return f'<pre><code class="language-{escape(entity.language)}">{inside}</code></pre>'
        case "pre":
            return f"<pre>{inside}</pre>"
        case "spoiler":
            return f'<span class="spoiler">{inside}</span>'
        case "text_link" | "url":
            # Through `normal` no other scheme than http, https, tg and ton comes out.
            target = escape(links.normal(entity.url or plain))
            return f'<a href="{target}" rel="noopener">{inside}</a>'
        case _:
            return inside


def data_url(content: bytes) -> str:
    """A picture that needs no further request."""
    return f"data:{images.mime_type(content)};base64,{base64.b64encode(content).decode()}"
