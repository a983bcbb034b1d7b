"""Signed links."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import LinkExpired, LinkForged
from bridge.media.signing import sign, verify
from bridge.model import BotName, MediaRef, Platform

KEY = b"k" * 32
REF = MediaRef(Platform("telegram"), BotName("b"), "AgAC-1", "image/jpeg", "photo.jpg", 5)


def test_link_returns_what_was_signed():
    """Who has the link has the file, until it expires."""
    token = sign(REF, expires=100.0, key=KEY)

    assert REF == verify(token, now=99.0, key=KEY)


def test_expired_link_is_refused():
    """At its time a link is over."""
    with pytest.raises(LinkExpired):
        verify(sign(REF, expires=100.0, key=KEY), now=100.0, key=KEY)


def test_link_of_another_key_is_refused():
    """A link signed by someone else is no link."""
    with pytest.raises(LinkForged):
        verify(sign(REF, expires=100.0, key=b"other"), now=1.0, key=KEY)


@given(st.integers(min_value=0), st.characters())
@example(0, "\ud800")
@example(-1, "é")
def test_any_change_is_a_forgery(place, character):
    """No character of a link can be exchanged."""
    token = sign(REF, expires=100.0, key=KEY)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed == token:
        return

    with pytest.raises(LinkForged):
        verify(changed, now=1.0, key=KEY)
