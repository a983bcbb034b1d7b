"""Markdown as Discord shows it: nothing lost, nothing in a fence touched."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.format import convert, fits, width
from bridge.reply.visible import visible


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", ""),
        ("plain *text* with `code`", "plain *text* with `code`"),
        ("# One\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("#### Four", "**Four**"),
        ("###### Six ######", "**Six**"),
        ("#### a **b** c", "a **b** c"),
        ("####", "####"),
        ("#### ", ""),
        ("####no space", "####no space"),
        ("![a cat](https://x/c.png)", "[a cat](https://x/c.png)"),
        ("![](https://x/c.png)", "https://x/c.png"),
        ("see ![a](u) and ![b](v)", "see [a](u) and [b](v)"),
        (r"\![a](u)", r"\![a](u)"),
        ("`![a](u)` ![b](v)", "`![a](u)` [b](v)"),
        ("``` \n#### x\n![a](u)\n```\n#### y", "``` \n#### x\n![a](u)\n```\n**y**"),
        ("~~~\n#### x\n```\n#### x\n~~~\n#### y", "~~~\n#### x\n```\n#### x\n~~~\n**y**"),
        ("````\n```\n#### x\n````", "````\n```\n#### x\n````"),
        ("```\n#### never closed", "```\n#### never closed"),
        ("- item\n  ```py\n  #### x\n  ```\n#### y", "- item\n  ```py\n  #### x\n  ```\n**y**"),
        ("a | b\nno rule", "a | b\nno rule"),
        ("a | b\n--- | --- | ---", "a | b\n--- | --- | ---"),
    ],
)
def test_lines(markdown, expected):
    """What Discord cannot show is replaced, outside of code only."""
    assert expected == convert(markdown)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (
            "before\n| Name | Age |\n|:--|--:|\n| Ann | 7 |\n| **Bob** | `41` |\nafter",
            "before\n```\nName │ Age\n─────┼────\nAnn  │   7\nBob  │  41\n```\nafter",
        ),
        (
            "城市 | 数\n:-: | ---\n上海 | 1\n厦门市 | 22",
            "```\n 城市  │ 数\n───────┼───\n 上海  │ 1\n厦门市 │ 22\n```",
        ),
        ("a\\|b | c\n- | -\n1 | 2 | 3", "```\na|b │ c │\n────┼───┼──\n1   │ 2 │ 3\n```"),
        ("|  |  |\n|--|--|\n| a | b |", "```\na │ b\n```"),
        ("| only |\n| --- |", "```\nonly\n────\n```"),
        ("```\na | b\n- | -\n```", "```\na | b\n- | -\n```"),
    ],
)
def test_a_table_is_drawn(markdown, expected):
    """A table becomes a fenced block with columns that stand below each other."""
    assert expected == convert(markdown)


def test_a_wide_table_becomes_a_list():
    """A table no window is wide enough for is listed, row by row."""
    long = "x" * 70
    markdown = f"| A | B |\n|---|---|\n| 1 | {long} |\n| 2 | ![l](u) |"

    assert convert(markdown) == f"- **A**: 1 · **B**: {long}\n- **A**: 2 · **B**: [l](u)"


def test_a_table_with_a_fence_inside_is_not_fenced():
    """Three backticks in a cell cannot close a block that is not there."""
    assert convert("a | b\n- | -\n1 | ```x```") == "- **a**: 1 · **b**: ```x```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc", 3), ("上海", 4), ("e\u0301", 1), ("ｗ", 2), ("👍", 2), ("a\u200db", 2)],
)
def test_width(text, expected):
    """East Asian signs and emoji take two columns, marks and joiners none."""
    assert expected == width(text)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("x" * 2000, True),
        ("x" * 2001, False),
        ("👍" * 2000, True),
        ("#### " + "x" * 1996, True),
        ("#### " + "x" * 1997, False),
    ],
)
def test_what_fits(markdown, expected):
    """What counts is what is sent: at most 2000 code points."""
    assert expected == fits(markdown)


SNIPPETS = st.sampled_from(
    [
        "#### Title", "##### **x** y", "text", "![a](u)", "![](u)", "| a | b |", "|---|:-:|",
        "| 1 | 2 |", "a | b", "- | -", "```", "```py", "~~~", "`c` **b**", "> quote", "", "- item",
        "![x", "\\|", "| `a` | **b** |", "|", "漢字 | 字", "x" * 50 + " | y",
    ]
)  # fmt: skip
# Entities are no Markdown of Discord's: they are shown as they are written.
TEXT = st.text(alphabet=st.characters(exclude_characters="&\0"), max_size=12)


def letters(markdown):
    return Counter(sign for sign in visible(markdown) if sign.isalnum())


@given(st.lists(SNIPPETS | TEXT, max_size=14).map("\n".join))
def test_nothing_is_lost(markdown):
    """Every letter that the Markdown shows is shown by Discord's, as often at least."""
    missing = letters(markdown) - letters(convert(markdown))

    assert Counter() == missing


@given(st.text(alphabet=st.characters(exclude_characters="`"), max_size=80))
def test_a_fence_is_untouched(inside):
    """Whatever stands in a fence is shown as it is."""
    markdown = f"```\n{inside}\n```"

    assert markdown == convert(markdown)
