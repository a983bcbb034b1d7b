"""What becomes of a message of discord.py's, made from the payload that Discord sends."""

import discord
import msgspec
import pytest

from adapters.discord import handle, normalise
from bridge.model import Address, BotName, ChatId, File, Image, MessageId, PersonId, Platform, Text

ME, ANN, BOB = 900_000_000_000_000_001, 900_000_000_000_000_002, 900_000_000_000_000_003
GUILD, CHANNEL, THREAD, ROLE = 7000, 7001, 7002, 900_000_000_000_000_004
MESSAGE = 1_400_000_000_000_000_123
BOT = BotName("helper")


def user(id_, name, **more):
    return {
        "id": str(id_), "username": name.lower(), "global_name": name, "discriminator": "0",
        "avatar": None, **more,
    }  # fmt: skip


@pytest.fixture
def state():
    client = discord.Client(intents=discord.Intents.none(), max_messages=None)
    role = {
        "name": "Helper", "color": 0, "hoist": False, "position": 1, "permissions": "0",
        "managed": True, "mentionable": False, "flags": 0,
    }  # fmt: skip
    guild = {
        "id": str(GUILD), "name": "Home", "owner_id": str(ANN), "members": [],
        "roles": [
            {**role, "id": str(GUILD), "name": "@everyone", "managed": False},
            {**role, "id": str(ROLE), "tags": {"bot_id": str(ME)}},
            {**role, "id": "7004", "name": "Staff", "managed": False},
        ],
        "channels": [
            {"id": str(CHANNEL), "type": 0, "name": "general", "position": 0,
             "permission_overwrites": []},
        ],
        "threads": [
            {"id": str(THREAD), "type": 11, "name": "topic", "parent_id": str(CHANNEL),
             "owner_id": str(ANN), "last_message_id": None, "message_count": 0, "member_count": 1,
             "rate_limit_per_user": 0, "flags": 0, "applied_tags": [],
             "thread_metadata": {"archived": False, "auto_archive_duration": 60, "locked": False,
                                 "archive_timestamp": "2025-01-01T00:00:00+00:00"}},
        ],
    }  # fmt: skip
    client._connection._add_guild_from_data(guild)
    return client._connection


def made(state, content="", *, channel=CHANNEL, private=False, **more):
    """A message as the library makes it of a payload."""
    data = {
        "id": str(MESSAGE), "channel_id": str(channel), "type": 0, "content": content,
        "author": user(ANN, "Ann"), "timestamp": "2025-01-01T00:00:00+00:00",
        "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [],
        "mention_roles": [], "attachments": [], "embeds": [], "pinned": False, "flags": 0, **more,
    }  # fmt: skip
    if not private:
        data["guild_id"] = str(GUILD)
    place, _ = state._get_guild_channel(data)
    return discord.Message(state=state, channel=place, data=data)


def read(source):
    return normalise.message(source, ME, BOT)


def file(name="a.png", kind="image/png", **more):
    return {
        "id": "55", "filename": name, "size": 12, "content_type": kind, "proxy_url": "p",
        "url": f"https://cdn.discordapp.com/attachments/1/55/{name}?ex=6", **more,
    }  # fmt: skip


def test_a_private_message_is_addressed(state):
    """A private message is for the bot, and everything known of it is carried over."""
    message = read(made(state, "hello", private=True, channel=42))

    assert message.id == MessageId(str(MESSAGE))
    assert message.address == Address(BOT, Platform("discord"), ChatId("42"))
    assert (message.sender.id, message.sender.name) == (PersonId(str(ANN)), "Ann")
    assert message.parts == (Text("hello"),)
    assert (message.is_private, message.is_addressed) == (True, True)


def test_talk_among_people_is_not_addressed(state):
    """What is said in a channel without naming the bot is not for it."""
    message = read(made(state, "hello all", mention_everyone=True))

    assert (message.is_private, message.is_addressed) == (False, False)


MENTIONED = {"mentions": [user(ME, "Helper", bot=True)]}


@pytest.mark.parametrize(
    ("content", "more", "expected"),
    [
        (f"<@{ME}> /new", MENTIONED, "/new"),
        (f"<@!{ME}>\n what?", MENTIONED, "what?"),
        (f"<@{ME}> <@{ME}> what?", MENTIONED, "what?"),
        (f"<@&{ROLE}> what?", {"mention_roles": [str(ROLE)]}, "what?"),
        (f"so, <@{ME}>?", MENTIONED, "so, @Helper?"),
        (f"<@{ME}>", MENTIONED, "@Helper"),
        ("without its name", MENTIONED, "without its name"),
    ],
)
def test_a_mention_addresses_the_bot(state, content, more, expected):
    """A mention, a reply's ping or the bot's own role addresses it; in front it is left out."""
    message = read(made(state, content, **more))

    assert message.is_addressed
    assert message.parts == (Text(expected),)


def test_markup_becomes_names(state):
    """People, roles, channels, emoji and commands are what a reader sees; unknown ones stay."""
    content = f"<@{BOB}> <@&7004> <#{CHANNEL}> <#{THREAD}> <a:wave:1> </ask:2> <@&1> <#1> <t:5>"
    message = read(made(state, content, mentions=[user(BOB, "Bob")]))

    assert message.parts == (Text("@Bob @Staff #general #topic :wave: /ask <@&1> <#1> <t:5>"),)


@pytest.mark.parametrize(("author", "expected"), [(ME, True), (BOB, False)])
def test_a_reply_to_the_bot_is_addressed(state, author, expected):
    """A reply to the bot's message is for it, also with the ping switched off."""
    answered = {
        "id": "1", "channel_id": str(CHANNEL), "type": 0, "content": "x", "attachments": [],
        "author": user(author, "X"), "timestamp": "2025-01-01T00:00:00+00:00",
        "edited_timestamp": None, "mentions": [], "mention_roles": [], "embeds": [],
    }  # fmt: skip
    reference = {"message_id": "1", "channel_id": str(CHANNEL), "guild_id": str(GUILD)}
    source = made(state, "go on", type=19, message_reference=reference, referenced_message=answered)

    assert expected == read(source).is_addressed


def test_a_reply_to_what_was_deleted_is_read(state):
    """A reply whose message is gone is a message like any other."""
    reference = {"message_id": "1", "channel_id": str(CHANNEL), "guild_id": str(GUILD)}
    source = made(state, "so?", type=19, message_reference=reference, referenced_message=None)

    assert read(source).is_addressed is False


def test_a_thread_is_a_chat_of_its_own(state):
    """In a thread the chat is the thread, because that is where a reply is posted."""
    message = read(made(state, "hello", channel=THREAD))

    assert message.address == Address(BOT, Platform("discord"), ChatId(str(THREAD)), None)


def test_a_channel_that_is_not_known_yet_is_no_private_one(state):
    """A message of a guild that was not announced yet is still a guild's."""
    message = read(made(state, "hello", private=True, channel=8, guild_id="9"))

    assert message.is_private is False


def test_a_nickname_is_the_senders_name(state):
    """A member is called as in the guild."""
    member = {"roles": [], "nick": "Annie", "joined_at": None, "flags": 0}

    assert read(made(state, "hello", member=member)).sender.name == "Annie"


@pytest.mark.parametrize(
    "more",
    [
        {"author": user(BOB, "Bot", bot=True)},
        {"author": user(ME, "Helper", bot=True)},
        {"webhook_id": "5"},
        {"type": 7},
        {"type": 18},
        {"content": ""},
        {"content": " \n "},
        {"content": "", "sticker_items": [{"id": "1", "name": "s", "format_type": 1}]},
    ],
)
def test_what_no_person_said_is_nothing(state, more):
    """Bots, webhooks, notices, stickers and withheld text make no message."""
    assert read(made(state, **{"content": "hello", **more})) is None


@pytest.mark.parametrize(
    ("sent", "kind", "mime", "name"),
    [
        (file(), Image, "image/png", "a.png"),
        (file("PHOTO.JPEG", "image/jpeg"), Image, "image/jpeg", "PHOTO.JPEG"),
        (file("photo.jpg", "image/webp"), Image, "image/webp", "photo.jpg.webp"),
        (file("scan", "application/pdf"), File, "application/pdf", "scan.pdf"),
        (file("n.txt", "text/plain; charset=utf-8"), File, "text/plain", "n.txt"),
        (file("what", None), File, "application/octet-stream", "what"),
        (
            file("voice-message.ogg", "audio/ogg", duration_secs=1.5, waveform="AA=="),
            File, "audio/ogg", "voice-message.ogg",
        ),
    ],
)  # fmt: skip
def test_an_attachment_is_an_image_or_a_file(state, sent, kind, mime, name):
    """Images are images, all else are files, named so that the type can be told."""
    (part,) = read(made(state, attachments=[sent])).parts

    assert isinstance(part, kind)
    assert (part.ref.mime_type, part.ref.name, part.ref.size) == (mime, name, 12)
    assert handle.read(part.ref.handle) == handle.Handle(
        channel=str(CHANNEL), message=str(MESSAGE), attachment="55", url=sent["url"]
    )


def test_several_attachments_stay_in_order(state):
    """Text comes first, then every file as it was attached."""
    source = made(state, "look", attachments=[file("1.png"), file("2.pdf", "application/pdf")])
    text, first, second = read(source).parts

    assert text == Text("look")
    assert (first.ref.name, second.ref.name) == ("1.png", "2.pdf")


def test_a_forwarded_message_is_read(state):
    """Of a forward, the text and the files of the message inside are taken."""
    inside = {
        "type": 0, "content": "see <#7001>", "embeds": [], "attachments": [file()],
        "timestamp": "2025-01-01T00:00:00+00:00", "edited_timestamp": None, "flags": 0,
    }  # fmt: skip
    reference = {"type": 1, "message_id": "1", "channel_id": "2", "guild_id": "3"}
    source = made(
        state, "", private=True, message_snapshots=[{"message": inside}],
        message_reference=reference,
    )  # fmt: skip
    text, image = read(source).parts

    assert text == Text("see <#7001>")
    assert isinstance(image, Image)


def test_order_is_time_and_sequence():
    """The order grows with the snowflake, counts from 1970 and fits into 64 bits."""
    snowflakes = [175928847299117063, 175928847299117064, MESSAGE, MESSAGE + 1]
    orders = [normalise.order_of(snowflake) for snowflake in snowflakes]

    assert orders == sorted(orders)
    assert orders[0] >> 22 == 1462015105796
    assert orders[0] & 0x3FFFFF == 175928847299117063 & 0x3FFFFF
    assert orders[-1] < 2**63


def test_a_message_survives_the_wire(state):
    """What is made can be stored and read again."""
    message = read(made(state, "hello", attachments=[file()]))

    assert message == msgspec.json.decode(msgspec.json.encode(message), type=type(message))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.PNG", "image/png"), ("b.jpeg", "image/jpeg"), ("notes.xyz", "application/octet-stream")],
)
def test_a_file_without_a_type_is_known_by_its_name(state, name, kind):
    """Discord may leave the type out; then the extension tells what a file is."""
    [part] = read(made(state, "", private=True, attachments=[file(name, None)])).parts

    assert kind == part.ref.mime_type
    assert kind.startswith("image/") == isinstance(part, Image)
