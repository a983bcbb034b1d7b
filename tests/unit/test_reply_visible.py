"""What a reader sees, case by case."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.reply.visible import visible


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("", ""),
        ("two words\nand  more", "twowordsandmore"),
        ("# Head\n\n> quote\n\n---", "Headquote"),
        ("1. one\n2. two\n   - three", "onetwothree"),
        ("**bold** *it* ~~gone~~ `co*de`", "bolditgoneco*de"),
        ("```py\nprint('*')\n```", "print('*')"),
        ("    indented *code*", "indented*code*"),
        ("[label](http://a.b 'title') ![alt *x*](c.png)", "labelaltx"),
        ("<https://a.b/c>", "https://a.b/c"),
        ("<b>bold</b> <!-- no -->", "<b>bold</b><!--no-->"),
        ("<div>\nblock\n</div>", "<div>block</div>"),
        ("| a | b |\n|---|:-:|\n| c | d |", "abcd"),
        (r"\*not\* &amp; &lt;", "*not*&<"),
        ("[text]: http://a.b\n\n[text]", "[text]:http://a.b[text]"),
        ("**open and 2 * 3", "**openand2*3"),
        ("全角　空格\u00a0here", "全角空格here"),
        ("one\\\ntwo", "onetwo"),
    ],
)
def test_what_is_seen(markdown, seen):
    """Text, code, labels and cells are seen; markers, info strings, targets, space are not."""
    assert seen == visible(markdown)


@settings(derandomize=True, max_examples=100)
@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), max_size=60))
def test_plain_words_are_seen_as_they_are(words):
    """Where nothing is marked up, everything is seen."""
    assert "".join(words.split()) == visible(words)
