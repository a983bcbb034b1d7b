"""Collects the text of a message, and where in it which entity stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from telegram import MessageEntity


@dataclass(slots=True)
class Mark:
    """An entity still open; it starts with the first character written into it."""

    type: str
    url: str | None
    start: int | None = None


@dataclass(slots=True)
class Canvas:
    """What has been written so far; `size` counts UTF-16 code units, as entities do."""

    pieces: list[str] = field(default_factory=list)
    entities: list[MessageEntity] = field(default_factory=list)
    size: int = 0
    breaks: int = 0  # line breaks due before the next character
    indent: str = ""
    open: list[Mark] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Append text, behind the line breaks that are due."""
        if not text:
            return
        if self.breaks and self.size:
            self._append("\n" * self.breaks + self.indent)
        self.breaks = 0
        for mark in self.open:
            if mark.start is None:
                mark.start = self.size
        self._append(text)

    def break_line(self, count: int) -> None:
        """Let what comes next stand at least so many line breaks further down."""
        self.breaks = max(self.breaks, count)

    @contextmanager
    def indented(self, width: int) -> Iterator[None]:
        """Indent the lines that begin inside the block."""
        before = self.indent
        self.indent += " " * width
        yield
        self.indent = before

    @contextmanager
    def marked(self, type_: str, url: str | None = None) -> Iterator[None]:
        """Mark what is written inside the block; a mark within one of its kind is that one."""
        if any(mark.type == type_ for mark in self.open):
            yield
            return
        self.open.append(Mark(type_, url))
        yield
        self._close(self.open.pop())

    def write_code(self, text: str) -> None:
        """Append text in a fixed-width font; inside a link it stays part of the link."""
        is_linked = any(mark.type == MessageEntity.TEXT_LINK for mark in self.open)
        if is_linked:
            self.write(text)
        else:
            self._write_alone(text, MessageEntity.CODE, None)

    def write_pre(self, text: str, language: str | None) -> None:
        """Append lines in a fixed-width font, not indented, so that they can be copied."""
        before, self.indent = self.indent, ""
        self._write_alone(text, MessageEntity.PRE, language)
        self.indent = before

    def finished(self) -> tuple[str, tuple[MessageEntity, ...]]:
        """The text without white space around it, and its entities in their order."""
        text = "".join(self.pieces)
        # As the server does it: what an entity begins with stays, such as a program's indentation.
        first = min((entity.offset for entity in self.entities), default=self.size)
        start = min(len(text) - len(text.lstrip()), first)
        text = text[start:].rstrip()
        size = units(text)
        # Marks were closed from the inside out; of two that cover the same, the outer comes first.
        kept = [moved(entity, start, size) for entity in reversed(self.entities)]
        kept = [entity for entity in kept if entity.length > 0]
        return text, tuple(sorted(kept, key=lambda entity: (entity.offset, -entity.length)))

    def _write_alone(self, text: str, type_: str, language: str | None) -> None:
        """Write text that no entity but a quotation may enclose.

        https://core.telegram.org/bots/api#formatting-options
        """
        for mark in self.open:
            if mark.type != MessageEntity.BLOCKQUOTE:
                self._close(mark)
        self.write(text)
        for mark in self.open:
            if mark.type != MessageEntity.BLOCKQUOTE:
                mark.start = None
        if text.strip():
            length = units(text)
            self.entities.append(
                MessageEntity(type_, self.size - length, length, language=language)
            )

    def _close(self, mark: Mark) -> None:
        if mark.start is not None and mark.start < self.size:
            length = self.size - mark.start
            self.entities.append(MessageEntity(mark.type, mark.start, length, url=mark.url))
        mark.start = None

    def _append(self, text: str) -> None:
        self.pieces.append(text)
        self.size += units(text)


def units(text: str) -> int:
    """UTF-16 code units: two for a character beyond the first 65,536."""
    return len(text) + sum(character > "\uffff" for character in text)


def moved(entity: MessageEntity, start: int, size: int) -> MessageEntity:
    """The entity in a text that begins `start` later and is `size` long."""
    offset = entity.offset - start
    return MessageEntity(
        entity.type,
        offset,
        min(entity.length, size - offset),
        url=entity.url,
        language=entity.language,
    )
