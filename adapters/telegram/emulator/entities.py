"""Entities as a bot sends them: read, checked against the text, refused where wrong."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from adapters.telegram.emulator import links, utf16
from adapters.telegram.emulator.post import Entity, Json
from adapters.telegram.emulator.refusal import bad

MOST = 100  # the service drops what is beyond, without a word
LONGEST = 1_000_000

QUOTES = frozenset({"blockquote", "expandable_blockquote"})
CODES = frozenset({"pre", "code"})
GIVEN = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "text_link"}
    | {"text_mention", "custom_emoji"}
    | QUOTES
)
DETECTED = frozenset(  # the service finds these by itself and ignores what a bot says of them
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
    | {"bank_card_number"}
)


def read(given: object) -> tuple[Entity, ...]:
    """Read a JSON array of MessageEntity; raises Refusal. The text is not looked at."""
    if given is None:
        return ()
    if not isinstance(given, list):
        raise bad("can't parse entities: Expected an Array of MessageEntity")
    return tuple(entity for entity in map(entity_of, given) if entity.type not in DETECTED)


def entity_of(given: object) -> Entity:
    """Read one MessageEntity."""
    if not isinstance(given, dict):
        raise wrong("MessageEntity must be an Object")
    for name in ("offset", "length"):
        if not isinstance(given.get(name), int):
            raise wrong(f'Can\'t find field "{name}"')
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in GIVEN | DETECTED:
        raise wrong("Unsupported type specified" if kind else "Type is not specified")
    number = str(given.get("custom_emoji_id", ""))
    if kind == "custom_emoji" and not (number.isdecimal() and int(number) < 2**63):
        raise wrong('Field "custom_emoji_id" must be a valid Number')
    try:
        return msgspec.convert(given, Entity)
    except msgspec.ValidationError as error:
        raise wrong(str(error)) from error


def wrong(problem: str) -> Exception:
    """The refusal of an entity that makes no sense in itself."""
    return bad(f"can't parse MessageEntity: {problem}")


def checked(text: str, given: Iterable[Entity], people: Mapping[int, Json]) -> tuple[Entity, ...]:
    """The entities in order, each within the text and well nested; raises Refusal.

    Rules: https://core.telegram.org/bots/api#formatting-options. The service itself repairs what
    is badly nested; here it is refused, because it does not show what was meant.
    """
    found = sorted(given, key=rank)
    starts = set(utf16.starts(text))
    for entity in found:
        check_range(entity, text, starts)
    found = [entity for entity in found if entity.length][:MOST]
    check_nesting(found)
    return tuple(resolved(entity, people) for entity in found)


def rank(entity: Entity) -> tuple[int, int, bool]:
    """Sort by range; within the same one code stands inside."""
    return entity.offset, -entity.length, entity.type in CODES


def check_range(entity: Entity, text: str, starts: set[int]) -> None:
    """Refuse what lies outside of the text or splits a character."""
    total = utf16.length(text)
    if not 0 <= entity.offset <= LONGEST:
        raise bad(f"receive an entity with incorrect offset {entity.offset}")
    if not 0 <= entity.length <= LONGEST:
        raise bad(f"receive an entity with incorrect length {entity.length}")
    if entity.offset > total or (entity.offset == total and entity.length):
        raise bad(f"entity begins after the end of the text at UTF-16 offset {entity.offset}")
    beginning = f"entity beginning at UTF-16 offset {entity.offset} ends"
    if entity.end > total:
        raise bad(f"{beginning} after the end of the text at UTF-16 offset {entity.end}")
    if entity.offset not in starts:
        at = len(utf16.cut(text, 0, entity.offset - 1).encode())
        raise bad(f"entity begins in a middle of a UTF-16 symbol at byte offset {at}")
    if entity.end not in starts:
        at = len(utf16.cut(text, 0, entity.end - 1).encode())
        raise bad(f"{beginning} in a middle of a UTF-16 symbol at byte offset {at}")


def check_nesting(found: list[Entity]) -> None:
    """Refuse overlaps, anything inside code, and quotes inside quotes."""
    around: list[Entity] = []
    for entity in found:
        while around and around[-1].end <= entity.offset:
            around.pop()
        kinds = {outer.type for outer in around}
        is_crossing = bool(around) and entity.end > around[-1].end
        is_in_code = bool(kinds & CODES)
        is_in_quote = entity.type in QUOTES and bool(kinds & QUOTES)
        if is_crossing or is_in_code or is_in_quote:
            raise bad("ENTITY_BOUNDS_INVALID")
        around.append(entity)


def resolved(entity: Entity, people: Mapping[int, Json]) -> Entity:
    """Check what the entity points at: a URL, or a person the bot knows."""
    if entity.type == "text_link":
        url = entity.url or ""
        if problem := links.problem(url):
            raise bad(f"entity URL '{url}' is invalid: {problem}")
        return msgspec.structs.replace(entity, url=links.normal(url))
    if entity.type == "text_mention":
        number = (entity.user or {}).get("id")
        if not isinstance(number, int) or number not in people:
            raise bad("user not found")
        return msgspec.structs.replace(entity, user=people[number])
    if entity.type == "pre" and entity.language:
        language = re.sub(r"\s", "", entity.language)
        return msgspec.structs.replace(entity, language=language)
    return entity
