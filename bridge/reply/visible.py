"""What a reader sees of Markdown: the one definition behind every promise to lose nothing."""

from collections.abc import Iterable, Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

# `html` is off: HTML in an answer is text. `reference` is off: each message stands alone, so a
# definition in one could never serve a link in another.
PARSER: Final = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 40})
    .enable(["table", "strikethrough"])
    .disable(["reference"])
)


def visible(markdown: str) -> str:
    """Return what a reader sees of `markdown`, without any whitespace.

    Seen are: text (HTML tags are text), inline code, the contents of code blocks, the labels of
    links, the alternative texts of images or, without one, their addresses, the cells of tables.
    Not seen are: markers of lists, quotes, headings and emphasis, rules, the info strings of
    fences, the targets of links.
    Text is read as CommonMark (https://spec.commonmark.org/0.31.2/) with GitHub's tables and
    strikethrough, without link reference definitions: those are text. "Lossless" means
    `"".join(visible(chunk) for chunk in chunks) == visible(whole)`.
    """
    return "".join("".join(seen(PARSER.parse(markdown))).split())


def seen(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the text of tokens, at any depth."""
    for token in tokens:
        if token.type == "image" and not token.content:
            yield str(token.attrs["src"])
        elif token.children is not None:
            yield from seen(token.children)
        else:
            yield token.content if token.type != "softbreak" else "\n"


def parse_blocks(markdown: str) -> list[Token]:
    """Parse blocks only, which is several times faster."""
    tokens: list[Token] = []
    PARSER.block.parse(markdown, PARSER, {}, tokens)
    return tokens
