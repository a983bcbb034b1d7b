"""Where the inline constructs of a paragraph begin and end, and which are still open."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

TOKEN: Final = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`+)"
    r"|(?P<delimiter>\*+|_+|~~+|\|\|)"
    r"|(?P<bracket>!?\[)"
    r"|(?P<close>\])"
    r"|(?P<angle><(?:https?:|mailto:|[@#]|t:|a?:\w)[^\s<>]*>?)"
    r"|(?P<url>https?://[!#-';+-;=?-Z\\^_a-{}~]+)"
    r"|(?P<entity>&\#?\w{0,31};?)"
)
TARGET: Final = re.compile(
    r"\(\s*(?:<[^<>\n]*>|(?:\\.|[^\s()\\]|\((?:\\.|[^\s()\\])*\))*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
HALF_TARGET: Final = re.compile(r"\(\s*(?:<[^<>\n]*|[^\s<]\S*(?:\s+(?:\"[^\"]*\"?|'[^']*'?)?)?)?")


@dataclass(frozen=True, slots=True)
class Span:
    """A construct from `start` to `end`, or to nowhere yet; `marker` closes it."""

    start: int
    end: int | None
    marker: str


@dataclass(frozen=True, slots=True)
class Opener:
    """A run of delimiters, or a bracket, that may still be closed."""

    start: int
    marker: str


def read_spans(text: str) -> tuple[Span, ...]:
    """Find the inline constructs of a paragraph's text, those of CommonMark and spoilers.

    It errs on the side of finding too much: an opener that nothing closes is reported as open,
    and the same holds for a run of delimiters at the very end, whose meaning the next character
    decides. The marker of a half-written link is `[` or, from its target on, `](`.
    """
    return Reading(text).spans()


class Reading:
    """One pass over a paragraph's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Span] = []
        self.openers: list[Opener] = []

    def spans(self) -> tuple[Span, ...]:
        """Read it all."""
        position: int | None = 0
        while position is not None and (match := TOKEN.search(self.text, position)):
            position = self.take(match)
        self.found += [Span(opener.start, None, opener.marker) for opener in self.openers]
        return tuple(sorted(self.found, key=lambda span: span.start))

    def take(self, match: re.Match[str]) -> int | None:
        """Note one token; returns where to go on, or None where nothing more can be told."""
        match match.lastgroup:
            case "code":
                return self.take_code(match)
            case "delimiter":
                return self.take_delimiters(match)
            case "bracket":
                self.openers.append(Opener(match.start(), "["))
                return match.end()
            case "close":
                return self.take_close(match)
            case _:
                is_open = match.lastgroup == "angle" and not match[0].endswith(">")
                is_open = is_open and match.end() == len(self.text)
                self.note(match.start(), None if is_open else match.end(), "<")
                return match.end()

    def note(self, start: int, end: int | None, marker: str) -> None:
        """Remember a construct."""
        self.found.append(Span(start, end, marker))

    def take_code(self, match: re.Match[str]) -> int | None:
        """Find the end of inline code: a run of backticks of the same length."""
        closing = re.compile(rf"(?<!`){match[0]}(?!`)").search(self.text, match.end())
        self.note(match.start(), closing.end() if closing else None, match[0])
        return closing.end() if closing else None

    def take_delimiters(self, match: re.Match[str]) -> int:
        """Close what a run can close, and open with what is left of it.

        https://spec.commonmark.org/0.31.2/#delimiter-run
        """
        start, end = match.span()
        can_open, can_close = flanking(self.text, start, end)
        left = end - start
        while can_close and left and (index := self.opener(match[0][0], left)) is not None:
            opener = self.openers[index]
            used = min(left, len(opener.marker))
            left -= used
            self.note(opener.start, end, opener.marker[:used])
            rest = opener.marker[used:]
            self.openers[index:] = [Opener(opener.start, rest)] if rest else []
        if left and (can_open or end == len(self.text)):
            self.openers.append(Opener(end - left, match[0][:left]))
        self.note(start, end, "")
        return end

    def opener(self, character: str, left: int) -> int | None:
        """Find the nearest opener of the same character; pairs match as pairs only."""
        for index in range(len(self.openers) - 1, -1, -1):
            marker = self.openers[index].marker
            if marker[0] == character and (character in "*_" or len(marker) <= left):
                return index
        return None

    def take_close(self, match: re.Match[str]) -> int | None:
        """End a link's label, and the link if its target stands here."""
        brackets = [i for i, opener in enumerate(self.openers) if opener.marker == "["]
        if not brackets:
            return match.end()
        start = self.openers[brackets[-1]].start
        target = TARGET.match(self.text, match.end())
        if target is None and HALF_TARGET.fullmatch(self.text, match.end()):
            self.note(start, None, "](")
            del self.openers[brackets[-1] :]
            return None
        if target is None:
            del self.openers[brackets[-1]]
        else:
            del self.openers[brackets[-1] :]
        end = target.end() if target else match.end()
        self.note(start, end, "")
        return end


def flanking(text: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether a delimiter run can open and can close."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    is_left = not after.isspace() and (
        not is_punctuation(after) or before.isspace() or is_punctuation(before)
    )
    is_right = not before.isspace() and (
        not is_punctuation(before) or after.isspace() or is_punctuation(after)
    )
    if text[start] == "_":
        return (
            is_left and (not is_right or is_punctuation(before)),
            is_right and (not is_left or is_punctuation(after)),
        )
    return is_left, is_right


def is_punctuation(character: str) -> bool:
    """As CommonMark defines it."""
    return unicodedata.category(character)[0] in "PS"
