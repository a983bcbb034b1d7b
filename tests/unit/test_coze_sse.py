"""Bytes into events, however they are cut and however they are written."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coze.sse import Decoder, Event
from bridge.errors import BackendError

RECORDINGS = Path(__file__).parent.parent / "recordings"

STREAMS = {
    "hosted": (b'event:a\ndata:{"x":1}\n\n', [Event("a", '{"x":1}')]),
    "space after colon": (b"event: a\ndata: {}\n\n", [Event("a", "{}")]),
    "only one space is removed": (b"event:a\ndata:  x\n\n", [Event("a", " x")]),
    "CRLF": (b"event:a\r\ndata:1\r\n\r\n", [Event("a", "1")]),
    "CR": (b"event:a\rdata:1\r\r", [Event("a", "1")]),
    "mixed ends": (b"event:a\rdata:1\r\n\nevent:b\ndata:2\n\r", [Event("a", "1"), Event("b", "2")]),
    "several data lines": (b"event:a\ndata:1\ndata:\ndata:2\n\n", [Event("a", "1\n\n2")]),
    "data before event": (b"data:1\nevent:a\n\n", [Event("a", "1")]),
    "no name": (b"data:1\n\n", [Event("", "1")]),
    "comments": (b": hi\n\n:\nevent:a\n: in between\ndata:1\n\n", [Event("a", "1")]),
    "id and retry": (b"id:0\nretry:5\nevent:a\nid\ndata:1\n\n", [Event("a", "1")]),
    "unknown fields": (b"event:a\nfoo:bar\n......\ndata:1\n\n", [Event("a", "1")]),
    "nothing": (b"\n\n\r\n\r\rdata\n\nevent\n\n", []),
    "byte order mark": (b"\xef\xbb\xbfevent:a\ndata:1\n\n", [Event("a", "1")]),
    "mark elsewhere": (b"event:a\ndata:\xef\xbb\xbf1\n\n", [Event("a", "\ufeff1")]),
    "done of coze-studio": (
        b"event:conversation.stream.done\ndata:\n\n",
        [Event("conversation.stream.done", "")],
    ),
    "name only": (b"event:done\n\n", [Event("done", "")]),
    "name only, then the next": (
        b"event:a\nevent:b\ndata:1\n\n",
        [Event("a", ""), Event("b", "1")],
    ),
    "no blank lines": (b"event:a\ndata:1\nevent:b\ndata:2\n", [Event("a", "1"), Event("b", "2")]),
    "bare JSON": (b'{"code":4100}\n', [Event("", '{"code":4100}')]),
    "bare JSON after an event": (
        b'event:a\ndata:1\n\n{"code":4101}',
        [Event("a", "1"), Event("", '{"code":4101}')],
    ),
    "separators of Unicode": (
        "event:a\ndata:\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e\n\n".encode(),
        [Event("a", "\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e")],
    ),
    "undecodable": (b"event:a\ndata:\xe6\x98\n\n", [Event("a", "\ufffd")]),
    "end, JSON whole": (b'event:a\ndata:{"x":[1]}', [Event("a", '{"x":[1]}')]),
    "end, JSON cut": (b'event:a\ndata:{"x":[1', []),
    "end, JSON cut between lines": (b'event:a\ndata:{"x":\n', []),
    "end, [DONE]": (b"event:done\ndata:[DONE]", [Event("done", "[DONE]")]),
    "end, quoted [DONE] cut": (b'event:done\ndata:"[DO', []),
    "end after a name": (b"event:done\n", [Event("done", "")]),
    "end within a name": (b"event:conversation.chat.comp", []),
    "end within the next event": (b"event:a\ndata:1\nevent:conv", [Event("a", "1")]),
    "end within a field's name": (b"event:a\ndata:{}\nda", [Event("a", "{}")]),
}


def decode(content, *cuts, max_size=1000000):
    decoder = Decoder(max_size)
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    events = []
    for start, end in pairwise(edges):
        events += decoder.feed(content[start:end])
    return events + decoder.end()


@pytest.mark.parametrize(("content", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_streams(content, expected):
    """Each way of writing a stream gives the events that were meant, whole or byte by byte."""
    assert expected == decode(content)
    assert expected == decode(content, *range(len(content)))


@pytest.mark.parametrize("name", ["coze-text.sse", "coze-image.sse"])
def test_recordings(name):
    """A recorded stream gives the same events whole, byte by byte, and without blank lines."""
    content = (RECORDINGS / name).read_bytes()
    whole = decode(content)

    assert ("conversation.chat.created", "done") == (whole[0].name, whole[-1].name)
    assert all(json.loads(event.data) for event in whole)
    assert whole == decode(content, *range(len(content)))
    assert whole == decode(content.replace(b"\n\n", b"\n"))


PIECES = st.sampled_from(
    [
        *(b"event", b"data", b"id", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"a", b"["),
        *(b'{"x":1}', "星".encode(), "星".encode()[:2], b"\xef\xbb\xbf", "\u2028\x85".encode()),
    ]
)


@given(st.lists(PIECES, max_size=60).map(b"".join), st.lists(st.integers(0, 200), max_size=20))
def test_any_cut(content, cuts):
    """The events of any bytes do not depend on where the network cuts them."""
    assert decode(content) == decode(content, *cuts)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1).filter(
                lambda name: not name.startswith(" ")
            ),
            st.text(st.characters(exclude_characters="\r", codec="utf-8")),
        ),
        max_size=5,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_round_trip(events, end):
    """What was written by the rules is read back, to the last character."""
    lines = [
        f"event:{name}{end}" + "".join(f"data: {line}{end}" for line in data.split("\n")) + end
        for name, data in events
    ]

    assert [Event(*event) for event in events] == decode("".join(lines).encode())


@pytest.mark.parametrize(
    "content",
    [b"data:" + b"x" * 100, b"x" * 101 + b"\n", b"data:" + b"x" * 46 + b"\ndata:" + b"y" * 90],
)
def test_too_large(content):
    """A line, or the data of an event, beyond the cap is an error that says so."""
    with pytest.raises(BackendError, match="larger than 100 bytes"):
        decode(content, *range(len(content)), max_size=100)


def test_too_large_after_an_event():
    """Events that were complete before the cap was passed are not lost."""
    decoder = Decoder(max_size=100)

    assert [Event("a", "1")] == decoder.feed(b"event:a\ndata:1\n\ndata:" + b"x" * 200)
    with pytest.raises(BackendError):
        decoder.feed(b"")


def test_many_small_events():
    """The cap is on one event, not on the stream."""
    decoder = Decoder(max_size=100)

    assert 1000 == len(decoder.feed(b"event:a\ndata:1\n\n" * 1000))
