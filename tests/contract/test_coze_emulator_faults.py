"""The emulated Coze fails in every way the real one is known to, hosted or self-hosted."""

import json
from contextlib import asynccontextmanager

import httpx
import pytest

from bridge.coze.emulator import Answer, CozeEmulator, Play, faults

TOKEN, BOT = "pat_emulated", "7379462189365198898"
TEXT = {"role": "user", "content": "hi", "content_type": "text"}
BODY = {"bot_id": BOT, "user_id": "u1", "stream": True, "additional_messages": [TEXT]}
DONE = b'event:done\ndata:"[DONE]"\n\n'


@asynccontextmanager
async def opened(**more):
    emulator = CozeEmulator(TOKEN, BOT, **more)
    async with (
        emulator.open() as url,
        httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
        ) as client,
    ):
        yield emulator, client


@pytest.fixture
async def room():
    async with opened() as both:
        yield both


async def asked(room, fault, **play):
    emulator, client = room
    emulator.play(Play(fault=fault, **play))
    return await client.post("/v3/chat", json=BODY)


async def received(room, fault):
    """All bytes of a stream, and whether it ended properly."""
    emulator, client = room
    emulator.play(Play(fault=fault))
    content = b""
    try:
        async with client.stream("POST", "/v3/chat", json=BODY) as response:
            async for piece in response.aiter_raw():
                content += piece
    except httpx.TransportError:
        return content, False
    return content, True


def events(stream):
    pairs = (block.split("\n") for block in stream.strip().split("\n\n"))
    return [(event.removeprefix("event:"), data.removeprefix("data:")) for event, data in pairs]


INSTEAD = [
    (faults.json_error(4013), 200, "application/json", "{"),
    (faults.json_error(4100, status=401), 401, "application/json", "{"),
    (faults.http_error(504), 504, "text/html", "<html>"),
    (faults.http_error(400, '{"code":400}', "application/json"), 400, "application/json", "{"),
    (faults.http_error(500, "oops", "text/plain"), 500, "text/plain", "oops"),
    (faults.mislabelled_json(4100), 200, "text/event-stream", '{"code": 4100'),
    (faults.error_event(4016), 200, "text/event-stream", 'event:error\ndata:{"code": 4016'),
    (faults.error_event(None), 200, "text/event-stream", "event:error\ndata:{}\n\n"),
    (faults.unanswered(0.05, is_started=False), 504, "text/html", "<html>"),
]


@pytest.mark.parametrize(("fault", "status", "content_type", "start"), INSTEAD)
async def test_instead_of_a_stream(room, fault, status, content_type, start):
    """What comes in place of a stream comes as it was told, and no chat begins."""
    response = await asked(room, fault)

    assert status == response.status_code
    assert response.headers["Content-Type"].startswith(content_type)
    assert response.text.startswith(start)
    assert {} == room[0].chats


@pytest.mark.parametrize("is_started", [True, False])
async def test_reset(room, is_started):
    """A connection can break before the first byte, with a chat behind it or without."""
    content, is_proper = await received(room, faults.reset(is_started=is_started))

    assert (b"", False) == (content, is_proper)
    assert int(is_started) == len(room[0].chats)


async def test_empty_stream(room):
    """A stream can end before its first event, the chat running all the same."""
    content, is_proper = await received(room, faults.empty_stream())

    await room[0].idle()
    (chat,) = room[0].chats.values()
    assert (b"", True) == (content, is_proper)
    assert "completed" == chat.status


FAILED = [
    (faults.failed(4028, "credits"), "last_error", 4028),
    (faults.failed(4028, after=2), "last_error", 4028),
    (faults.failed(701231, shape="bare"), "code", 701231),
    (faults.failed(720702204, shape="text"), "code", "720702204"),
]


@pytest.mark.parametrize(("fault", "key", "code"), FAILED)
async def test_failed_chat(room, fault, key, code):
    """A run that fails says so in one of three shapes, and is read back as failed."""
    response = await asked(room, fault)

    (event, data), (last, _) = events(response.text)[-2:]
    (chat,) = room[0].chats.values()
    told = json.loads(data)[key]
    assert ("conversation.chat.failed", "done") == (event, last)
    assert code == (told["code"] if key == "last_error" else told)
    assert ("failed", int(code)) == (chat.status, chat.code)


async def test_failed_chat_is_read_back(room):
    """Retrieving a failed chat succeeds; the error stands inside."""
    await asked(room, faults.failed(4028, "credits"))
    (chat,) = room[0].chats.values()
    query = {"conversation_id": chat.conversation_id, "chat_id": chat.id}

    told = (await room[1].get("/v3/chat/retrieve", params=query)).json()

    assert (0, 4028) == (told["code"], told["data"]["last_error"]["code"])


ENDS = [
    (faults.ends(1), True, 1),
    (faults.ends(1, "cut"), False, 1),
    (faults.ends(3, "reset"), False, 3),
    (faults.ends_midway(2), False, 3),
    (faults.ends_midway(2, "clean"), True, 3),
    (faults.done_as(data=None), True, 19),
]


@pytest.mark.parametrize(("fault", "is_proper", "whole"), ENDS)
async def test_early_end(room, fault, is_proper, whole):
    """A stream can end anywhere, properly or not; the run goes on and can be read back."""
    emulator, client = room

    content, ended_properly = await received(room, fault)
    await emulator.idle()

    (chat,) = emulator.chats.values()
    query = {"conversation_id": chat.conversation_id, "chat_id": chat.id}
    told = (await client.get("/v3/chat/message/list", params=query)).json()["data"]
    assert (is_proper, whole) == (ended_properly, content.count(b"}\n\n"))
    assert "completed" == chat.status
    assert ["2024 年 10 月 1 日是星期三。"] == [m["content"] for m in told if m["type"] == "answer"]


async def test_silence(room):
    """A stream can fall silent, and go on."""
    _, client = room
    client.timeout = httpx.Timeout(5.0, read=0.1)

    content, is_proper = await received(room, faults.hangs(60.0, after=2))
    after_all, _ = await received(room, faults.hangs(0.01))

    assert (2, False) == (content.count(b"\n\n"), is_proper)
    assert after_all.endswith(DONE)


WIRES = [
    (faults.interspersed(b": keepalive\n\n"), b": keepalive\n\nevent:done"),
    (faults.interspersed(b"id:0\nretry:9\n"), b"id:0\nretry:9\nevent:done"),
    (faults.noticed("PING", '{"content":"{}"}', 1), b'event:PING\ndata:{"content":"{}"}\n\n'),
    (faults.rewritten(b"\n", b"\r\n"), b'event:done\r\ndata:"[DONE]"\r\n\r\n'),
    (faults.rewritten(b"data:", b"data: "), b'data: "[DONE]"'),
    (faults.dribbled(), DONE),
    (faults.done_as(data="[DONE]"), b"event:done\ndata:[DONE]\n\n"),
    (faults.done_as(data='{"debug_url":"x"}'), b'event:done\ndata:{"debug_url":"x"}\n\n'),
    (faults.done_as("conversation.stream.done", ""), b"event:conversation.stream.done\ndata:\n\n"),
]


@pytest.mark.parametrize(("fault", "expected"), WIRES)
async def test_wire(room, fault, expected):
    """What is legal on the wire, but rare, can be had."""
    content, is_proper = await received(room, fault)

    assert is_proper
    assert expected in content


async def test_repeated_answer(room):
    """A completed answer can come twice; it is one message all the same."""
    response = await asked(room, faults.answers_completed_twice(), answers=("one",))

    whole = [d for e, d in events(response.text) if e.endswith("message.completed")]
    assert whole[0] == whole[1]
    assert 1 == len([m for m in room[0].messages if m.type == "answer"])


async def test_raw_separators(room):
    """Line separators of Unicode stand raw inside the JSON."""
    response = await asked(room, None, answers=(Answer("a\u2028b\u0085c"),))

    assert "a\u2028b\u0085c" in response.content.decode()


async def test_cancelled_by_another(room):
    """A chat that somebody else cancels ends as cancelled."""
    response = await asked(room, faults.cancelled(after=2))

    kinds = [event for event, _ in events(response.text)]
    assert ["conversation.chat.canceled", "done"] == kinds[-2:]
    assert 2 == kinds.count("conversation.message.delta")


async def test_question_to_the_person(room):
    """A chat that ends with a question leaves the conversation free for the answer."""
    emulator, client = room
    response = await asked(room, faults.reply_required())
    (chat,) = emulator.chats.values()

    query = {"conversation_id": chat.conversation_id}
    answer = await client.post("/v3/chat", params=query, json=BODY)

    required = json.loads(events(response.text)[-2][1])["required_action"]
    (call,) = required["submit_tool_outputs"]["tool_calls"]
    assert ("", "reply_message", None) == (call["id"], call["type"], call["function"])
    assert answer.content.endswith(DONE)


async def test_error_midway(room):
    """A run can fail and say no more than `error`."""
    response = await asked(room, faults.error_midway())

    assert "error" == events(response.text)[-1][0]
    assert ["failed"] == [chat.status for chat in room[0].chats.values()]


# --- coze-studio -----------------------------------------------------------------------------


@pytest.fixture
async def studio():
    async with opened(flavour="studio") as both:
        yield both


async def test_studio_stream(studio):
    """The self-hosted server streams by default, ends in its own way and escapes like Go."""
    emulator, client = studio
    emulator.play(Play(answers=("a<b",)))
    body = {key: value for key, value in BODY.items() if key != "stream"}

    response = await client.post("/v3/chat", json=body)

    assert response.text.endswith("event:conversation.stream.done\ndata:\n\n")
    assert "a\\u003cb" in response.text
    assert "usage" not in response.text
    assert "X-Log-ID" in response.headers


async def test_studio_envelopes(studio):
    """Its envelopes and statuses are spelled in other ways."""
    emulator, client = studio
    emulator.play(Play(pace=10.0))
    begun = (await client.post("/v3/chat", json={**BODY, "stream": False})).json()["data"]
    name = {"conversation_id": begun["conversation_id"], "chat_id": begun["id"]}

    cancelled = (await client.post("/v3/chat/cancel", json=name)).json()
    listed = (await client.get("/v3/chat/message/list", params=name)).json()
    retrieved = (await client.get("/v1/conversation/retrieve", params=name)).json()
    again = (await client.post("/v3/chat/cancel", json=name)).json()

    assert "created" == begun["status"]
    assert "conversation.chat.cancelled" == cancelled["ChatV3ChatDetail"]["status"]
    assert [] == listed["Messages"]
    assert name["conversation_id"] == retrieved["ConversationData"]["id"]
    assert 103200005 == again["code"]


async def test_studio_refusals(studio):
    """It refuses by HTTP status, in the stream, or not at all."""
    emulator, client = studio
    wrong = {"Authorization": "Bearer wrong"}
    emulator.play(Play(pace=10.0))
    begun = (await client.post("/v3/chat", json={**BODY, "stream": False})).json()["data"]
    same = {"conversation_id": begun["conversation_id"]}

    invalid = await client.post("/v3/chat", json={**BODY, "user_id": ""})
    empty = await client.post("/v3/chat", params={"conversation_id": ""}, json=BODY)
    missing = await client.post("/v3/chat", json={**BODY, "bot_id": "1"})
    stranger = await client.post("/v3/chat", headers=wrong, json=BODY)
    unknown = await client.get("/v3/chat/retrieve", params={**same, "chat_id": "1"})
    posted = await client.post("/v3/chat/retrieve", params=same)
    busy = await client.post("/v3/chat", params=same, json=BODY)
    new = await client.post("/v3/chat", params={"conversation_id": "1"}, json=BODY)

    assert (400, 400) == (invalid.status_code, invalid.json()["code"])
    assert 400 == empty.status_code
    assert missing.text.startswith('event:error\ndata:{"code":103100002')
    assert (200, 700012006) == (stranger.status_code, stranger.json()["code"])
    assert 500 == unknown.status_code
    assert 404 == posted.status_code
    assert busy.text.endswith("event:conversation.stream.done\ndata:\n\n")
    assert new.text.endswith("event:conversation.stream.done\ndata:\n\n")
