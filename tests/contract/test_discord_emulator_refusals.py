"""The emulated Discord refuses whatever the real one does, in the same words."""

import json

import httpx
import pytest

from adapters.discord.emulator import DiscordEmulator

LONG = "x" * 2001
TEXT_DISPLAY = {"type": 10, "content": "x"}
BUTTON = {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}


class Room:
    def __init__(self, emulator, http):
        self.emulator, self.http = emulator, http
        self.ann = emulator.person("Ann")
        self.guild = emulator.guild("Home", [self.ann])
        self.channel = emulator.channel(self.guild, "general")
        self.path = f"/channels/{self.channel.id}/messages"


@pytest.fixture
async def room():
    emulator = DiscordEmulator(rates=None)
    async with (
        emulator.open() as section,
        httpx.AsyncClient(
            base_url=section["api_url"],
            headers={"Authorization": f"Bot {section['token']}"},
            trust_env=False,
        ) as http,
    ):
        yield Room(emulator, http)


def row(*children):
    return {"components": [{"type": 1, "components": list(children)}]}


def mentions(**given):
    return {"content": "x", "allowed_mentions": given}


def reference(**given):
    return {"content": "x", "message_reference": given}


FORMS = [
    ({"content": LONG}, "content", "BASE_TYPE_MAX_LENGTH"),
    ({"content": 5}, "content", "STRING_TYPE_CONVERT"),
    ({"content": "x", "nonce": "n" * 26}, "nonce", "NONCE_TYPE_TOO_LONG"),
    ({"content": "x", "nonce": ["n"]}, "nonce", "NONCE_TYPE_INVALID_TYPE"),
    ({"content": "x", "flags": "4"}, "flags", "INT_TYPE_CONVERT"),
    ({"embeds": [{"title": "t"}] * 11}, "embeds", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": {"title": "t"}}, "embeds", "LIST_TYPE_CONVERT"),
    ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "t" * 4097}]}, "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
    (
        {"embeds": [{"footer": {"text": "t" * 2049}}]},
        "embeds.0.footer.text",
        "BASE_TYPE_MAX_LENGTH",
    ),
    ({"embeds": [{"description": "t" * 3001}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"fields": [{"name": "n"}]}]}, "embeds.0.fields.0.value", "BASE_TYPE_REQUIRED"),
    (row(*[BUTTON] * 6), "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    (
        row({"type": 2, "style": 1, "label": "x"}),
        "components.0.components.0",
        "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
    ),
    (
        row({**BUTTON, "custom_id": "x" * 101}),
        "components.0.components.0.custom_id",
        "BASE_TYPE_MAX_LENGTH",
    ),
    ({"components": [TEXT_DISPLAY]}, "components.0.type", "UNION_TYPE_CHOICES"),
    (
        {"content": "x", "components": [TEXT_DISPLAY], "flags": 1 << 15},
        "content",
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        {"components": [{"type": 10, "content": "x" * 4001}], "flags": 1 << 15},
        "components",
        "COMPONENT_MAX_TOTAL_TEXT_SIZE_EXCEEDED",
    ),
    (mentions(parse=["people"]), "allowed_mentions.parse.0", "BASE_TYPE_CHOICES"),
    (mentions(parse="users"), "allowed_mentions.parse", "LIST_TYPE_CONVERT"),
    (
        mentions(parse=["users"], users=["1"]),
        "allowed_mentions",
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    (mentions(users=["ann"]), "allowed_mentions.users.0", "NUMBER_TYPE_COERCE"),
    (mentions(users=["1"] * 101), "allowed_mentions.users", "BASE_TYPE_MAX_LENGTH"),
    ({"content": "x", "allowed_mentions": []}, "allowed_mentions", "DICT_TYPE_CONVERT"),
    (reference(), "message_reference.message_id", "BASE_TYPE_REQUIRED"),
    (reference(message_id="x"), "message_reference.message_id", "NUMBER_TYPE_COERCE"),
    (reference(message_id="1"), "message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"),
    (
        reference(message_id="1", channel_id="2"),
        "message_reference",
        "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL",
    ),
    (reference(message_id="1", type=7), "message_reference.type", "BASE_TYPE_CHOICES"),
    ({"content": "x", "attachments": "a"}, "attachments", "LIST_TYPE_CONVERT"),
]


@pytest.mark.parametrize(("form", "path", "code"), FORMS, ids=[f"{p}-{c}" for _, p, c in FORMS])
async def test_forms(room, form, path, code):
    """A form with something wrong is 50035, and says where and what; nothing is posted."""
    answer = await room.http.post(room.path, json=form)
    node = answer.json()["errors"]
    for step in path.split("."):
        node = node[step]

    assert (400, 50035, "Invalid Form Body") == (
        answer.status_code,
        answer.json()["code"],
        answer.json()["message"],
    )
    assert code == node["_errors"][0]["code"]
    assert () == room.emulator.messages(room.channel)


async def test_an_edit_is_checked_like_a_post(room):
    """An edit that is too long is refused, and leaves the message as it was."""
    message = (await room.http.post(room.path, json={"content": "x"})).json()["id"]
    answer = await room.http.patch(f"{room.path}/{message}", json={"content": LONG})

    assert {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {
            "content": {
                "_errors": [
                    {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
                ]
            }
        },
    } == answer.json()
    assert "x" == room.emulator.messages(room.channel)[0].content


@pytest.mark.parametrize("form", [{}, {"content": ""}, {"content": " \n "}, {"content": None}])
async def test_empty_messages(room, form):
    """Nothing to be seen is no message, posted or edited."""
    message = (await room.http.post(room.path, json={"content": "x"})).json()["id"]
    posted = await room.http.post(room.path, json=form)
    edited = await room.http.patch(f"{room.path}/{message}", json={"content": ""})

    assert {"message": "Cannot send an empty message", "code": 50006} == posted.json()
    assert (400, 50006) == (edited.status_code, edited.json()["code"])


@pytest.mark.parametrize("header", [None, "", "nobody", "Bearer x", "Bot nobody"])
async def test_tokens(room, header):
    """Without the bot's token, there is one answer."""
    async with httpx.AsyncClient(base_url=room.http.base_url, trust_env=False) as http:
        headers = {} if header is None else {"Authorization": header}
        answer = await http.get("/users/@me", headers=headers)

        assert 401 == answer.status_code
        assert {"message": "401: Unauthorized", "code": 0} == answer.json()
        assert "application/json" == answer.headers["Content-Type"]


PATHS = [
    ("GET", "/channels/1", 404, 10003),
    ("POST", "/channels/1/messages", 404, 10003),
    ("POST", "/channels/1/typing", 404, 10003),
    ("GET", "/channels/x", 400, 50035),
    ("GET", "/guilds/1", 404, 10004),
    ("GET", "/users/1", 404, 10013),
    ("GET", "{guild}/members/1", 404, 10007),
    ("GET", "{channel}/messages/1", 404, 10008),
    ("PATCH", "{channel}/messages/1", 404, 10008),
    ("DELETE", "{channel}/messages/1", 404, 10008),
    ("PUT", "{channel}/messages/1/reactions/x/@me", 404, 10008),
    ("PUT", "{theirs}/reactions/x/@me", 400, 10014),
    ("PATCH", "{theirs}", 403, 50005),
    ("DELETE", "{theirs}", 403, 50013),
    ("GET", "{channel}/messages?limit=0", 400, 50035),
    ("GET", "{channel}/messages?limit=101", 400, 50035),
    ("GET", "{channel}/messages?after=x", 400, 50035),
    ("POST", "{channel}/threads", 400, 50035),
    ("GET", "/applications/1/commands", 404, 10002),
    ("POST", "/interactions/1/nothing/callback", 404, 10062),
    ("PATCH", "/webhooks/1/nothing/messages/@original", 404, 10015),
    ("GET", "/nowhere", 404, 0),
    ("PUT", "/users/@me", 405, 0),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), PATHS)
async def test_paths(room, method, path, status, code):
    """What is not there, or not the bot's, is refused by its own code."""
    theirs = await room.emulator.send(room.channel, room.ann, "hi")
    real = path.format(
        guild=f"/guilds/{room.guild.id}",
        channel=f"/channels/{room.channel.id}",
        theirs=f"{room.path}/{theirs}",
    )
    body = {"content": "x"} if method in {"POST", "PATCH"} else None
    answer = await room.http.request(method, real, json=body)

    assert (status, code) == (answer.status_code, answer.json()["code"])


RIGHTS = [
    ("VIEW_CHANNEL", "GET", "", None, 50001),
    ("VIEW_CHANNEL", "POST", "/messages", {"content": "x"}, 50001),
    ("SEND_MESSAGES", "POST", "/messages", {"content": "x"}, 50013),
    ("SEND_MESSAGES", "POST", "/typing", None, 50013),
    ("READ_MESSAGE_HISTORY", "GET", "/messages/{theirs}", None, 50001),
    ("READ_MESSAGE_HISTORY", "POST", "/messages", "reply", 160002),
    ("ADD_REACTIONS", "PUT", "/messages/{theirs}/reactions/%F0%9F%91%80/@me", None, 50013),
    ("CREATE_PUBLIC_THREADS", "POST", "/threads", {"name": "x"}, 50013),
]


@pytest.mark.parametrize(("right", "method", "path", "body", "code"), RIGHTS)
async def test_rights(room, right, method, path, body, code):
    """What the bot may not do in a channel is 403 there, until it may again."""
    theirs = await room.emulator.send(room.channel, room.ann, "hi")
    if body == "reply":
        body = {"content": "x", "message_reference": {"message_id": theirs}}
    real = f"/channels/{room.channel.id}{path.format(theirs=theirs)}"
    room.emulator.deny(room.channel, right)
    refused = await room.http.request(method, real, json=body)
    room.emulator.deny(room.channel)
    granted = await room.http.request(method, real, json=body)

    assert (403, code) == (refused.status_code, refused.json()["code"])
    assert granted.is_success


async def test_rights_in_threads(room):
    """A thread has a right of its own to be written in, given in its parent."""
    thread = room.emulator.thread(room.channel, room.ann, "Topic")
    path, body = f"/channels/{thread.id}/messages", {"content": "x"}
    room.emulator.deny(room.channel, "SEND_MESSAGES")
    allowed = await room.http.post(path, json=body)
    room.emulator.deny(room.channel, "SEND_MESSAGES_IN_THREADS")
    refused = await room.http.post(path, json=body)

    assert 200 == allowed.status_code
    assert 50013 == refused.json()["code"]


async def test_files_without_the_right(room):
    """A file needs a right of its own, and has a size that is too much."""
    large = {"files[0]": ("a.bin", b"0" * (10 * 1024 * 1024 + 1), "application/octet-stream")}
    refused = await room.http.post(room.path, files=large)
    room.emulator.deny(room.channel, "ATTACH_FILES")
    denied = await room.http.post(room.path, files={"files[0]": ("a.txt", b"0", "text/plain")})

    assert (413, 40005) == (refused.status_code, refused.json()["code"])
    assert (403, 50013) == (denied.status_code, denied.json()["code"])


BODIES = [
    (b"{", "application/json", 50109, None),
    (b'{"content": "x"}', "text/plain", 50035, "CONTENT_TYPE_INVALID"),
    (b"[]", "application/json", 50035, "DICT_TYPE_CONVERT"),
]


@pytest.mark.parametrize(("raw", "kind", "code", "inside"), BODIES)
async def test_bodies(room, raw, kind, code, inside):
    """A body that cannot be read is refused by how it cannot."""
    answer = await room.http.post(room.path, content=raw, headers={"Content-Type": kind})
    body = answer.json()

    assert (400, code) == (answer.status_code, body["code"])
    assert inside is None or inside == body["errors"]["_errors"][0]["code"]


async def test_a_form_with_broken_json(room):
    """The JSON part of a form is read as strictly as a body."""
    files = {"files[0]": ("a.txt", b"x", "text/plain")}
    answer = await room.http.post(room.path, data={"payload_json": "{"}, files=files)
    too_long = {"payload_json": json.dumps({"content": LONG})}
    checked = await room.http.post(room.path, data=too_long, files=files)

    assert 50109 == answer.json()["code"]
    assert 50035 == checked.json()["code"]


LINKS = [None, [], ["https://example.org/a.png"], ["x"] * 51]


@pytest.mark.parametrize("urls", LINKS)
async def test_links_to_refresh(room, urls):
    """Only links to files of the service can be refreshed, up to fifty at once."""
    answer = await room.http.post("/attachments/refresh-urls", json={"attachment_urls": urls})

    assert (400, 50035) == (answer.status_code, answer.json()["code"])
