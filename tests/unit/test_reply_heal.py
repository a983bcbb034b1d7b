"""A preview is well-formed, and complete text is left alone."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.reply.heal import heal
from bridge.reply.visible import visible

SAMPLE = """# A *title* with `code`

Some **bold text**, *more*, ~~gone~~, ``a ` b`` and ***both***. 这是**重点**然后。See
[the docs](https://example.com/a_(b)_c "title") or ![a picture](https://x.y/z.png) today;
snake_case_names, 2 * 3 = 6, [1], a_b and `x * y`.

1. one **two**
   ```py
   def f(*args): return "`"
   ```
2. [three](http://a.b) `four`

> quoted **words** and
> - a list ~~of~~ things

| name | *what* |
|------|--------|
| `a`  | **b c** |

~~~~
```
fenced
~~~~

The end, with <https://auto.link/x> and **all** of it.
"""


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        ("**bold", "**bold**"),
        ("**bold ", "**bold** "),
        ("**bold*", "**bold**"),
        ("**bold *both", "**bold *both***"),
        ("__bold _it", "__bold _it___"),
        ("a ~~stru", "a ~~stru~~"),
        ("a ~~stru~", "a ~~stru~~"),
        ("a ||spoi", "a ||spoi||"),
        ("a `code", "a `code`"),
        ("a ``co`de", "a ``co`de``"),
        ("a ``code`", "a ``code``"),
        ("**a `b", "**a `b`**"),
        ("这是**重点", "这是**重点**"),
        ("这是**", "这是"),
        ("some **", "some "),
        ("some `", "some "),
        ("see [the do", "see "),
        ("see **[the do", "see "),
        ("see [docs](https://exam", "see docs"),
        ("see ![al", "see "),
        ("see ![alt](https://ex", "see alt"),
        ("see <https://exam", "see "),
        ("hi <@123", "hi "),
        ("```py\nprint(", "```py\nprint(\n```"),
        ("```py\nprint()\n``", "```py\nprint()\n```"),
        ("text\n\n```py", "text\n"),
        ("~~~~\na\n~~~", "~~~~\na\n~~~~"),
        ("- ```\n  a", "- ```\n  a\n  ```"),
        ("> ```\n> a", "> ```\n> a\n> ```"),
        ("# **head", "# **head**"),
        ("- one **two", "- one **two**"),
        ("> **quo\n> ted", "> **quo\n> ted**"),
        ("|a|b|\n|-|-|\n| **x", "|a|b|\n|-|-|\n| **x**"),
        ("|a|b|\n|-|-|\n| *x | y", "|a|b|\n|-|-|\n| *x | y"),
    ],
)
def test_what_is_half_written(growing, shown):
    """What is open is closed; what is half-written is held back."""
    assert shown == heal(growing)


@pytest.mark.parametrize(
    "text",
    [
        "",
        SAMPLE,
        "2 * 3 = 6",
        "5*3",
        "snake_case and __init__",
        "array[0",
        "as [1] says [2]",
        "a < b",
        "a || b",
        "**never closed\n\nand over",
        "```\nclosed\n```",
        "```\nclosed\n```\n",
        "[a](b) ![c](d) <https://e.f>",
        "ends with a footnote*",
        "\\*not\\* \\`this",
    ],
)
def test_complete_text_is_left_alone(text):
    """What needs nothing gets nothing."""
    assert text == heal(text)


@pytest.mark.parametrize("end", range(0, len(SAMPLE), 3))
def test_every_preview_shows_a_beginning(end):
    """The words of a preview are the first words of the answer: none is lost, moved or added."""
    preview, whole = (
        re.sub(r"[\W\d_]", "", visible(text)) for text in (heal(SAMPLE[:end]), SAMPLE)
    )

    assert whole.startswith(preview)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="ab *_`~|[]()!<>\\\n-#1.https:/", max_size=60))
def test_healing_twice_is_healing_once(text):
    """What was healed is well-formed, as far as healing can tell."""
    assert heal(heal(text)) == heal(text)
