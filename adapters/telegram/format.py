"""From Markdown to what Telegram shows: text, and entities that say how it looks.

Entities are never wrong where a parse mode would refuse: half-written or unusual Markdown is text.
https://core.telegram.org/bots/api#messageentity
"""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode as Node
from telegram import MessageEntity

from adapters.telegram.canvas import Canvas
from adapters.telegram.table import drawn

MAX_LENGTH = 4096  # code points, as the server counts; only entities are counted in UTF-16
MAX_ENTITIES = 100  # the server drops what is beyond, without an error

# Without HTML, which is text, and without link definitions: each message stands alone.
PARSER = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 100})
    .enable(["table", "strikethrough"])
    .disable(["reference"])
)
# One address that Telegram cannot use, and it refuses the whole message: not "localhost" (there is
# no dot), no user name, no port beyond 65535. What may be wrong is not made a link.
# https://github.com/tdlib/td/blob/master/tdutils/td/utils/HttpUrl.cpp
ADDRESS = re.compile(
    r"(?:https?://[\w-]+(?:\.[\w-]+)+(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?|tg://[\w-]+)(?:[/?#]\S*)?",
    re.IGNORECASE,
)
RULE = "─" * 12

MARKS = {
    "strong": MessageEntity.BOLD,
    "em": MessageEntity.ITALIC,
    "s": MessageEntity.STRIKETHROUGH,
}


def render(markdown: str) -> tuple[str, tuple[MessageEntity, ...]]:
    """What a message says and how it looks, ready to be sent without a parse mode."""
    canvas = Canvas()
    blocks(canvas, Node(PARSER.parse(markdown)).children, gap=2)
    text, entities = canvas.finished()
    # What shows nothing, such as an empty code block, is shown as it is: no message may be empty.
    return (text, entities) if text else (markdown.strip(), ())


def fits(markdown: str) -> bool:
    """Whether it can be shown in one message."""
    text, entities = render(markdown)
    return len(text) <= MAX_LENGTH and len(entities) <= MAX_ENTITIES


def blocks(canvas: Canvas, nodes: Iterable[Node], *, gap: int) -> None:
    """Write blocks one below the other, `gap` line breaks apart."""
    for index, node in enumerate(nodes):
        if index:
            canvas.break_line(gap)
        block(canvas, node)


def block(canvas: Canvas, node: Node) -> None:
    """Write one block."""
    match node.type:
        case "heading":
            with canvas.marked(MessageEntity.BOLD):
                inline(canvas, node.children)
        case "bullet_list" | "ordered_list":
            items(canvas, node)
        case "blockquote":
            with canvas.marked(MessageEntity.BLOCKQUOTE):
                blocks(canvas, node.children, gap=2)
        case "fence" | "code_block":
            language = node.info.split(maxsplit=1)[0] if node.info.strip() else None
            canvas.write_pre(node.content.removesuffix("\n"), language)
        case "table":
            canvas.write_pre(drawn(node), None)
        case "hr":
            canvas.write(RULE)
        case _:
            inline(canvas, node.children)


def items(canvas: Canvas, node: Node) -> None:
    """Write a list: its items, each behind a bullet or number and with its own blocks indented."""
    first = int(node.attrs.get("start", 1))
    paragraphs = [
        child for item in node.children for child in item.children if child.type == "paragraph"
    ]
    gap = 1 if all(paragraph.hidden for paragraph in paragraphs) else 2
    for index, item in enumerate(node.children):
        if index:
            canvas.break_line(gap)
        marker = "• " if node.type == "bullet_list" else f"{first + index}{item.markup} "
        canvas.write(marker)
        with canvas.indented(len(marker)):
            if item.children and item.children[0].type in ("fence", "code_block", "table"):
                canvas.break_line(1)
            blocks(canvas, item.children, gap=gap)


def inline(canvas: Canvas, nodes: Iterable[Node]) -> None:
    """Write words, and mark them."""
    for node in nodes:
        match node.type:
            case "inline":
                inline(canvas, node.children)
            case "strong" | "em" | "s":
                with canvas.marked(MARKS[node.type]):
                    inline(canvas, node.children)
            case "code_inline":
                canvas.write_code(node.content)
            case "link":
                link(canvas, str(node.attrs["href"]), node)
            case "image":
                image(canvas, str(node.attrs["src"]), node)
            case "softbreak" | "hardbreak":
                canvas.break_line(1)
            case _:
                canvas.write(node.content)


def image(canvas: Canvas, url: str, node: Node) -> None:
    """Write an image as a link to it, under its alternative text if it has any."""
    if node.content:
        link(canvas, url, node)
    else:
        canvas.write(url)


def link(canvas: Canvas, url: str, node: Node) -> None:
    """Write a link's words; Telegram follows web addresses and its own, the others stay words."""
    if not ADDRESS.fullmatch(url):
        inline(canvas, node.children)
        return
    with canvas.marked(MessageEntity.TEXT_LINK, url):
        inline(canvas, node.children)
