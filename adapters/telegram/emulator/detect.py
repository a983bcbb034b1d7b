"""The entities that the service finds in a text by itself."""

import re
from collections.abc import Iterable, Iterator

from adapters.telegram.emulator import utf16
from adapters.telegram.emulator.post import Entity

PATTERNS = (
    ("url", r"(?<![\w@])(?:https?://|www\.|t\.me/)[^\s<>\"'`]*[^\s<>\"'`.,:;!?()\[\]]"),
    ("email", r"(?<![\w.+-])[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    ("bot_command", r"(?<![\w/<>@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    ("mention", r"(?<![\w@])@[A-Za-z0-9_]{3,32}(?!\w)"),
    ("hashtag", r"(?<![\w#])#\w*[^\W\d]\w*"),
    ("cashtag", r"(?<![\w$])\$[A-Z]{1,8}(?!\w)"),
)
OPAQUE = frozenset({"pre", "code", "text_link", "text_mention", "custom_emoji"})


def with_detected(text: str, given: Iterable[Entity]) -> tuple[Entity, ...]:
    """The given entities and those found in the text, in order; what is given goes first."""
    kept = list(given)
    for entity in detected(text):
        if not any(clashes(entity, other) for other in kept):
            kept.append(entity)
    return tuple(sorted(kept, key=lambda entity: (entity.offset, -entity.length)))


def detected(text: str) -> Iterator[Entity]:
    """Find URLs, addresses, commands, mentions and tags."""
    starts = utf16.starts(text)
    for kind, pattern in PATTERNS:
        for found in re.finditer(pattern, text):
            offset = starts[found.start()]
            yield Entity(kind, offset, starts[found.end()] - offset)


def clashes(entity: Entity, other: Entity) -> bool:
    """Whether the two cannot stand together."""
    if entity.end <= other.offset or other.end <= entity.offset:
        return False
    is_inside = other.offset <= entity.offset and entity.end <= other.end
    is_around = entity.offset <= other.offset and other.end <= entity.end
    is_found = other.type in {kind for kind, _ in PATTERNS}
    return other.type in OPAQUE or is_found or not (is_inside or is_around)
