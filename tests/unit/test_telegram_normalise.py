"""From Telegram's update to our message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from adapters.telegram.normalise import Me, normalise
from bridge.model import Address, BotName, File, Image, MediaRef, Sender, Text

ME = Me(99, "Helper_bot")
BOT = BotName("helper")
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "last_name": "Ex", "language_code": "zh-hans"}
SELF = {"id": 99, "is_bot": True, "first_name": "Helper", "username": "Helper_bot"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann"}
GROUP = {"id": -1001, "type": "supergroup", "title": "Team", "is_forum": True}
DATE = 1_790_000_000


def update(*, number: int = 5, **fields: Any) -> Update:
    message = {"message_id": 31, "date": DATE, "chat": PRIVATE, "from": ANN, **fields}
    return Update.de_json({"update_id": number, "message": message})


def group(**fields: Any) -> Update:
    return update(chat=GROUP, **fields)


def entity(type_: str, offset: int, length: int, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "offset": offset, "length": length, **fields}


def file(**fields: Any) -> dict[str, Any]:
    return {"file_id": "F", "file_unique_id": "U", **fields}


def texts(message: Any) -> list[str]:
    return [part.text for part in message.parts if isinstance(part, Text)]


def test_a_private_message():
    """A private message is addressed, and says who wrote it, where and in which language."""
    message = normalise(update(text="hello"), ME, BOT)

    assert Address(BOT, "telegram", "7") == message.address
    assert Sender("7", "Ann Ex", "zh-hans") == message.sender
    assert "31" == message.id
    assert (Text("hello"),) == message.parts
    assert message.is_private
    assert message.is_addressed


@pytest.mark.parametrize(
    ("text", "entities", "is_addressed", "expected"),
    [
        ("hello", [], False, "hello"),
        ("@helper_BOT hello", [entity("mention", 0, 11)], True, "hello"),
        ("@helper_bot：你好", [entity("mention", 0, 11)], True, "你好"),
        ("@helper_bot, :) hi", [entity("mention", 0, 11)], True, ":) hi"),
        ("😀 @helper_bot hi", [entity("mention", 3, 11)], True, "😀 @helper_bot hi"),
        ("@other_bot hello", [entity("mention", 0, 10)], False, "@other_bot hello"),
        ("mail a@helper_bot", [], False, "mail a@helper_bot"),
        ("Helper, hi", [entity("text_mention", 0, 6, user=SELF)], True, "hi"),
        ("Ann, hi", [entity("text_mention", 0, 3, user=ANN)], False, "Ann, hi"),
        ("/ask@HELPER_bot x", [entity("bot_command", 0, 15)], True, "/ask x"),
        ("/ask x", [entity("bot_command", 0, 4)], True, "/ask x"),
        ("/ask@other_bot x", [entity("bot_command", 0, 14)], False, "/ask@other_bot x"),
        ("try /ask", [entity("bot_command", 4, 4)], False, "try /ask"),
    ],
)
def test_who_a_group_message_is_for(text, entities, is_addressed, expected):
    """In a group Telegram's own marks tell whether the bot is meant; its name in front goes."""
    for message in (
        normalise(group(text=text, entities=entities), ME, BOT),
        normalise(group(photo=[PHOTO], caption=text, caption_entities=entities), ME, BOT),
    ):
        assert is_addressed == message.is_addressed
        assert [expected] == texts(message)
        assert not message.is_private


PHOTO = file(width=90, height=60)


@pytest.mark.parametrize(
    ("reply", "fields", "is_addressed"),
    [
        ({"message_id": 30, "from": SELF}, {}, True),
        ({"message_id": 30, "from": ANN}, {}, False),
        ({"message_id": 30}, {}, False),
        (
            {"message_id": 30, "from": SELF},
            {"is_topic_message": True, "message_thread_id": 9},
            True,
        ),
        (
            {"message_id": 9, "from": SELF},
            {"is_topic_message": True, "message_thread_id": 9},
            False,
        ),
        (
            {"message_id": 9, "from": SELF, "forum_topic_created": {"name": "t", "icon_color": 1}},
            {},
            False,
        ),
    ],
)
def test_a_reply_to_the_bot_is_for_the_bot(reply, fields, is_addressed):
    """A reply to the bot is addressed; the silent reply to a forum topic's first message is not."""
    replied = {"date": DATE, "chat": GROUP, **reply}
    message = normalise(group(text="so?", reply_to_message=replied, **fields), ME, BOT)

    assert is_addressed == message.is_addressed


@pytest.mark.parametrize(
    ("fields", "thread"),
    [
        ({}, None),
        ({"message_thread_id": 9}, None),
        ({"message_thread_id": 9, "is_topic_message": True}, "9"),
    ],
)
def test_only_a_topic_is_a_thread(fields, thread):
    """A reply chain outside of a forum has a thread number, too, and is no thread."""
    assert thread == normalise(group(text="x", **fields), ME, BOT).address.thread


@pytest.mark.parametrize(
    ("sender_chat", "sender"),
    [
        (GROUP, Sender("-1001", "Team")),
        ({"id": -1002, "type": "channel", "title": "News"}, Sender("-1002", "News")),
    ],
)
def test_who_speaks_as_a_chat_is_that_chat(sender_chat, sender):
    """Anonymous admins and channels write through a bot's account, but they are people."""
    author = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    message = normalise(group(text="x", **{"from": author}, sender_chat=sender_chat), ME, BOT)

    assert sender == message.sender


@pytest.mark.parametrize(
    "ignored",
    [
        update(text="x", **{"from": SELF}),
        update(text="x", **{"from": None}),
        update(text="x", via_bot=SELF),
        group(text="x", is_automatic_forward=True, sender_chat=GROUP),
        group(new_chat_members=[ANN]),
        group(migrate_to_chat_id=-1002),
        group(pinned_message={"message_id": 1, "date": DATE, "chat": GROUP, "text": "x"}),
        group(location={"latitude": 1.0, "longitude": 2.0}),
        update(rich_message={"blocks": "from the future"}),
        Update.de_json(
            {
                "update_id": 5,
                "edited_message": {
                    "message_id": 31,
                    "date": DATE,
                    "edit_date": DATE,
                    "chat": PRIVATE,
                    "from": ANN,
                    "text": "x",
                },
            }
        ),
        Update.de_json({"update_id": 5, "something_new": {"text": "x"}}),
    ],
)
def test_what_nobody_said_is_no_message(ignored):
    """Bots, edits, notices, automatic forwards and what has no words are left alone."""
    assert normalise(ignored, ME, BOT) is None


def test_a_name_alone_is_a_greeting_but_not_under_a_photo():
    """The agent hears a lone mention; under a photo it only says whom the photo is for."""
    entities = [entity("mention", 0, 11)]
    greeting = normalise(group(text="@helper_bot", entities=entities), ME, BOT)
    photo = group(photo=[PHOTO], caption="@helper_bot", caption_entities=entities)

    assert ["@helper_bot"] == texts(greeting)
    assert [] == texts(normalise(photo, ME, BOT))


def test_what_cannot_be_read_is_delivered_without_parts():
    """A location for the bot is no question, but its sender is to hear so."""
    message = normalise(update(location={"latitude": 1.0, "longitude": 2.0}), ME, BOT)

    assert message is not None
    assert () == message.parts


def ref(mime_type: str, name: str, size: int | None = None) -> MediaRef:
    return MediaRef("telegram", BOT, "F", mime_type, name, size)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        (
            {
                "photo": [
                    file(width=90, height=60) | {"file_id": "small"},
                    file(width=900, height=1),
                ]
            },
            None,
        ),
        (
            {"photo": [file(width=900, height=600, file_size=3), PHOTO | {"file_id": "small"}]},
            Image(ref("image/jpeg", "photo.jpg", 3)),
        ),
        (
            {"document": file(mime_type="image/png", file_name="a.png")},
            Image(ref("image/png", "a.png")),
        ),
        (
            {"document": file(mime_type="image/jpeg", file_name="scan")},
            Image(ref("image/jpeg", "scan.jpg")),
        ),
        (
            {"document": file(mime_type="image/webp", file_name="a.png")},
            Image(ref("image/webp", "a.png.webp")),
        ),
        (
            {"document": file(mime_type="application/pdf", file_name="a.pdf", file_size=9)},
            File(ref("application/pdf", "a.pdf", 9)),
        ),
        ({"document": file(mime_type="text/csv")}, File(ref("text/csv", "document.csv"))),
        ({"document": file()}, File(ref("application/octet-stream", "document"))),
        (
            {"voice": file(duration=1, mime_type="audio/ogg")},
            File(ref("audio/ogg", "voice.ogg")),
        ),
        (
            {"audio": file(duration=1, mime_type="audio/mpeg", file_name="a.mp3")},
            File(ref("audio/mpeg", "a.mp3")),
        ),
        ({"audio": file(duration=1)}, File(ref("audio/mpeg", "audio.mp3"))),
        (
            {"video": file(duration=1, width=1, height=1, mime_type="video/mp4; codecs=x")},
            File(ref("video/mp4", "video.mp4")),
        ),
        ({"video_note": file(duration=1, length=1)}, File(ref("video/mp4", "video.mp4"))),
        (
            {
                "animation": file(duration=1, width=1, height=1, mime_type="image/gif"),
                "document": file(mime_type="image/gif", file_name="x"),
            },
            Image(ref("image/gif", "animation.gif")),
        ),
    ],
)
def test_a_file_is_known_by_its_id(fields, part):
    """A file is a reference by id with a type and a name whose extension fits the type."""
    message = normalise(update(**fields, caption="look"), ME, BOT)

    if part is None:
        assert "small" == message.parts[1].ref.handle
    else:
        assert (Text("look"), part) == message.parts


def test_a_sticker_is_its_emoji():
    """A sticker says what its emoji says."""
    sticker = file(width=1, height=1, is_animated=False, is_video=False, type="regular", emoji="👍")

    assert ["👍"] == texts(normalise(update(sticker=sticker), ME, BOT))


def test_a_rich_message_is_its_words():
    """A formatted message of a Premium user is flattened, and a mention in it counts."""
    blocks = [
        {"type": "heading", "size": 1, "text": "Plan"},
        {"type": "paragraph", "text": ["Dear ", {"type": "bold", "text": "@helper_bot"}, "!"]},
        {
            "type": "list",
            "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "eat"}]}],
        },
        {"type": "table", "cells": [[{"text": "a"}, {"text": "b"}]]},
        {"type": "new", "text": 5},
    ]
    message = normalise(group(rich_message={"blocks": blocks}), ME, BOT)

    assert ["Plan\nDear @helper_bot!\n1.\neat\na | b"] == texts(message)
    assert message.is_addressed


@given(
    st.integers(min_value=DATE, max_value=DATE + 10**8),
    st.integers(min_value=0, max_value=2),
    st.lists(st.integers(min_value=1, max_value=2**31 - 1), min_size=2, max_size=2, unique=True),
)
def test_the_order_of_updates_is_kept(date, later, numbers):
    """A later update sorts behind an earlier one, in one second and across seconds."""
    first, second = sorted(numbers)
    one = normalise(update(number=first, date=date, text="x"), ME, BOT)
    two = normalise(update(number=second, date=date + later, text="x"), ME, BOT)

    assert one.order < two.order < 2**63
    assert date * 1000 <= one.order >> 22 < (date + 1) * 1000
