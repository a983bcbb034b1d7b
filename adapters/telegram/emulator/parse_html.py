"""The parse mode HTML; https://core.telegram.org/bots/api#html-style."""

import re
from dataclasses import dataclass, field

from adapters.telegram.emulator import utf16
from adapters.telegram.emulator.parsed import Parsed, problem
from adapters.telegram.emulator.post import Formatted
from adapters.telegram.emulator.refusal import Refusal

TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#(\d{1,8})|#[xX]([0-9a-fA-F]{1,8})|(lt|gt|amp|quot));?")
ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s=>]*)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<bare>[A-Za-z0-9.-]+(?=[\s>]))|(?P<wrong>)))?\s*"""
)


def parse(source: str) -> Formatted:
    """Turn markup into text and entities; raises Refusal."""
    return Reader(source).read()


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag whose end is yet to come."""

    name: str
    attributes: dict[str, str]
    start: int  # UTF-16 offset in the text


@dataclass(slots=True)
class Reader:
    """One pass over the markup."""

    source: str
    at: int = 0
    open: list[Tag] = field(default_factory=list)
    out: Parsed = field(default_factory=Parsed)

    def read(self) -> Formatted:
        """Read to the end."""
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self._end_tag()
            elif self.source[self.at] == "<":
                self._start_tag()
            else:
                self._character()
        if self.open:
            raise problem(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return self.out.finish()

    def _character(self) -> None:
        found = REFERENCE.match(self.source, self.at)
        text = decoded(found) if found else None
        if found is None or text is None:
            self.out.add(self.source[self.at])
            self.at += 1
            return
        self.out.add(text)
        self.at = found.end()

    def _start_tag(self) -> None:
        begin = utf16.byte_offset(self.source, self.at)
        found = re.compile(r"<([^\s>]*)(?=[\s>])\s*").match(self.source, self.at)
        if not found:
            raise problem(f"Unclosed start tag at byte offset {begin}")
        name = found[1].lower()
        if name not in TYPES:
            raise problem(f'Unsupported start tag "{name}" at byte offset {begin}')
        self.at = found.end()
        attributes = self._attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            text = f'Tag "span" must have class "tg-spoiler" at byte offset {begin}'
            raise problem(text)
        self.open.append(Tag(name, attributes, self.out.length))

    def _attributes(self, name: str, begin: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while not self.source.startswith(">", self.at):
            found = ATTRIBUTE.match(self.source, self.at)
            if found is None or self.at == len(self.source):
                raise problem(f'Unclosed start tag "{name}" at byte offset {begin}')
            if not found["name"]:
                text = f'Empty attribute name in the tag "{name}" at byte offset {begin}'
                raise problem(text)
            if found["wrong"] is not None:
                raise self._wrong_value(found.end(), name, begin)
            value = found["double"] or found["single"] or found["bare"] or ""
            attributes[found["name"].lower()] = REFERENCE.sub(
                lambda match: decoded(match) or match[0], value
            )
            self.at = found.end()
        self.at += 1
        return attributes

    def _wrong_value(self, at: int, name: str, begin: int) -> Refusal:
        if at == len(self.source):
            return problem(f'Unclosed start tag "{name}" at byte offset {begin}')
        if self.source[at] in "\"'":
            return problem(f"Unclosed start tag at byte offset {begin}")
        offset = utf16.byte_offset(self.source, at)
        return problem(f"Unexpected end of name token at byte offset {offset}")

    def _end_tag(self) -> None:
        begin = utf16.byte_offset(self.source, self.at)
        if not self.open:
            raise problem(f"Unexpected end tag at byte offset {begin}")
        found = re.compile(r"</([^\s>]*)\s*>").match(self.source, self.at)
        if not found:
            raise problem(f"Unclosed end tag at byte offset {begin}")
        tag = self.open.pop()
        if found[1] and found[1].lower() != tag.name:
            expected = f'expected "</{tag.name}>", found "</{found[1].lower()}>"'
            raise problem(f"Unmatched end tag at byte offset {begin}, {expected}")
        self.at = found.end()
        self._close(tag)

    def _close(self, tag: Tag) -> None:
        kind = TYPES[tag.name]
        if kind == "blockquote" and "expandable" in tag.attributes:
            kind = "expandable_blockquote"
        language = None
        if kind == "code" and tag.attributes.get("class", "").startswith("language-"):
            language = tag.attributes["class"].removeprefix("language-")
        self.out.close(
            kind,
            tag.start,
            url=tag.attributes.get("href") if kind == "text_link" else None,
            language=language,
            custom_emoji_id=tag.attributes.get("emoji-id"),
        )


def decoded(found: re.Match[str]) -> str | None:
    """The character that a reference stands for, or None for one that is none."""
    if found[3]:
        return NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    is_character = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else None
