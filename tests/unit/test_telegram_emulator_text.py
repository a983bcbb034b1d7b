"""The pure parts of the Telegram emulator: markup, entities, links, pictures, flood limits."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.telegram.emulator import (
    detect,
    entities,
    formatted,
    images,
    links,
    parse_html,
    parse_markdown,
    parse_old_markdown,
    show,
    utf16,
)
from adapters.telegram.emulator.flood import FloodLedger, FloodRules
from adapters.telegram.emulator.post import Entity, Formatted
from adapters.telegram.emulator.refusal import Refusal


def ranges(parsed: Formatted) -> list[tuple[str, int, int]]:
    return [(entity.type, entity.offset, entity.length) for entity in parsed.entities]


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("", "", []),
        ("&lt;&gt;&amp;&quot;&laquo;&#65;&#x42;", '<>&"&laquo;AB', []),
        ("🏟 🏟<i>🏟 &lt🏟</i>", "🏟 🏟🏟 <🏟", [("italic", 5, 6)]),
        (
            "🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>",
            "🏟 🏟🏟 ><🏟",
            [("italic", 5, 7), ("bold", 9, 3)],
        ),
        ("<i    aba  =  '&lt;'>a</>", "a", [("italic", 0, 1)]),
        ('<span class = "tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<a href='telegram.org'>x</a>", "x", [("text_link", 0, 1)]),
        ("<a>https://telegram.org/a?b#c</a>", "https://telegram.org/a?b#c", [("text_link", 0, 26)]),
        ("<a>nowhere</a>", "nowhere", []),
        ('<a href="tg://user?id=7">x</a>', "x", [("text_mention", 0, 1)]),
        ("<pre><b>x</b></pre>", "x", [("pre", 0, 1)]),
        ("<blockquote expandable>a<b></b></blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        ('<tg-emoji emoji-id="54321">🏟</tg-emoji>', "🏟", [("custom_emoji", 0, 2)]),
        ("a < b", None, 'Unsupported start tag "" at byte offset 2'),
        ("🏟 🏟&lt;<abacaba", None, "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;<abac aba>", None, 'Unsupported start tag "abac" at byte offset 13'),
        ("🏟 🏟&lt;<i   =aba>", None, 'Empty attribute name in the tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba>", None, 'Can\'t find end tag corresponding to start tag "i"'),
        ("🏟 🏟&lt;<i    aba  =  ", None, 'Unclosed start tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba  =  190azAz-.,", None, "Unexpected end of name token at byte offset 27"),
        ('🏟 🏟&lt;<i    aba  =  "&lt;', None, "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;</", None, "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<i>a</i   ", None, "Unclosed end tag at byte offset 17"),
        (
            "🏟 🏟&lt;<i>a</em   >",
            None,
            'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"',
        ),
        ("<span>x</span>", None, 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html(source, text, found):
    """HTML is parsed, and refused, as TDLib's own tests say."""
    if text is None:
        with pytest.raises(Refusal) as refused:
            parse_html.parse(source)

        assert f"Bad Request: can't parse entities: {found}" == refused.value.description
    else:
        parsed = parse_html.parse(source)

        assert (text, found) == (parsed.text, ranges(parsed))


def test_html_language():
    """<pre><code class="language-…"> becomes one pre with a language."""
    parsed = parse_html.parse('<pre><code class="language-fift">x</code></pre>')

    assert (Entity("pre", 0, 1, language="fift"),) == parsed.entities


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("\\\\\\_\\*", "\\_*", []),
        ("🏟 🏟``", "🏟 🏟", []),
        ("🏟 🏟**", "🏟 🏟", []),
        ("🏟 🏟_abac \\* asd _", "🏟 🏟abac * asd ", [("italic", 5, 11)]),
        ("🏟 🏟_🏟 __🏟___", "🏟 🏟🏟 🏟", [("italic", 5, 5), ("underline", 8, 2)]),
        ("🏟 🏟__🏟 _🏟_ __", "🏟 🏟🏟 🏟 ", [("underline", 5, 6), ("italic", 8, 2)]),
        ("🏟 🏟```🏟 🏟```", "🏟 🏟 🏟", [("pre", 5, 3)]),
        ("🏟 🏟```🏟\n\n🏟```", "🏟 🏟\n🏟", [("pre", 5, 3)]),
        ("```py\na*b_c```", "a*b_c", [("pre", 0, 5)]),
        ("||test||", "test", [("spoiler", 0, 4)]),
        ("[telegram\\.org](telegram.dog)", "telegram.org", [("text_link", 0, 12)]),
        ("[telegram\\.org](asdasd)", "telegram.org", []),
        ("[a](tg:user?id=123456)", "a", [("text_mention", 0, 1)]),
        ("![👍](tg://emoji?id=25)", "👍", [("custom_emoji", 0, 2)]),
        (">a", "a", [("blockquote", 0, 1)]),
        (
            ">*b\n>ld \n>bo\n>ld*\nasd",
            "b\nld \nbo\nld\nasd",
            [("blockquote", 0, 12), ("bold", 0, 11)],
        ),
        (">\n**>2", "\n2", [("blockquote", 0, 1), ("blockquote", 1, 1)]),
        (
            ">asd\n>q||e||w||\nasdad",
            "asd\nqew\nasdad",
            [("expandable_blockquote", 0, 8), ("spoiler", 5, 1)],
        ),
        (">asd\n>q||ew||\nasdad", "asd\nqew\nasdad", [("blockquote", 0, 8), ("spoiler", 5, 2)]),
        ("hello.", None, "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("🏟 🏟>", None, "Character '>' is reserved and must be escaped with the preceding '\\'"),
        ("🏟 🏟_abac * asd ", None, "Can't find end of Bold entity at byte offset 15"),
        ("🏟 🏟__🏟 _🏟___", None, "Can't find end of Italic entity at byte offset 23"),
        ("🏟 🏟_🏟 🏟__", None, "Can't find end of Underline entity at byte offset 19"),
        ("🏟 🏟```a", None, "Can't find end of Pre entity at byte offset 9"),
        ("🏟 🏟```a ", None, "Can't find end of PreCode entity at byte offset 9"),
        ("[telegram\\.org](asd", None, "Can't find end of a URL at byte offset 16"),
        ("🏟 🏟||test\\|", None, "Can't find end of Spoiler entity at byte offset 9"),
        (">*b\n>ld \n>bo\nld*\nasd", None, "Can't find end of Bold entity at byte offset 1"),
        ("🏟 🏟![👍]", None, "Custom emoji entity must contain a tg://emoji URL"),
    ],
)
def test_markdown(source, text, found):
    """MarkdownV2 is parsed, and refused, as TDLib's own tests say."""
    if text is None:
        with pytest.raises(Refusal) as refused:
            parse_markdown.parse(source)

        assert f"Bad Request: can't parse entities: {found}" == refused.value.description
    else:
        parsed = parse_markdown.parse(source)

        assert (text, found) == (parsed.text, ranges(parsed))


def test_old_markdown():
    """The Markdown of old knows no nesting, and escapes only its own marks."""
    parsed = parse_old_markdown.parse("*b* _i_ `c` [l](a.b) \\_ ```py\nx```")

    assert "b i c l _ x" == parsed.text
    assert ["bold", "italic", "code", "text_link", "pre"] == [e.type for e in parsed.entities]
    assert "http://a.b/" == parsed.entities[3].url
    with pytest.raises(Refusal, match="end of the entity starting at byte offset 0"):
        parse_old_markdown.parse("*unclosed")


@given(st.text(alphabet="ab🏟\n\r <>/&;=\"'bi_*[]()~`>#|!\\."))
def test_markup_never_breaks(source):
    """Whatever the markup, the outcome is a refusal or entities that fit the text."""
    for parse in (parse_html.parse, parse_markdown.parse, parse_old_markdown.parse):
        try:
            parsed = parse(source)
        except Refusal:
            continue

        assert parsed.entities == entities.checked(parsed.text, parsed.entities, {0: {}})


@given(st.text(alphabet="a🏟 \r\n\u200b"), st.data())
def test_trimming_moves_entities(text, data):
    """An entity covers the same characters after trimming, as far as they are still there."""
    starts = utf16.starts(text)
    begin = data.draw(st.sampled_from(starts))
    end = data.draw(st.sampled_from([start for start in starts if start >= begin]))
    covered = utf16.cut(text, begin, end).replace("\r", "")
    trimmed = formatted.trimmed(text, [Entity("bold", begin, end - begin)])

    assert text.replace("\r", "").strip() == trimmed.text or not trimmed.text
    for entity in trimmed.entities:
        assert utf16.cut(trimmed.text, entity.offset, entity.end) in covered


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://example.com/a", None),
        ("example.com", None),
        ("http://127.0.0.1:8080/x", None),
        ("https://[::1]/", None),
        ("tg://user?id=1", None),
        ("not-a-url", "Wrong HTTP URL"),
        ("http://localhost:3000", "Wrong HTTP URL"),
        ("", "URL host is empty"),
        ("https:///x", "URL host is empty"),
        ("ftp://example.com", "Unsupported URL protocol"),
        ("javascript:alert(1)", "Wrong HTTP URL"),
        ("https://exa mple.com", "Disallowed character in URL host"),
    ],
)
def test_links(url, problem):
    """A link needs a known scheme and a host with a dot."""
    assert problem == links.problem(url)


def test_detection():
    """The service finds commands, mentions and URLs; offsets are UTF-16."""
    found = detect.with_detected("🏟/ask@bridge_bot hi @anna https://a.io/x?y=1.", ())
    kinds = [(entity.type, entity.offset, entity.length) for entity in found]

    assert [("bot_command", 2, 15), ("mention", 21, 5), ("url", 27, 18)] == kinds


def test_detection_leaves_code_alone():
    """Nothing is found inside of code or of a link."""
    code = Entity("code", 0, 4)

    assert (code,) == detect.with_detected("/ask", [code])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (640, 481), (3000, 20)])
def test_dimensions(kind, size):
    """Width and height are read from the header of every kind of picture."""
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)

    assert size == images.dimensions(file.getvalue())
    assert f"image/{kind.lower()}" == images.mime_type(file.getvalue())


@pytest.mark.parametrize("kind", ["lossless", "extended"])
def test_webp_headers(kind):
    """All three headers of WebP are known."""
    file = io.BytesIO()
    mode = "RGBA" if kind == "extended" else "RGB"
    Image.new(mode, (300, 200), (1, 2, 3, 4)[: len(mode)]).save(
        file, "WEBP", lossless=kind == "lossless"
    )

    assert (300, 200) == images.dimensions(file.getvalue())


@given(st.binary())
def test_dimensions_of_anything(content):
    """Bytes that are no picture are no error."""
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF0000WEBPVP8 "):
        size = images.dimensions(head + content)

        assert size is None or len(size) == 2


def test_sizes():
    """A photo is offered in ever larger sizes, the last its own."""
    assert ((90, 45), (320, 160), (800, 400), (1000, 500)) == images.sizes(1000, 500)
    assert ((50, 60),) == images.sizes(50, 60)


@pytest.mark.parametrize(
    ("text", "given_", "html"),
    [
        ("<&>", [], "&lt;&amp;&gt;"),
        ("🏟ab", [Entity("bold", 2, 2), Entity("italic", 3, 1)], "🏟<b>a<i>b</i></b>"),
        (
            "x",
            [Entity("pre", 0, 1, language='"')],
            '<pre><code class="language-&quot;">x</code></pre>',
        ),
        ("x", [Entity("pre", 0, 1)], "<pre>x</pre>"),
        ("x", [Entity("spoiler", 0, 1)], '<span class="spoiler">x</span>'),
        (
            "x",
            [Entity("text_link", 0, 1, url='https://a.b/"')],
            '<a href="https://a.b/&quot;" rel="noopener">x</a>',
        ),
        ("www.a.b", [Entity("url", 0, 7)], '<a href="http://www.a.b/" rel="noopener">www.a.b</a>'),
        ("x", [Entity("blockquote", 0, 1)], "<blockquote>x</blockquote>"),
        ("/x", [Entity("bot_command", 0, 2)], "/x"),
    ],
)
def test_shown(text, given_, html):
    """Text and entities are shown as escaped HTML."""
    assert html == show.html(text, given_)


def test_flood_private():
    """A private chat bears a burst of three, then one a second; impatience is punished."""
    ledger = FloodLedger(FloodRules())

    def write(now: float) -> int:
        return ledger.write(1, now, is_private=True)

    assert [0, 0, 0, 1] == [write(100.0) for _ in range(4)]
    assert 2 == write(100.5)
    assert 0 == write(102.5)
    assert 0 == ledger.write(2, 100.0, is_private=True)


def test_flood_group():
    """A group bears twenty writes a minute."""
    ledger = FloodLedger(FloodRules())
    waits = [ledger.write(-1, 100.0 + second, is_private=False) for second in range(21)]

    assert [0] * 20 + [40] == waits
    assert 0 == ledger.write(-1, 160.0, is_private=False)


def test_flood_bot():
    """The whole bot bears thirty writes a second."""
    ledger = FloodLedger(FloodRules())
    waits = [ledger.write(chat, 100.0, is_private=True) for chat in range(31)]

    assert [0] * 30 + [1] == waits


def test_flood_actions():
    """Chat actions bear 20 in 5 seconds and 40 in 30, apart from writes."""
    ledger = FloodLedger(FloodRules())

    assert [0] * 20 + [5] == [ledger.act(1, 100.0) for _ in range(21)]
    assert 0 == ledger.write(1, 100.0, is_private=True)
    assert [0] * 20 + [25] == [ledger.act(1, 105.0) for _ in range(21)]


def test_flood_off():
    """Without rules everything is borne, but for what a test holds."""
    ledger = FloodLedger(None)

    assert [0] * 100 == [ledger.write(1, 0.0, is_private=True) for _ in range(100)]

    ledger.hold(1, 5.0)

    assert 5 == ledger.write(1, 0.0, is_private=True)
    assert 0 == ledger.write(1, 5.0, is_private=True)
