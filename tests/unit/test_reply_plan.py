"""The next operation, for what is shown and what should be."""

import pytest

from bridge.model import MessageId, TurnId
from bridge.reply.plan import Delete, Edit, Post, Sent, nonce, plan_final, plan_preview

A, B, C = (MessageId(name) for name in "ABC")
GONE = Sent(None, None)


@pytest.mark.parametrize(
    ("sent", "wanted", "operation"),
    [
        ([], [], None),
        ([], [[]], None),
        ([], [["one"]], Post(0, 0, "one")),
        ([[Sent(A, "one")]], [["one"]], None),
        ([[Sent(A, "on")]], [["one"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "on")]], [["one", "two"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "one")]], [["one", "two"]], Post(0, 1, "two")),
        ([[Sent(A, "one")]], [["one"], ["next"]], Post(1, 0, "next")),
        ([[Sent(A, None)]], [["one", "two"]], Post(0, 1, "two")),
        ([[Sent(A, None)]], [["one"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "")]], [["one", "two"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "one"), Sent(B, "two")]], [["one"]], None),
        ([[GONE]], [["one"]], None),
        ([[GONE]], [["one", "two"]], Post(0, 1, "two")),
    ],
)
def test_previews(sent, wanted, operation):
    """What differs is put right in order; the unknown is believed, nothing is deleted."""
    assert operation == plan_preview(sent, wanted)


@pytest.mark.parametrize(
    ("sent", "wanted", "operation"),
    [
        ([[Sent(A, "one")]], [["one"]], None),
        ([[Sent(A, None)]], [["one", "two"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "one"), Sent(B, "x"), Sent(C, "y")]], [["one"]], Delete(0, 2, C)),
        ([[Sent(A, "on"), Sent(B, "x")]], [["one"]], Edit(0, 0, A, "one")),
        ([[Sent(A, "one")], [Sent(B, "two")]], [["one"]], Delete(1, 0, B)),
        ([[Sent(A, "one"), Sent(B, "two")]], [["one"], ["more"]], Post(1, 0, "more")),
        ([[Sent(A, "one"), GONE]], [["one"]], None),
    ],
)
def test_finals(sent, wanted, operation):
    """Everything is made right, then what is too many goes, last first."""
    assert operation == plan_final(sent, wanted)


def test_a_nonce_names_one_post():
    """The same post has the same nonce, another has another, and Discord takes it."""
    turn = TurnId("turn/with a long name, longer than any nonce may be")
    posts = [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1)]
    names = [nonce(turn, *post) for post in posts]

    assert names == [nonce(turn, *post) for post in posts]
    assert len(posts) == len(set(names))
    assert all(len(name) == 25 and name.isalnum() and name.islower() for name in names)
