"""The parse mode MarkdownV2; https://core.telegram.org/bots/api#markdownv2-style."""

import re
from dataclasses import dataclass, field

from adapters.telegram.emulator import links, utf16
from adapters.telegram.emulator.parsed import Parsed, number, problem
from adapters.telegram.emulator.post import Formatted
from adapters.telegram.emulator.refusal import Refusal

RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
MARKS = (  # longest first
    ("```", "Pre"),
    ("__", "Underline"),
    ("||", "Spoiler"),
    ("![", "CustomEmoji"),
    ("`", "Code"),
    ("_", "Italic"),
    ("*", "Bold"),
    ("~", "Strikethrough"),
    ("[", "TextUrl"),
)
ENDS = {mark: mark for mark, _ in MARKS} | {"[": "]", "![": "]"}
TYPES = {
    "Pre": "pre",
    "PreCode": "pre",
    "Underline": "underline",
    "Spoiler": "spoiler",
    "CustomEmoji": "custom_emoji",
    "Code": "code",
    "Italic": "italic",
    "Bold": "bold",
    "Strikethrough": "strikethrough",
    "TextUrl": "text_link",
    "BlockQuote": "blockquote",
}
LANGUAGE = re.compile(r"([^\s`]+)(?=[^`])")
LINE_BREAK = re.compile(r"\r\n|\n\r|\n|\r")


def parse(source: str) -> Formatted:
    """Turn markup into text and entities; raises Refusal."""
    return Reader(source).read()


@dataclass(frozen=True, slots=True)
class Mark:
    """An entity whose end is yet to come."""

    name: str
    end: str
    start: int  # UTF-16 offset in the text
    begin: int  # byte offset in the source
    language: str | None = None


@dataclass(slots=True)
class Reader:
    """One pass over the markup."""

    source: str
    at: int = 0
    is_line_start: bool = True
    open: list[Mark] = field(default_factory=list)
    out: Parsed = field(default_factory=Parsed)

    def read(self) -> Formatted:
        """Read to the end."""
        while self.at < len(self.source):
            self._step()
        self._end_quote()
        if self.open:
            raise self._unended(self.open[-1])
        return self.out.finish()

    def _step(self) -> None:
        character = self.source[self.at]
        following = self.source[self.at + 1 : self.at + 2]
        if character == "\\" and following and following < "\x7f":
            self._text(following)
            self.at += 2
        elif self._is_end():
            self._end()
        elif character not in RESERVED or self._is_in_code():
            self._text(character)
            self.at += 1
            if character == "\n" and not self._is_in_code():
                self._new_line()
        else:
            self._begin(character)

    def _text(self, text: str) -> None:
        self.out.add(text)
        self.is_line_start = text in "\n\r"

    def _is_in_code(self) -> bool:
        return bool(self.open) and self.open[-1].end in ("`", "```")

    def _is_end(self) -> bool:
        if not self.open or not self.open[-1].end:
            return False
        end = self.open[-1].end
        is_longer = end == "_" and self.source.startswith("__", self.at)
        return self.source.startswith(end, self.at) and not is_longer

    def _begin(self, character: str) -> None:
        begin = utf16.byte_offset(self.source, self.at)
        if character == ">" and self.is_line_start:
            self.open.append(Mark("BlockQuote", "", self.out.length, begin))
            self.is_line_start = False
            self.at += 1
            return
        for mark, name in MARKS:
            if self.source.startswith(mark, self.at):
                self.at += len(mark)
                language = None
                if name == "Pre":
                    name, language = self._language()  # noqa: PLW2901 - a Pre may turn out as PreCode
                self.open.append(Mark(name, ENDS[mark], self.out.length, begin, language))
                return
        raise problem(
            f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
        )

    def _language(self) -> tuple[str, str | None]:
        found = LANGUAGE.match(self.source, self.at)
        self.at = found.end() if found else self.at
        line_break = LINE_BREAK.match(self.source, self.at)
        self.at = line_break.end() if line_break else self.at
        return ("PreCode", found[1]) if found else ("Pre", None)

    def _end(self) -> None:
        mark = self.open.pop()
        self.at += len(mark.end)
        url = self._url(mark) if mark.end == "]" else None
        emoji = str(number(url)) if url and mark.name == "CustomEmoji" else None
        self.out.close(
            TYPES[mark.name],
            mark.start,
            url=None if emoji else url,
            language=mark.language,
            custom_emoji_id=emoji,
        )

    def _url(self, mark: Mark) -> str:
        if not self.source.startswith("(", self.at):
            if mark.name == "CustomEmoji":
                raise problem("Custom emoji entity must contain a tg://emoji URL")
            return self.out.text_from(mark.start)
        found = re.compile(r"\(((?:\\[\x01-\x7e]|[^)\\]|\\)*?)\)").match(self.source, self.at)
        if not found:
            what = "custom emoji URL" if mark.name == "CustomEmoji" else "URL"
            offset = utf16.byte_offset(self.source, self.at + 1)
            raise problem(f"Can't find end of a {what} at byte offset {offset}")
        self.at = found.end()
        url = re.sub(r"\\([\x01-\x7e])", r"\1", found[1])
        if mark.name == "CustomEmoji" and not is_emoji(url):
            raise problem("Custom emoji URL must have an emoji identifier")
        return url

    def _new_line(self) -> None:
        if not any(mark.name == "BlockQuote" for mark in self.open):
            return
        if self.source.startswith(">", self.at):
            self.at += 1
            self.is_line_start = False
        else:
            self._end_quote()

    def _end_quote(self) -> None:
        if not any(mark.name == "BlockQuote" for mark in self.open):
            return
        kind = "blockquote"
        mark = self.open.pop()
        # A spoiler that only begins at the end of a quote is the sign that it can be expanded.
        if mark.name == "Spoiler" and not self.out.text_from(mark.start).strip("\r\n"):
            kind = "expandable_blockquote"
            mark = self.open.pop()
        if mark.name != "BlockQuote":
            raise self._unended(mark)
        self.out.close(kind, mark.start)

    def _unended(self, mark: Mark) -> Refusal:
        return problem(f"Can't find end of {mark.name} entity at byte offset {mark.begin}")


def is_emoji(url: str) -> bool:
    """Whether a URL names a custom emoji."""
    return links.parts(url)[0] == "tg" and bool(
        re.search(r"emoji/?\?.*id=\d+$", url, re.IGNORECASE)
    )
