"""Discord's Markdown is shown as Discord shows it, and nothing gets out of it."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.emulator.html import to_html
from adapters.discord.emulator.images import mime_of, size_of

NAMES = {"1": "Ann", "2": "general", "3": "A<b>"}
TAGS = {
    *("p", "br", "strong", "em", "u", "s", "span", "code", "pre", "blockquote", "small", "a"),
    *("h1", "h2", "h3", "ul", "ol", "li", "time"),
}
LINK = 'target="_blank" rel="noreferrer noopener"'

SHOWN = [
    ("**bold** *italic* _too_", "<p><strong>bold</strong> <em>italic</em> <em>too</em></p>"),
    ("__under__ ~~struck~~", "<p><u>under</u> <s>struck</s></p>"),
    ("***both***", "<p><em><strong>both</strong></em></p>"),
    ("||a **b**||", '<p><span class="spoiler">a <strong>b</strong></span></p>'),
    ("a | b || c", "<p>a | b || c</p>"),
    ("one\ntwo", "<p>one<br>\ntwo</p>"),
    ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
    ("```py\nx = 1\n```", '<pre><code class="language-py">x = 1\n</code></pre>'),
    ("> a\n> b\nc", "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>\n<p>c</p>"),
    (">>> a\nb", "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>"),
    (">a", "<p>&gt;a</p>"),
    ("# one", "<h1>one</h1>"),
    ("### three", "<h3>three</h3>"),
    ("#### four", "<p>#### four</p>"),
    ("#none", "<p>#none</p>"),
    ("-# small", "<small>small</small>"),
    ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
    ("1. a", "<ol>\n<li>a</li>\n</ol>"),
    ("a\n---\nb", "<p>a<br>\n---<br>\nb</p>"),
    ("| a |\n|---|", "<p>| a |<br>\n|---|</p>"),
    ("<script>", "<p>&lt;script&gt;</p>"),
    ("\\*no\\*", "<p>*no*</p>"),
    ("[text](https://x.org/a)", f'<p><a href="https://x.org/a" {LINK}>text</a></p>'),
    ("[bad](javascript:x)", "<p>[bad](javascript:x)</p>"),
    (
        "see https://x.org/a_b.",
        f'<p>see <a href="https://x.org/a_b" {LINK}>https://x.org/a_b</a>.</p>',
    ),
    ("<https://x.org>", f'<p><a href="https://x.org" {LINK}>https://x.org</a></p>'),
    ("<@1> <@!1>", '<p><span class="mention">@Ann</span> <span class="mention">@Ann</span></p>'),
    ("<#2>", '<p><span class="mention">#general</span></p>'),
    ("<@3>", '<p><span class="mention">@A&lt;b&gt;</span></p>'),
    ("<@9>", '<p><span class="mention">@unknown-user</span></p>'),
    ("@everyone", '<p><span class="mention">@everyone</span></p>'),
    ("`<@1>`", "<p><code>&lt;@1&gt;</code></p>"),
    ("<t:0:R>", "<p><time>1970-01-01 00:00 UTC</time></p>"),
    ("<:wave:5>", "<p>:wave:</p>"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "html"), SHOWN, ids=[text for text, _ in SHOWN])
def test_is_shown(text, html):
    """Each form of text looks as it does on Discord."""
    assert html == to_html(text, NAMES).strip()


class Strict(HTMLParser):
    """Reads tags and the words between."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.open, self.links = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()


PIECES = st.sampled_from(
    [
        *"*_~|`>#-<@&/\"'\\ \n[]()",
        "```",
        "https://x.org/",
        "javascript:",
        "<script>",
        "<@1>",
        "a",
        "||",
        "-# ",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_is_always_safe_and_whole(text):
    """Whatever is written, only the known tags come out, closed in order, with web links alone."""
    read = Strict()
    read.feed(to_html(text, NAMES))

    assert set() == read.tags - TAGS
    assert [] == read.open
    assert all(link.startswith(("https://", "http://")) for link in read.links)


IMAGES = [
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02", (3, 2), "image/png"),
    (b"GIF89a\x03\0\x02\0", (3, 2), "image/gif"),
    (
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x02\0\x03",
        (3, 2),
        "image/jpeg",
    ),
    (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x03\0\x02\0", (3, 2), "image/webp"),
    (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x02\x40\0\0", (3, 2), "image/webp"),
    (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x02\0\0\x01\0\0", (3, 2), "image/webp"),
    (b"\x89PNG\r\n\x1a\n", None, "image/png"),
]


@pytest.mark.parametrize(("content", "size", "mime"), IMAGES)
def test_images(content, size, mime):
    """The size and type of an image are in its first bytes."""
    assert (size, mime) == (size_of(content), mime_of(content))
