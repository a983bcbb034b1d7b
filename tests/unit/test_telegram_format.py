"""From Markdown to text and entities."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import MessageEntity

from adapters.telegram.format import fits, render
from bridge.reply.visible import visible

ANSWER = """# Plan `v2` for **you**

Hello 😀 **bold *both* bold** ~~gone~~ `x < y` [docs](https://docs.example.com/a_(b)) 👨‍👩‍👧.
Next line\\
broken line & <b>no HTML</b> List<String>

- one
- two
  - deep 🇨🇳 **x**

    more
- three
3. first
4. second
   ```py
   print("hi")
       indented()
   ```
   after

> quoted *words*
> > deeper `code`

| Name | 数量 | Price |
|:-----|:--:|------:|
| **Tea** 茶 | 2 | 10 |
| `C` 😀 | 你好吗 | 1,000 |

---

![a cat](https://img.example.com/cat.png) and $E=mc^2$ \\*literal\\*

1. **重点：** 内容

```
unclosed
"""


def shown(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """The text, and for each entity its type and what it covers."""
    text, entities = render(markdown)
    return text, [(entity.type, covered(text, entity)) for entity in entities]


def covered(text: str, entity: MessageEntity) -> str:
    units = text.encode("utf-16-le")
    start = entity.offset * 2
    return units[start : start + entity.length * 2].decode("utf-16-le")


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("", "", []),
        ("  \n\n ", "", []),
        ("plain _text_ 2 * 3 * 4", "plain text 2 * 3 * 4", [("italic", "text")]),
        ("# A *b*\n\nc", "A b\n\nc", [("bold", "A b"), ("italic", "b")]),
        ("# A **b**", "A b", [("bold", "A b")]),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("~~a~~ 😀 **b**", "a 😀 b", [("strikethrough", "a"), ("bold", "b")]),
        ("one\ntwo  \nthree\\\nfour", "one\ntwo\nthree\nfour", []),
        ("```py x\na\n  b\n```", "a\n  b", [("pre", "a\n  b")]),
        ("```\n\n```", "```\n\n```", []),  # nothing to show, and no message may be empty
        ("![](https://a.io/b.png)", "https://a.io/b.png", []),
        ("```\n  a\n```", "  a", [("pre", "  a")]),
        ("    a\n     b", "a\n b", [("pre", "a\n b")]),
        ("- a\n- b\n  - c\n- d", "• a\n• b\n  • c\n• d", []),
        ("- a\n\n- b", "• a\n\n• b", []),
        ("3) a\n4) b\n   c", "3) a\n4) b\n   c", []),
        ("- ```\n  x\n  ```\n- b", "• \nx\n• b", [("pre", "x")]),
        ("> a\n>\n> b\n\nc", "a\n\nb\n\nc", [("blockquote", "a\n\nb")]),
        ("> a\n> > b", "a\n\nb", [("blockquote", "a\n\nb")]),
        ("> `a`", "a", [("blockquote", "a"), ("code", "a")]),
        ("a\n\n---\n\nb", "a\n\n────────────\n\nb", []),
        ("[a](https://b.cd)", "a", [("text_link", "a")]),
        ("[**a**](tg://resolve?domain=x)", "a", [("text_link", "a"), ("bold", "a")]),
        ("[`a`](https://b.cd)", "a", [("text_link", "a")]),
        ("[a](mailto:b@c.de)", "a", []),
        ("[a](javascript:x)", "[a](javascript:x)", []),
        ("<https://b.cd/é>", "https://b.cd/é", [("text_link", "https://b.cd/é")]),
        ("![cat](https://b.cd/e.png)", "cat", [("text_link", "cat")]),
        ("<b>x</b> List<String> &amp; &lt;", "<b>x</b> List<String> & <", []),
        ("<div>\nx\n</div>", "<div>\nx\n</div>", []),
        ("an **unclosed", "an **unclosed", []),
        ("[a]: https://b.cd\n\n[a]", "[a]: https://b.cd\n\n[a]", []),
        ("|  |  |\n|--|--|\n| a | b |", "a │ b", "all pre"),
        ("| a | b |\n|---|--:|\n| 中 | 1 |", "a  │ b\n───┼──\n中 │ 1", "all pre"),
        ("| a |\n|---|\n| **b** \\| `c` |", "a\n─────\nb | c", "all pre"),
    ],
)
def test_what_telegram_is_sent(markdown, text, entities):
    """Markdown becomes the text a person reads, and entities for its looks."""
    expected = [("pre", text)] if entities == "all pre" else entities

    assert (text, expected) == shown(markdown)


def test_code_names_its_language():
    """The first word of a fence's info is the language."""
    assert "py" == render("```py title=x\na\n```")[1][0].language
    assert render("```\na\n```")[1][0].language is None


def test_a_link_leads_somewhere():
    """A link and an image carry their addresses."""
    _, entities = render("[a](https://b.cd/e?f=1#g) ![h](http://i.jk:8080)")

    assert ["https://b.cd/e?f=1#g", "http://i.jk:8080"] == [entity.url for entity in entities]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:3000",
        "http://",
        "https://a.b:99999/",
        "http://user@a.b/",
        "http://[::1]/",
        "http://a.b:0",
        "http://a..b",
        "ftp://a.b",
        "/relative",
        "#part",
    ],
)
def test_an_address_telegram_refuses_is_no_link(address):
    """One wrong address would make Telegram refuse the whole message; so its words stay words."""
    assert ("a", []) == shown(f"[a]({address})")


def test_a_table_is_aligned():
    """Chinese characters take two columns, marks and joiners none."""
    text, _ = render("| a | n |\n|:-:|--:|\n| 你好吗 | 1 |\n| e\u0301 | 20 |")

    assert ["  a    │  n", "───────┼───", "你好吗 │  1", "  e\u0301    │ 20"] == text.split("\n")


@pytest.mark.parametrize(("start", "depth"), [(">", 95), ("- ", 45), ("1. ", 45), ("> - ", 30)])
def test_deep_nesting_is_no_trouble(start, depth):
    """Dozens of quotes and lists in one another neither crash nor lose a word."""
    text, entities = render(start * depth + "word")
    check(text, entities)

    assert text.endswith("word")


@pytest.mark.parametrize("length", range(0, len(ANSWER) + 1, 3))
def test_every_prefix_has_valid_entities(length):
    """However far an answer has come, its entities lie inside the text and nest properly."""
    check(*render(ANSWER[:length]))


def check(text: str, entities: tuple[MessageEntity, ...]) -> None:
    """The rules of https://core.telegram.org/bots/api#formatting-options."""
    assert text == text.rstrip()
    for entity in entities:
        assert 0 < entity.length
        assert 0 <= entity.offset
        assert entity.offset + entity.length <= len(text.encode("utf-16-le")) // 2
        covered(text, entity).encode()
        assert (entity.type == "text_link") == (entity.url is not None)
    alone = {"pre", "code"}
    for index, one in enumerate(entities):
        for other in entities[index + 1 :]:
            is_apart = one.offset + one.length <= other.offset
            is_inside = other.offset + other.length <= one.offset + one.length
            assert is_apart or (is_inside and one.type not in alone and one.type != other.type)
            assert is_apart or other.type not in alone or one.type == "blockquote"
    assert all(one.offset <= other.offset for one, other in pairwise(entities))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a" * 4096, True),
        ("a" * 4097, False),
        ("😀" * 4096, True),
        ("**" + "a" * 4096 + "**", True),
        ("**a** " * 100, True),
        ("**a** " * 101, False),
        ("", True),
    ],
)
def test_what_fits(markdown, expected):
    """A message holds 4096 code points of what is shown, and 100 entities."""
    assert expected == fits(markdown)


# Without digits, so that the numbers of lists can be told from words.
WORDS = "a|b c|é|你好|，|😀|👩‍💻|x_y|<b>|&amp;|\\*|\\|\u3000|*|**|_|~~|`|``|[|](https://a.bc)|](x)|![|<|>|:"
LINES = "\n|\n\n|\n- |\n  - |\n2. |\n> |\n# |\n```\n|\n```py\n|\n---\n|\n    |  \n|\n===\n"
ROWS = ["\n|---|--:|\n", "\n| a | 中 |\n", "\n\n|a|b|\n|-|-|\n", " | "]
PIECES = st.sampled_from([*WORDS.split("|"), *LINES.split("|"), *ROWS])
CHARACTERS = st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="•─│┼")


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(CHARACTERS, max_size=60))
def test_nothing_is_lost(markdown):
    """What a reader sees of the Markdown is what the text says, and its entities are valid."""
    text, entities = render(markdown)
    check(text, entities)

    if not visible(markdown):
        return  # then the Markdown itself may be shown: no message may be empty

    assert bare(visible(markdown)) == bare(text)


def bare(text: str) -> str:
    """Without white space, list markers and the rulings of tables."""
    return re.sub(r"[•─│┼]|\d+[.)]", "", "".join(text.split()))
