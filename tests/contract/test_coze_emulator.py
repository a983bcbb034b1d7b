"""The emulated Coze, driven by Coze's own SDK."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from cozepy import (
    AsyncCoze,
    AsyncHTTPClient,
    AsyncTokenAuth,
    ChatEventType,
    ChatStatus,
    Coze,
    CozeAPIError,
    JWTOAuthApp,
    Message,
    MessageContentType,
    MessageObjectString,
    MessageRole,
    MessageType,
    SyncHTTPClient,
    TokenAuth,
    ToolOutput,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.clock import SystemClock
from bridge.coze.emulator import Answer, CozeEmulator, OAuthApp, Play, faults
from bridge.serving import serving

TOKEN, BOT = "pat_emulated", "7379462189365198898"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
RECORDINGS = Path(__file__).parent.parent / "recordings"


@pytest.fixture
async def emulator():
    return CozeEmulator(TOKEN, BOT)


@pytest.fixture
async def url(emulator):
    async with emulator.open() as base:
        yield base


@pytest.fixture
async def coze(url):
    async with calling(url) as client:
        yield client


@asynccontextmanager
async def calling(url, token=TOKEN):
    async with AsyncHTTPClient(trust_env=False) as http:
        yield AsyncCoze(AsyncTokenAuth(token), base_url=url, http_client=http)


async def events_of(coze, **more):
    question = Message.build_user_question_text("2024年10月1日是星期几", {"turn": "t1"})
    more = {"additional_messages": [question], **more}
    return [event async for event in coze.chat.stream(bot_id=BOT, user_id="u1", **more)]


def answer_in(events):
    deltas = (e for e in events if e.event == ChatEventType.CONVERSATION_MESSAGE_DELTA)
    return "".join(event.message.content for event in deltas)


async def test_streamed_chat(coze):
    """An untold agent streams the documentation's answer in a dozen deltas or more."""
    events = await events_of(coze)

    kinds = [event.event for event in events]
    completed = [e.message for e in events if e.event.value.endswith("message.completed")]
    assert answer_in(events) == "2024 年 10 月 1 日是星期三。"
    assert kinds.count(ChatEventType.CONVERSATION_MESSAGE_DELTA) >= 12
    assert ["answer", "verbose"] == [message.type.value for message in completed]
    assert ChatEventType.CONVERSATION_CHAT_CREATED == kinds[0]
    assert ChatEventType.CONVERSATION_CHAT_COMPLETED == kinds[-1]
    assert 633 == events[-1].chat.usage.token_count


async def test_image_chat(coze, emulator):
    """A question with an uploaded image gets the documentation's second answer."""
    file = await coze.files.upload(file=("forest.png", PNG))
    look = [MessageObjectString.build_image(file_id=file.id), MessageObjectString.build_text("?")]
    question = Message.build_user_question_objects(look)

    events = await events_of(coze, additional_messages=[question])

    types = [e.message.type.value for e in events if e.event.value.endswith("message.completed")]
    assert answer_in(events) == "这是一幅非常漂亮的森林图片,里面有小溪、石头和青苔覆盖的树木。"
    assert ["function_call", "tool_response", "answer", "verbose"] == types
    assert [("forest.png", PNG)] == [(u.name, u.content) for u in emulator.uploads]


async def test_polled_chat(url):
    """The SDK's create_and_poll reads an answer back."""
    question = Message.build_user_question_text("hi")

    with SyncHTTPClient(trust_env=False) as http:
        coze = Coze(TokenAuth(TOKEN), base_url=url, http_client=http)
        poll = await asyncio.to_thread(
            coze.chat.create_and_poll, bot_id=BOT, user_id="u1", additional_messages=[question]
        )

    answers = [m.content for m in poll.messages if m.type == MessageType.ANSWER]
    assert ChatStatus.COMPLETED == poll.chat.status
    assert ["2024 年 10 月 1 日是星期三。"] == answers


async def test_history(coze):
    """A conversation lists its questions, with their meta_data, and its answers."""
    conversation = await coze.conversations.create(bot_id=BOT, meta_data={"a": "b"})
    events = await events_of(coze, conversation_id=conversation.id)

    listed = await coze.conversations.messages.list(conversation_id=conversation.id)
    newest, oldest = listed.items
    chat = events[0].chat
    assert conversation.id == chat.conversation_id
    assert (MessageType.ANSWER, chat.id) == (newest.type, newest.chat_id)
    assert (MessageType.QUESTION, chat.id, {"turn": "t1"}) == (
        oldest.type,
        oldest.chat_id,
        oldest.meta_data,
    )


async def test_pages_of_history(coze):
    """A long history is read page by page, without a gap or a repetition."""
    conversation = await coze.conversations.create(
        messages=[
            Message(role=MessageRole.USER, content=str(n), content_type=MessageContentType.TEXT)
            for n in range(7)
        ]
    )

    pages = await coze.conversations.messages.list(
        conversation_id=conversation.id, order="asc", limit=3
    )

    assert list("0123456") == [message.content async for message in pages]


async def test_conversations(coze):
    """Conversations are listed, retrieved and cleared; clearing begins a section."""
    first = await coze.conversations.create(bot_id=BOT)
    second = await coze.conversations.create(bot_id=BOT)

    section = await coze.conversations.clear(conversation_id=first.id)

    listed = await coze.conversations.list(bot_id=BOT)
    again = await coze.conversations.retrieve(conversation_id=first.id)
    assert [second.id, first.id] == [one.id for one in listed.items]
    assert section.id == again.last_section_id != first.last_section_id


async def test_unsaved_chat(coze):
    """A chat without history is answered, and cannot be read back."""
    events = await events_of(coze, auto_save_history=False)
    name = {"conversation_id": events[0].chat.conversation_id, "chat_id": events[0].chat.id}

    with pytest.raises(CozeAPIError) as refused:
        await coze.chat.retrieve(**name)

    listed = await coze.conversations.messages.list(conversation_id=name["conversation_id"])
    assert 4001 == refused.value.code
    assert [] == listed.items


async def test_cancel(coze, emulator):
    """A cancel flips the state and frees the conversation; the run goes on to its end."""
    emulator.play(Play(pace=0.02))
    stream = coze.chat.stream(
        bot_id=BOT,
        user_id="u1",
        additional_messages=[Message.build_user_question_text("hi")],
    )
    events = [await anext(stream) for _ in range(3)]
    chat = events[0].chat
    name = {"conversation_id": chat.conversation_id, "chat_id": chat.id}

    cancelled = await coze.chat.cancel(**name)
    next_ = await events_of(coze, conversation_id=chat.conversation_id)
    events += [event async for event in stream]

    assert ChatStatus.CANCELED == cancelled.status
    assert ChatEventType.CONVERSATION_CHAT_COMPLETED == next_[-1].event
    assert answer_in(events) == "2024 年 10 月 1 日是星期三。"
    assert "canceled" == emulator.chats[chat.id].status


async def test_cancel_of_an_ended_chat(coze):
    """A chat that has ended cannot be cancelled: 4104."""
    chat = (await events_of(coze))[0].chat

    with pytest.raises(CozeAPIError) as refused:
        await coze.chat.cancel(conversation_id=chat.conversation_id, chat_id=chat.id)

    assert 4104 == refused.value.code


async def test_occupied(coze, emulator):
    """A second chat in a conversation that is busy is refused: 4016."""
    emulator.play(Play(pace=10.0))
    conversation = await coze.conversations.create()
    await coze.chat.create(bot_id=BOT, user_id="u1", conversation_id=conversation.id)

    with pytest.raises(CozeAPIError) as refused:
        await events_of(coze, conversation_id=conversation.id)

    assert 4016 == refused.value.code


async def test_run_outlives_its_listener(coze, emulator):
    """Whoever leaves the stream finds the whole answer later."""
    emulator.play(Play(pace=0.01))
    stream = coze.chat.stream(bot_id=BOT, user_id="u1")
    chat = (await anext(stream)).chat
    await stream.aclose()
    await emulator.idle()

    listed = await coze.chat.messages.list(conversation_id=chat.conversation_id, chat_id=chat.id)

    answers = [message.content for message in listed if message.type == MessageType.ANSWER]
    assert ["2024 年 10 月 1 日是星期三。"] == answers


async def test_tools_of_the_caller(coze, emulator):
    """A chat that waits for a local plugin answers once its output is submitted."""
    emulator.play(Play(answers=("It rains.",), fault=faults.tools_required()))
    events = await events_of(coze)
    chat = events[-1].chat
    name = {"conversation_id": chat.conversation_id, "chat_id": chat.id}
    (call,) = chat.required_action.submit_tool_outputs.tool_calls

    output = ToolOutput(tool_call_id=call.id, output="{}")
    rest = [e async for e in coze.chat.submit_tool_outputs_stream(**name, tool_outputs=[output])]

    assert ChatStatus.REQUIRES_ACTION == chat.status
    assert ChatEventType.CONVERSATION_CHAT_IN_PROGRESS == rest[0].event
    assert "It rains." == answer_in(rest)


async def test_what_an_agent_can_say(coze, emulator):
    """Reasoning, several answers, corrections and suggestions come as they were played."""
    corrected = Answer("50$\\%$", completed="50%")
    emulator.play(
        Play(answers=(corrected, "two"), reasoning=("hm", "…"), follow_ups=("why?",), cut=2)
    )

    events = await events_of(coze)

    messages = [e.message for e in events if e.event.value.endswith("message.completed")]
    thoughts = [e.message.reasoning_content for e in events if e.message]
    assert ["50%", "two"] == [m.content for m in messages if m.type == MessageType.ANSWER]
    assert ["why?"] == [m.content for m in messages if m.type == MessageType.FOLLOW_UP]
    assert ["hm", "…", "hm…"] == [thought for thought in thoughts if thought]
    assert "50$\\%$two" == answer_in(events)


async def test_echo(coze, emulator):
    """What is said with nothing queued can depend on what was asked."""
    emulator.otherwise(lambda asked: Play(answers=(f"You said {asked.text}",)))

    assert "You said 2024年10月1日是星期几" == answer_in(await events_of(coze))


async def test_open_streams_at_the_end(emulator):
    """The emulator closes at once, whoever still listens."""
    emulator.play(Play(pace=3600.0), Play(fault=faults.hangs(3600.0)))
    async with emulator.open() as url, calling(url) as coze:
        streams = [coze.chat.stream(bot_id=BOT, user_id="u1") for _ in range(2)]
        for stream in streams:
            await anext(stream)

    assert 2 == len(emulator.chats)


async def test_wrong_token(url):
    """A wrong token is 4101 for a chat and 700012006 anywhere else."""
    async with calling(url, "pat_wrong") as coze:
        with pytest.raises(CozeAPIError) as chat:
            await events_of(coze)
        with pytest.raises(CozeAPIError) as other:
            await coze.conversations.create()

    assert (4101, 700012006) == (chat.value.code, other.value.code)


async def test_account(coze):
    """The account tells who it is and describes its bots."""
    user = await coze.users.me()
    bot = await coze.bots.retrieve(bot_id=BOT)
    draft = await coze.bots.retrieve(bot_id=BOT, use_api_version=2)

    assert "emulated" == user.user_name
    assert [BOT, BOT] == [bot.bot_id, draft.bot_id]


async def test_exchanged_token():
    """A token given for a signed JWT opens the account until the absolute time it tells."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM
    public = key.public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    clock = HandClock()
    emulator = CozeEmulator(
        TOKEN, BOT, clock=clock, oauth=OAuthApp("1184", "finger", public.decode())
    )
    async with emulator.open() as url:
        app = JWTOAuthApp("1184", private.decode(), "finger", base_url=url)
        stranger = JWTOAuthApp("1184", private.decode(), "other", base_url=url)
        token = await asyncio.to_thread(app.get_access_token, 3600)
        async with calling(url, token.access_token) as coze:
            first = answer_in(await events_of(coze))
            clock.time = token.expires_in
            with pytest.raises(CozeAPIError) as expired:
                await events_of(coze)
        with pytest.raises(CozeAPIError):
            await asyncio.to_thread(stranger.get_access_token, 3600)

    assert "2024 年 10 月 1 日是星期三。" == first
    assert 4101 == expired.value.code


@pytest.mark.parametrize("name", ["coze-text", "coze-image"])
async def test_recordings(url, name):
    """What an untold agent streams is the documentation's recording, but for ids and times."""
    content, content_type = "hi", "text"
    image = web.Application()
    image.router.add_get("/4ca7.png", show)
    recorded = (RECORDINGS / f"{name}.sse").read_text(encoding="utf-8")
    async with serving(image, "127.0.0.1:0") as host:
        if name == "coze-image":
            parts = [{"type": "image", "file_url": f"{host}/4ca7.png"}]
            parts.append({"type": "text", "text": "帮我看看这张图片里都有什么"})
            content, content_type = json.dumps(parts), "object_string"
        question = {"role": "user", "content": content, "content_type": content_type}
        body = {"bot_id": BOT, "user_id": "u1", "stream": True, "additional_messages": [question]}
        authorization = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=url, headers=authorization) as client:
            streamed = (await client.post("/v3/chat", json=body)).text

    assert anonymous(recorded) == anonymous(streamed)


async def show(_request):
    return web.Response(body=PNG, content_type="image/png")


def anonymous(stream):
    """A stream without what differs from run to run."""
    stream = re.sub(r'_at":\d+', '_at":0', re.sub(r"https?://[^\"\\)]*", "url", stream))
    seen = {}
    return re.sub(r'"7\d{18}"', lambda id_: seen.setdefault(id_[0], f"<{len(seen)}>"), stream)


class HandClock:
    """A clock that starts now and is moved by hand."""

    def __init__(self):
        self.time = SystemClock().now()

    def now(self):
        return self.time

    def monotonic(self):
        return self.time
