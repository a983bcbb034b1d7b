"""Splitting: nothing is lost, nothing closed changes, nothing is torn."""

import random

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.reply.split import Splitter, split
from bridge.reply.visible import visible

WORDS = [
    "the",
    "quick",
    "2024.",
    "#",
    "-",
    "1)",
    "lazy",
    "**bold**",
    "*it*",
    "`code`",
    "~~st~~",
    "[link](https://a.b/c_d)",
    "![img](x.y)",
    "snake_case",
    "https://example.com/a?b=c&d",
    "<https://x.y>",
    "<b>html</b>",
    "你好，世界。这是**重点**然后",
    "👩\u200d👩\u200d👧\u200d👦",
    "🇩🇪",
    "é",
    "\\*",
    "&amp;",
    "||sp||",
    "+",
    ">",
    "=",
    "---",
    "再见！",
]
BROKEN = [
    "**open",
    "`tick",
    "[brk",
    "~~",
    "*",
    "](x)",
    "![a](",
    "<http",
    "\\",
    "&am",
    "_a",
    "***x**",
    "||",
    "2*3",
]

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=18).map(" ".join)
broken = st.lists(st.sampled_from(WORDS + BROKEN), min_size=1, max_size=9).map(" ".join)
cell = st.lists(st.sampled_from(["a", "**b**", "`c`", "号", "d e"]), min_size=1, max_size=3)


def blocks(line):
    lines = st.lists(line, min_size=1, max_size=6)
    fence = st.tuples(st.sampled_from(["```", "~~~", "````"]), st.sampled_from(["", "py"]), lines)
    row = st.tuples(*[cell.map(" ".join)] * 3).map(lambda cells: f"| {' | '.join(cells)} |")
    simple = st.one_of(
        lines.map("\n".join),
        st.tuples(st.integers(1, 4), line).map(lambda head: f"{'#' * head[0]} {head[1]}"),
        fence.map(lambda f: f"{f[0]}{f[1]}\n" + "\n".join(f"  {t}" for t in f[2]) + f"\n{f[0]}"),
        st.lists(row, min_size=1, max_size=6).map(
            lambda rows: "\n".join([rows[0], "|---|:-:|--|", *rows[1:]])
        ),
        st.just("---"),
        st.text(alphabet="甲乙丙丁，。！", min_size=1, max_size=80),
    )
    numbered = st.lists(st.one_of(line, simple), min_size=1, max_size=5).map(
        lambda items: "\n".join(f"{n}. {indented(i, 3)}" for n, i in enumerate(items, 1))
    )
    bullets = st.lists(st.one_of(line, simple, numbered), min_size=1, max_size=4).map(
        lambda items: "\n".join(f"- {indented(i, 2)}" for i in items)
    )
    quote = st.one_of(simple, bullets).map(lambda inner: "> " + inner.replace("\n", "\n> "))
    return st.lists(st.one_of(simple, numbered, bullets, quote), min_size=1, max_size=9).map(
        "\n\n".join
    )


def indented(text, width):
    return text.replace("\n", "\n" + " " * width)


def within(length):
    return lambda chunk: len(chunk) <= length


def cut(text, length):
    return split(text, within(length), length)


def joined(chunks):
    return "".join(map(visible, chunks))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(blocks(words), st.sampled_from([250, 400, 1000]))
def test_well_formed_text_loses_nothing(text, length):
    """Joined, the chunks show what the whole shows, and each fits."""
    chunks = cut(text, length)

    assert visible(text) == joined(chunks)
    assert all(len(chunk) <= length and chunk.strip() for chunk in chunks)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(blocks(broken), st.sampled_from([600, 1000]))
def test_malformed_text_loses_nothing(text, length):
    """What is open, half-written or misplaced is shown as well."""
    assert visible(text) == joined(cut(text, length))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(blocks(words), st.randoms(use_true_random=False))
def test_closed_chunks_never_change(text, chance):
    """For every prefix, all chunks but the last are the first chunks of the whole."""
    whole = cut(text, 300)
    for end in sorted(chance.sample(range(len(text)), min(len(text), 12))):
        closed = cut(text[:end], 300)[:-1]

        assert whole[: len(closed)] == closed


@settings(derandomize=True, max_examples=40, deadline=None)
@given(blocks(words), st.integers(1, 40))
def test_growing_is_splitting(text, step):
    """A splitter that saw the text grow says what splitting it at once says."""
    splitter = Splitter(within(300), 300)
    for end in range(step, len(text), step):
        splitter.split(text[:end])

    assert cut(text, 300) == splitter.split(text)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(blocks(words))
def test_a_limit_of_another_kind_is_kept(text):
    """`fits` may count whatever the platform counts, such as formatting entities."""

    def fits(chunk):
        return chunk.count("*") + chunk.count("`") <= 40 and len(chunk) <= 1000

    chunks = split(text, fits, 1000)

    assert all(map(fits, chunks))
    assert visible(text) == joined(chunks)


def test_a_text_that_is_rewritten_is_split_anew():
    """A splitter forgets closed chunks when the text before them changes."""
    splitter = Splitter(within(100), 100)
    splitter.split("one " * 100)

    assert cut("two " * 100, 100) == splitter.split("two " * 100)


@pytest.mark.parametrize(
    "text",
    [
        "**" + "bold words " * 100 + "end**",
        "**" + "bold *and more* " * 60 + "end**",
        "**" + "never closed " * 100,
        "`" + "code " * 200 + "`",
        "x" * 1000,
        "你好世界" * 200,
        "你好，世界。" * 200,
        ">" * 30 + "deep " * 100,
        "a" + "\u0301" * 1000,
        "*a " * 300,
        "x " + "2024. " * 200,
        "- " * 300,
        "| a | b |\n|---|---|\n" + "| cell | other cell |\n" * 60,
        "| a | b |\n|---|---|\n| " + "long cell " * 60 + "| " + "and more " * 60 + "|",
        "1. one\n" + "   - nested words and more\n     of them\n" * 30,
        "\n\n".join(f"{n}. item\n\n   ```sh\n   run {n}\n   ```\n\n   > so" for n in range(1, 40)),
        "1. a\n   ```py\n" + "   line of code\n" * 30 + "outside\n\n**bold** " * 9,
        "Title " * 60 + "\n===\n\n" + "sub " * 90 + "\n---\n",
        "\\*" * 300,
        "&amp;" * 200,
        "line  \nbreak\\\n" * 60,
        "> quote\nlazy\n" * 60,
        "\r\n".join(["windows lines"] * 60),
        "\tcode\n" * 100,
    ],
)
def test_hard_cases_lose_nothing(text):
    """Spans longer than a message, and text that only looks like markup, survive as well."""
    chunks = cut(text, 200)

    assert visible(text) == joined(chunks)
    assert max(map(len, chunks)) <= 200


@pytest.mark.parametrize("text", ["", " ", "\n \n"])
def test_nothing_makes_no_chunk(text):
    """White space is no message."""
    assert () == cut(text, 100)


def test_what_fits_is_not_touched():
    """A text that fits comes back to the last character."""
    assert (" a\n\n\n b \n",) == cut(" a\n\n\n b \n", 100)


def test_paragraphs_are_kept_whole():
    """The best place to cut is between paragraphs."""
    assert ("one " * 15 + "end", "two " * 15) == cut(f"{'one ' * 15}end\n\n{'two ' * 15}", 100)


def test_sentences_are_kept_whole():
    """Within a paragraph the best place is between sentences."""
    text = "This is the first sentence of all. This is the second sentence of the two, and long."

    assert text.partition(" This ")[0] == cut(text, 60)[0]


def test_a_fence_is_closed_and_opened_again():
    """Code goes on in a fence of the same kind, with the same info string."""
    code = "\n".join(f"line {n}" for n in range(20))
    first, second = cut(f"~~~~py x\n{code}\n~~~~", 110)

    assert first.startswith("~~~~py x\nline 0\n")
    assert first.endswith("\n~~~~")
    assert second.startswith("~~~~py x\nline ")
    assert second.endswith("line 19\n~~~~")


def test_a_fence_in_a_list_and_a_quote_survives():
    """A fence is closed and opened where it stands."""
    code = "\n".join(f">   line {n}" for n in range(20))
    first, second = cut(f"> - see\n>   ```py\n{code}\n>   ```\n> - next", 150)

    assert first.endswith("\n>   ```")
    assert second.startswith("> ```py\n> line ")
    assert second.endswith("\n> ```\n>\n> - next")


def test_numbers_go_on():
    """A list is continued with its own numbers, and with those it should have had."""
    good = cut("\n".join(f"{n}. item" for n in range(1, 20)), 100)
    lazy = cut("\n".join("1. item" for n in range(1, 20)), 80)

    assert good[1].startswith(f"{good[0].count('item') + 1}. item")
    assert lazy[1].startswith(f"{lazy[0].count('item') + 1}. item")


def test_a_table_goes_on_without_its_head():
    """Rows that follow stand in a table, and no cell is shown twice."""
    table = "| name | size |\n|---|---:|\n" + "\n".join(f"| row {n} | {n} |" for n in range(20))
    chunks = cut(table, 150)

    assert chunks[1].startswith("| | |\n|---|---:|\n| row ")
    assert visible(table) == joined(chunks)


@pytest.mark.parametrize("start", ["2024. was", "# of", "- and", "> than", "1) and", "+ more"])
def test_no_cut_makes_markup(start):
    """Text never becomes a list, heading or quote because a message starts there."""
    text = f"some words and {start} " * 40
    chunks = cut(text, 100)

    assert visible(text) == joined(chunks)


def test_links_are_not_torn():
    """A link stays in one piece, target and all."""
    link = "[a label of words](https://example.com/a/path?with=query)"
    chunks = cut(f"some {link} more " * 30, 200)

    assert 30 == sum(chunk.count(link) for chunk in chunks)


def test_graphemes_are_not_torn():
    """A family of emoji, a flag or an accented letter is never cut."""
    text = "👩‍👩‍👧‍👦🇩🇪e\u0301각" * 60
    whole = regex.findall(r"\X", text)

    assert whole == [g for chunk in cut(text, 100) for g in regex.findall(r"\X", chunk)]


def test_noise_loses_nothing():
    """Characters of Markdown in any order are shown, however they are meant."""
    chance = random.Random(1)
    for _ in range(60):
        lines = ["".join(chance.choices("ab c*_`[]()#>-1.\\|~", k=40)) for _ in range(25)]
        text = "\n\n".join(lines)

        assert visible(text) == joined(cut(text, 300))
