"""What the parse modes have in common: a text that grows, and entities over it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from adapters.telegram.emulator import links, utf16
from adapters.telegram.emulator.entities import CODES, QUOTES
from adapters.telegram.emulator.post import Entity, Formatted
from adapters.telegram.emulator.refusal import Refusal, bad


def problem(text: str) -> Refusal:
    """The refusal of markup that cannot be parsed."""
    return bad(f"can't parse entities: {text}")


@dataclass(slots=True)
class Parsed:
    """The text and the entities so far."""

    pieces: list[str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    length: int = 0  # UTF-16 code units

    def add(self, text: str) -> None:
        """Go on with a piece of text."""
        self.pieces.append(text)
        self.length += utf16.length(text)

    def text_from(self, start: int) -> str:
        """The text behind a UTF-16 offset."""
        return utf16.cut("".join(self.pieces), start, self.length)

    def close(
        self,
        kind: str,
        start: int,
        *,
        url: str | None = None,
        language: str | None = None,
        custom_emoji_id: str | None = None,
    ) -> None:
        """End an entity here; an empty one, or a link that leads nowhere, leaves no trace."""
        if start == self.length:
            return
        if kind == "text_link":
            url = url if url is not None else self.text_from(start)
            if links.problem(url):
                return
            url = links.normal(url)
        user: dict[str, object] | None = None
        if url and url.startswith("tg://user?id="):
            kind, user = "text_mention", {"id": number(url)}
            url = None
        self.entities.append(
            Entity(
                kind,
                start,
                self.length - start,
                url=url,
                user=user,
                language=language,
                custom_emoji_id=custom_emoji_id,
            )
        )

    def finish(self) -> Formatted:
        """The whole, with entities nested as the rules want them."""
        return Formatted("".join(self.pieces), tuple(nested(self.entities)))


def number(url: str) -> int:
    """The id at the end of tg://user?id=."""
    digits = url.rpartition("=")[2]
    return int(digits) if digits.isdecimal() else 0


def nested(entities: Iterable[Entity]) -> Iterator[Entity]:
    """Drop what may not stand inside of what surrounds it; markup is repaired, not refused."""
    around: list[Entity] = []
    for entity in joined(sorted(entities, key=rank)):
        while around and around[-1].end <= entity.offset:
            around.pop()
        kinds = {outer.type for outer in around}
        if kinds & CODES or (entity.type in QUOTES and kinds & QUOTES):
            continue
        around.append(entity)
        yield entity


def rank(entity: Entity) -> tuple[int, int, int]:
    """Sort by range; within the same one quotes stand outside, then code, which wins."""
    kinds = {"blockquote": 0, "expandable_blockquote": 0, "pre": 1, "code": 2}
    return entity.offset, -entity.length, kinds.get(entity.type, 3)


def joined(entities: list[Entity]) -> Iterator[Entity]:
    """Make a `pre` with a language of <pre><code class="language-…">."""
    languages = {(e.offset, e.length): e.language for e in entities if e.type == "code"}
    for entity in entities:
        language = languages.get((entity.offset, entity.length))
        if entity.type == "pre" and language:
            yield msgspec.structs.replace(entity, language=language)
        elif entity.type == "code":
            yield msgspec.structs.replace(entity, language=None)
        else:
            yield entity
