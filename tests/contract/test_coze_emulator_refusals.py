"""The emulated Coze refuses whatever the real one does, with the same codes."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from bridge.coze.emulator import CozeEmulator, Play, Reply, faults
from bridge.serving import serving

TOKEN, BOT = "pat_emulated", "7379462189365198898"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
TEXT = {"role": "user", "content": "hi", "content_type": "text"}
LINK = {"type": "image", "file_url": "http://127.0.0.1:1/a.png"}
WORDS = {"type": "text", "text": "what is this"}


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


def chat(**more):
    body = {"bot_id": BOT, "user_id": "u1", "stream": True, "additional_messages": [TEXT]}
    return {key: value for key, value in {**body, **more}.items() if value is not None}


def message(**more):
    return chat(additional_messages=[{**TEXT, **more}])


def objects(*parts, beside=()):
    content = {"role": "user", "content": json.dumps(parts), "content_type": "object_string"}
    return chat(additional_messages=[content, *beside])


PAIRS = {str(n): "v" for n in range(17)}
BODIES = [
    (4000, chat(bot_id=None)),
    (4000, chat(bot_id=int(BOT))),
    (4000, chat(user_id=None)),
    (4000, chat(user_id="")),
    (4000, chat(stream="true")),
    (4000, chat(additional_messages=TEXT)),
    (4000, chat(custom_variables={"a": 1})),
    (4000, chat(custom_variables={"a-b": "1"})),
    (4000, chat(extra_params={"city": "x"})),
    (4000, chat(parameters=[])),
    (4000, chat(shortcut_command={"parameters": {}})),
    (4000, chat(publish_status="draft")),
    (4000, chat(publish_status="unpublished_draft", bot_version="1")),
    (4000, chat(meta_data={"a": 1})),
    (4003, chat(meta_data=PAIRS)),
    (4003, chat(meta_data={"": "v"})),
    (4003, chat(meta_data={"k" * 65: "v"})),
    (4003, chat(meta_data={"k": "v" * 513})),
    (4003, message(meta_data=PAIRS)),
    (4004, chat(additional_messages=[TEXT] * 101)),
    (4005, message(role="system")),
    (4005, message(content="")),
    (4005, message(content_type="card")),
    (4005, message(type="function_call")),
    (4005, message(role="assistant", type="question")),
    (4000, message(content_type=None)),
    (4000, message(content=[WORDS])),
    (4006, chat(bot_id="helper")),
    (4200, chat(bot_id="7379462189365198899")),
    (4007, chat(stream=False, auto_save_history=False)),
    (4007, chat(stream=None, auto_save_history=False)),
    (4000, message(content_type="object_string", content="hi")),
    (4000, message(content_type="object_string", content="{}")),
    (4000, objects()),
    (4000, objects(WORDS)),
    (4000, objects(WORDS, WORDS, LINK)),
    (4000, objects({"type": "video", "file_url": "https://files.example/a"}, WORDS)),
    (4000, objects({"type": "image"}, WORDS)),
    (4000, objects({"type": "image", "file_url": "files.example/a.png"}, WORDS)),
    (4000, objects({"type": "image", "file_id": "123"}, WORDS)),
    (4000, objects(LINK)),
]


@pytest.mark.parametrize(("code", "body"), BODIES)
async def test_bodies(room, code, body):
    """A body that Coze does not take is refused with Coze's code, and no chat begins."""
    emulator, client = room

    response = await client.post("/v3/chat", json=body)

    told = response.json()
    assert (200, code) == (response.status_code, told["code"])
    assert response.headers["X-Tt-Logid"] == told["detail"]["logid"]
    assert {} == emulator.chats


TAKEN = [
    chat(additional_messages=[]),
    chat(additional_messages=[{**TEXT, "type": "answer", "role": "assistant"}, TEXT]),
    chat(meta_data={"k" * 64: "v" * 512}, parameters={"user": [{"id": 1}]}),
    chat(auto_save_history=False, additional_messages=[{**TEXT, "type": "tool_output"}, TEXT]),
    objects(LINK, WORDS),
    objects({**LINK, "file_id": None}, WORDS),
    objects(LINK, beside=[TEXT]),
]


@pytest.mark.parametrize("body", TAKEN)
async def test_good_bodies(room, body):
    """What Coze takes begins a chat."""
    emulator, client = room

    response = await client.post("/v3/chat", json=body)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert 1 == len(emulator.chats)


@pytest.mark.parametrize(
    ("code", "conversation"), [(4000, "abc"), (4000, str(2**63)), (4002, "7380000000000000000")]
)
async def test_conversation_ids(room, code, conversation):
    """A conversation is a number, and one of the account."""
    _, client = room

    response = await client.post("/v3/chat", params={"conversation_id": conversation}, json=chat())

    assert code == response.json()["code"]


async def test_forgotten_conversation(room):
    """A conversation that is gone is unknown, to chats and to everything else."""
    emulator, client = room
    name = (await client.post("/v1/conversation/create")).json()["data"]["id"]
    emulator.forget(name)
    query = {"conversation_id": name}

    answers = [
        await client.post("/v3/chat", params=query, json=chat()),
        await client.get("/v1/conversation/retrieve", params=query),
        await client.post(f"/v1/conversations/{name}/clear"),
        await client.post("/v1/conversation/message/list", params=query, json={}),
        await client.get("/v3/chat/retrieve", params={**query, "chat_id": "1"}),
    ]

    assert [4002] * 5 == [answer.json()["code"] for answer in answers]


CALLS = [
    (4000, "GET", "/v3/chat", None),
    (4000, "POST", "/v3/unknown", {}),
    (4000, "GET", "/v3/chat/retrieve", None),
    (4000, "POST", "/v3/chat/cancel", {}),
    (4002, "POST", "/v3/chat/cancel", {"conversation_id": "1", "chat_id": "1"}),
    (4003, "POST", "/v1/conversation/create", {"meta_data": PAIRS}),
    (4000, "POST", "/v1/conversation/create", {"name": "n" * 101}),
    (4004, "POST", "/v1/conversation/create", {"messages": [TEXT] * 17}),
    (5000, "POST", "/v1/conversation/create", {"bot_id": "1"}),
    (4000, "GET", "/v1/conversations", None),
    (4000, "GET", f"/v1/conversations?bot_id={BOT}&page_size=51", None),
    (4200, "GET", "/v1/bots/1", None),
    (4000, "GET", "/v1/bot/get_online_info", None),
    (4304, "GET", "/v1/files/retrieve?file_id=1", None),
]


@pytest.mark.parametrize(("code", "method", "path", "body"), CALLS)
async def test_calls(room, code, method, path, body):
    """Every other endpoint is as particular."""
    _, client = room

    response = await client.request(method, path, json=body)

    assert code == response.json()["code"]


async def test_body_is_json(room):
    """What is no JSON object, or does not say that it is JSON, is refused."""
    _, client = room
    whole = json.dumps(chat())

    bodies = [(whole, "text/plain"), (whole[:-1], "application/json"), ("[]", "application/json")]
    told = [
        (await client.post("/v3/chat", content=content, headers={"Content-Type": type_})).json()
        for content, type_ in bodies
    ]

    assert [4000] * 3 == [answer["code"] for answer in told]


@pytest.mark.parametrize("authorization", ["", "Bearer pat_wrong", TOKEN])
async def test_authorization(room, authorization):
    """Without the token, /v3/chat says 4101 with HTTP 200, and the gateway 700012006 with 401."""
    _, client = room
    client.headers["Authorization"] = authorization

    at_chat = await client.post("/v3/chat", json=chat())
    elsewhere = await client.get("/v1/users/me")

    assert (200, 4101) == (at_chat.status_code, at_chat.json()["code"])
    assert (401, 700012006) == (elsewhere.status_code, elsewhere.json()["code"])


async def test_unpublished_bot(room):
    """A bot that is not published to the API is 4015."""
    emulator, client = room
    emulator.publish(is_published=False)

    response = await client.post("/v3/chat", json=chat())

    assert 4015 == response.json()["code"]


async def test_occupied_in_stream(room):
    """A busy conversation is told as JSON, or as an event where that was asked for."""
    emulator, client = room
    emulator.play(Play(pace=10.0))
    begun = (await client.post("/v3/chat", json=chat(stream=False))).json()["data"]
    query = {"conversation_id": begun["conversation_id"]}

    as_json = await client.post("/v3/chat", params=query, json=chat())
    emulator.tell_occupied_in_stream()
    as_event = await client.post("/v3/chat", params=query, json=chat())

    assert 4016 == as_json.json()["code"]
    assert as_event.text.startswith('event:error\ndata:{"code":4016,')


async def test_bot_of_any_name():
    """The account's own bot is found by whatever id it was given, masked ones too."""
    emulator = CozeEmulator(TOKEN, "734829333445931****")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with emulator.open() as url, httpx.AsyncClient(trust_env=False) as client:
        body = chat(bot_id="734829333445931****", stream=False)
        answer = await client.post(f"{url}/v3/chat", headers=headers, json=body)

    assert 0 == answer.json()["code"]


async def test_picture_of_the_example(room):
    """The documentation's picture is understood without being fetched."""
    _, client = room
    url = (
        "https://lf-bot-studio-plugin-resource.coze.cn/obj/bot-studio-platform-plugin-tos"
        "/artist/image/4ca71a5f55d54efc95ed9c06e019ff4b.png"
    )
    answer = await client.post("/v3/chat", json=objects({"type": "image", "file_url": url}, WORDS))

    assert "conversation.chat.completed" in answer.text


async def test_poll_limit():
    """A chat is retrieved as often as the SDKs do it, no oftener; by GET or, as they do, POST."""
    clock = HandClock()
    async with opened(clock=clock) as (emulator, client):
        await client.post("/v3/chat", json=chat())
        (one,) = emulator.chats.values()
        query = {"conversation_id": one.conversation_id, "chat_id": one.id}

        first = await client.get("/v3/chat/retrieve", params=query)
        clock.time += 0.05
        early = await client.get("/v3/chat/retrieve", params=query)
        clock.time += 0.05
        later = await client.post("/v3/chat/retrieve", params=query)

    assert [0, 4009, 0] == [answer.json()["code"] for answer in (first, early, later)]
    assert "completed" == later.json()["data"]["status"]


UPLOADS = [
    (4000, {}),
    (4000, {"other": ("a.png", PNG)}),
    (4300, {"file": ("a.png", b"")}),
    (4303, {"file": ("a.txt", b"hello")}),
    (4303, {"file": ("a", b"hello")}),
    (4301, [("file", ("a.png", PNG)), ("file", ("b.png", PNG))]),
    (0, {"file": ("图 片.png", b"\r\n--" + PNG + b"\r\n")}),
]


@pytest.mark.parametrize(("code", "files"), UPLOADS)
async def test_uploads(room, code, files):
    """An upload is one file of a supported type, kept to the last byte."""
    emulator, client = room

    response = await client.post("/v1/files/upload", files=files)

    kept = [(upload.name, upload.content) for upload in emulator.uploads]
    assert code == response.json()["code"]
    assert ([] if code else [files["file"]]) == kept


FILES = [
    ("image", "/ok.png", "completed"),
    ("image", "/bare", "completed"),
    ("image", "/moved.png", "completed"),
    ("image", "/page.png", "failed"),
    ("image", "/ok.jpg", "failed"),
    ("image", "/gone.png", "failed"),
    ("image", "/circle.png", "failed"),
    ("file", "/page.pdf", "completed"),
    ("file", "/page.png", "failed"),
]


@pytest.mark.parametrize(("kind", "path", "status"), FILES)
async def test_linked_files(room, kind, path, status):
    """A linked file is fetched first, and the chat fails where it is not what it claims."""
    emulator, client = room
    async with serving(host(), "127.0.0.1:0") as url:
        body = objects({"type": kind, "file_url": url + path}, WORDS)
        stream = (await client.post("/v3/chat", json=body)).text

    (one,) = emulator.chats.values()
    code = 0 if status == "completed" else 4000
    assert (status, code) == (one.status, one.code)
    assert f"event:conversation.chat.{status}\n" in stream


async def test_downloads(room):
    """What was fetched is kept, with the URL it was asked for by."""
    emulator, client = room
    async with serving(host(), "127.0.0.1:0") as url:
        body = objects({"type": "image", "file_url": f"{url}/ok.png"}, WORDS)
        await client.post("/v3/chat", json=body)

    (download,) = emulator.downloads
    assert (f"{url}/ok.png", PNG, "image/png") == (
        download.url,
        download.content,
        download.media_type,
    )


async def test_contradicting_upload(room):
    """An uploaded image whose name lies about its type fails the chat."""
    emulator, client = room
    uploaded = await client.post("/v1/files/upload", files={"file": ("a.jpg", PNG)})
    part = {"type": "image", "file_id": uploaded.json()["data"]["id"]}

    await client.post("/v3/chat", json=objects(part, WORDS))

    (one,) = emulator.chats.values()
    assert ("failed", 4000) == (one.status, one.code)


async def test_requests_are_kept(room):
    """Each request is kept with its query, headers, JSON and bytes, and wakes who waits for it."""
    emulator, client = room
    changed = asyncio.create_task(emulator.changed())

    await client.post("/v3/chat", params={"conversation_id": ""}, json=chat())
    await changed

    (request,) = emulator.requests
    assert ("POST", "/v3/chat", {"conversation_id": ""}) == (
        request.method,
        request.path,
        request.query,
    )
    assert (chat(), f"Bearer {TOKEN}") == (request.body, request.headers["Authorization"])
    assert chat() == json.loads(request.raw)


async def test_failing_endpoint(room):
    """Any endpoint can be told to fail for a while."""
    emulator, client = room
    emulator.fail("/v1/users/me", Reply(502, "text/html", "<html>"), times=2)
    emulator.fail("/v1/users/me", faults.refusal(4009, "slow down"))

    told = [await client.get("/v1/users/me") for _ in range(4)]

    assert [502, 502, 200, 200] == [answer.status_code for answer in told]
    assert [4009, 0] == [answer.json()["code"] for answer in told[2:]]
    assert told[2].headers["X-Tt-Logid"] == told[2].json()["detail"]["logid"]


async def test_ids(room):
    """Ids are numbers of 19 digits, and not in the order of time."""
    _, client = room

    ids = [(await client.post("/v1/conversation/create")).json()["data"]["id"] for _ in range(20)]

    assert {19} == {len(id_) for id_ in ids if id_.isdecimal()}
    assert sorted(ids) != ids


async def show(request):
    pages = {"page.png": b"<html>", "page.pdf": b"%PDF-1.7"}
    return web.Response(body=pages.get(request.match_info["name"], PNG), content_type="image/png")


async def move(request):
    raise web.HTTPFound("/circle.png" if "circle" in request.path else "/ok.png")


async def refuse(_request):
    raise web.HTTPGone


def host():
    """Somebody's files: good ones, moved ones, lying ones."""
    files = web.Application()
    files.router.add_get("/moved.png", move)
    files.router.add_get("/circle.png", move)
    files.router.add_get("/gone.png", refuse)
    files.router.add_get("/{name}", show)
    return files


class HandClock:
    """A clock moved by hand."""

    def __init__(self):
        self.time = 1_700_000_000.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.time
