"""The Coze client against the emulated Coze: every way a chat can go, and go wrong."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import web

from bridge.clock import SystemClock
from bridge.coze.client import CozeClient
from bridge.coze.emulator import Answer, CozeEmulator, End, Fault, Play, Reply, Tool, faults
from bridge.coze.request import DEFAULT_PROMPT, TURN, ShortcutCommand
from bridge.coze.settings import CozeSettings, Patience, request_for
from bridge.errors import BackendRejected, BackendUnavailable, ConfigError, StreamInterrupted
from bridge.model import (
    ActionRequired,
    AnswerCompleted,
    AnswersFinished,
    BotName,
    ChatCancelled,
    ChatCompleted,
    ChatFailed,
    ChatRef,
    ChatStarted,
    ConversationId,
    CozeChatId,
    CozeUserId,
    Delta,
    FollowUp,
    Linked,
    MediaRef,
    Platform,
    Question,
    Reasoning,
    Session,
    Text,
    ToolCalled,
    TurnId,
    Uploaded,
)
from bridge.serving import serving

TOKEN, BOT = "pat_emulated", "7379462189365198898"
WEDNESDAY = "2024 年 10 月 1 日是星期三。"
QUICK = Patience(backoff=0.01, settle=0.01, busy=2.0, poll=0.05, silence=0.2, linger=0.2)


class HastyClock:
    """A clock on which Coze's second between two looks at a chat is soon over."""

    def now(self):
        return SystemClock().now()

    def monotonic(self):
        return 100 * SystemClock().monotonic()


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture(params=["hosted", "studio"])
async def either(request):
    """A hosted Coze, and a self-hosted one."""
    return CozeEmulator(TOKEN, BOT, flavour=request.param, clock=HastyClock())


@pytest.fixture
async def coze():
    return CozeEmulator(TOKEN, BOT, clock=HastyClock())


@asynccontextmanager
async def client_of(emulator, **more):
    async with emulator.open() as url, client_at(url, **more) as client:
        yield client


@asynccontextmanager
async def client_at(url, **more):
    settings = {"bot_id": BOT, "credentials": TOKEN, "base_url": url, "patience": QUICK, **more}
    async with CozeClient(CozeSettings(**settings), SystemClock()) as client:
        yield client


async def question(client, *contents, turn="t1"):
    conversation = await client.create_conversation()
    return Question(TurnId(turn), Session(CozeUserId("u"), conversation), contents or (Text("hi"),))


async def happened(stream, into=None):
    events = [] if into is None else into
    async with stream as incoming:
        async for event in incoming:
            events.append(event)
    return events


async def asked(client, *contents, into=None):
    return await happened(client.ask(await question(client, *contents)), into)


def without_ids(events):
    return [
        replace(event, message="") if hasattr(event, "message") else event
        for event in events
        if not isinstance(event, (ChatStarted, Delta))
    ]


def posts(emulator, path="/v3/chat"):
    return [request for request in emulator.requests if request.path == path]


# --- well ------------------------------------------------------------------------------------


async def test_everything(either):
    """A rich answer is told in order, its start first and its end last."""
    either.play(
        Play(
            answers=(Answer("one", ("o", "n", "e")), Answer("two")),
            reasoning=("hm",),
            tools=(Tool("rain", response="secret"),),
            follow_ups=("And?",),
        )
    )
    async with client_of(either) as client:
        events = await asked(client)

    assert isinstance(events[0], ChatStarted)
    assert "onetwo" == "".join(event.text for event in events if isinstance(event, Delta))
    assert [
        ToolCalled("rain"),
        Reasoning("", "hm"),
        AnswerCompleted("", "one"),
        AnswerCompleted("", "two"),
        AnswersFinished(),
        FollowUp("And?"),
    ] == without_ids(events)[:-1]
    assert isinstance(events[-1], ChatCompleted)


async def test_what_is_sent(coze):
    """All that is configured goes along, and the turn's id twice."""
    more = {
        "custom_variables": {"bot_name": "x"},
        "parameters": {"user": [{"user_id": "1"}]},
        "extra_params": {"latitude": "1"},
        "meta_data": {"tier": "gold"},
        "shortcut_command": ShortcutCommand("745", {"q": "[]"}),
    }
    async with client_of(coze, **more) as client:
        asking = await question(client)
        await happened(client.ask(asking))
    (sent,) = posts(coze)

    assert {"conversation_id": asking.session.conversation_id} == dict(sent.query)
    assert {"tier": "gold", TURN: "t1"} == sent.body["meta_data"]
    assert {TURN: "t1"} == sent.body["additional_messages"][-1]["meta_data"]
    assert {"user": [{"user_id": "1"}]} == sent.body["parameters"]
    assert (True, True) == (sent.body["stream"], sent.body["auto_save_history"])
    assert not [value for value in sent.body.values() if value in (None, "", [], {})]


async def test_files(coze):
    """Uploaded files reach the agent, with and without words of the person."""
    image = MediaRef(Platform("x"), BotName("b"), "h", "image/png", "photo.png")
    async with client_of(coze) as client:
        uploaded = await client.upload(image, PNG)
        await asked(client, uploaded, Text("what is this"))
        await asked(client, uploaded)

    assert Uploaded("image", coze.uploads[0].id) == uploaded
    assert ("photo.png", PNG) == (coze.uploads[0].name, coze.uploads[0].content)
    assert [1, 2] == [len(sent.body["additional_messages"]) for sent in posts(coze)]
    assert DEFAULT_PROMPT == posts(coze)[1].body["additional_messages"][-1]["content"]


async def test_linked_files(coze):
    """A file that Coze cannot fetch ends the chat with Coze's reason."""
    async with client_of(coze) as client:
        events = await asked(client, Linked("image", "http://127.0.0.1:9/a.png"), Text("hi"))

    assert 4000 == events[-1].code


async def test_without_a_stream(either):
    """A chat can be begun without a stream, and its answer waited for."""
    either.play(Play(follow_ups=("And?",), pace=0.02))
    async with client_of(either) as client:
        ref = await client.start(await question(client))
        events = await happened(client.recover(ref))

    assert [
        AnswerCompleted("", WEDNESDAY),
        FollowUp("And?"),
        ChatCompleted(614, 19),
    ] == without_ids(events)
    assert False is posts(either)[0].body["stream"]


async def test_new_conversation(coze):
    """Without a known conversation Coze opens one and tells which."""
    async with client_of(coze) as client:
        asking = Question(TurnId("t"), Session(CozeUserId("u")), (Text("hi"),))
        events = await happened(client.ask(asking))

    assert events[0].ref.conversation in coze.conversations
    assert {} == dict(posts(coze)[0].query)


async def test_connection_is_used_again(coze):
    """A stream that was read to its end leaves its connection for the next question."""
    async with client_of(coze) as client:
        asking = await question(client)
        for _ in range(3):
            await happened(client.ask(asking))
        pool = client._http._transport._pool

        assert 1 == len(pool.connections)


async def test_leaving_early(coze):
    """Who stops listening hangs up at once."""
    coze.play(Play(pace=0.03))
    async with client_of(coze) as client:
        async with client.ask(await question(client)) as events:
            started = await anext(events)
        assert not client._http._transport._pool.connections
        await client.cancel(started.ref)

        assert "canceled" == coze.chats[started.ref.chat].status


async def test_through_a_proxy(coze):
    """All requests go through the configured proxy."""
    async with (
        coze.open() as url,
        client_at("http://coze.invalid", proxy=url) as client,
    ):
        assert "Emulated" == await client.check()


@pytest.mark.parametrize("fault", [faults.unanswered(9.0, is_started=True), faults.hangs(9.0)])
async def test_cancelled_by_us(coze, fault):
    """Who is cancelled while asking or listening hangs up, and asks nothing more."""
    coze.play(Play(fault=fault))
    async with client_of(coze, patience=Patience()) as client:
        asking = asyncio.create_task(asked(client))
        while not posts(coze):
            await coze.changed()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

        assert not [c for c in client._http._transport._pool.connections if not c.is_idle()]
    assert 1 == len(posts(coze))


@asynccontextmanager
async def socks_proxy():
    """A SOCKS5 proxy that asks nobody who they are."""

    async def pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader, writer):
        version, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(bytes([version, 0]))
        _, _, _, kind = await reader.readexactly(4)
        size = (await reader.readexactly(1))[0] if kind == 3 else 4
        name = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2))
        host = name.decode() if kind == 3 else ".".join(map(str, name))
        there, here = await asyncio.open_connection(host, port)
        writer.write(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        await asyncio.gather(pump(reader, here), pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_through_socks(coze):
    """A SOCKS5 proxy serves as well."""
    async with (
        socks_proxy() as proxy,
        coze.open() as url,
        client_at(url.replace("127.0.0.1", "localhost"), proxy=proxy) as client,
    ):
        assert ChatCompleted(614, 19) == (await asked(client))[-1]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_broken_proxy(scheme):
    """A proxy that is none means that Coze cannot be reached."""

    async def serve(reader, writer):
        await reader.read(10)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        proxy = f"{scheme}://127.0.0.1:{port}"
        async with client_at("http://coze.invalid", proxy=proxy) as client:
            with pytest.raises(BackendUnavailable):
                await client.create_conversation()


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("coze.proxy", {"proxy": "gopher://x"}),
        ("coze.base_url", {"base_url": "https://[::1"}),
    ],
)
async def test_no_url(key, more):
    """An address that is none is an error of the configuration."""
    with pytest.raises(ConfigError) as caught:
        async with client_at("http://coze.invalid", **more):
            pass

    assert key == caught.value.key


# --- strange but well ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        faults.rewritten(b"\n", b"\r\n"),
        faults.rewritten(b":{", b": {"),
        faults.interspersed(b": ping\n\nid:0\nretry:3000\n"),
        faults.interspersed(b'event: PING\ndata: {"content":"{}"}\n\n'),
        faults.dribbled(3),
        faults.answers_completed_twice(),
        faults.noticed("conversation.audio.delta", '{"content_type":"audio","type":"answer"}'),
        faults.done_as(data='{"debug_url":"https://e.com"}'),
        faults.done_as(data=""),
        faults.done_as(data="{}"),
        faults.done_as("conversation.stream.done", ""),
        faults.done_as(data=None),
        faults.rewritten("星".encode(), "星\u2028\u0085".encode()),
    ],
)
async def test_strange_streams(coze, fault):
    """However a stream is written, the answer is the same, told once."""
    coze.play(Play(fault=fault))
    async with client_of(coze) as client:
        events = without_ids(await asked(client))

    assert WEDNESDAY == events[0].text.replace("\u2028\u0085", "")
    assert [AnswersFinished(), ChatCompleted(614, 19)] == events[1:]


async def test_completed_overrules():
    """The completed text is told as it is, though it differs from its pieces."""
    coze = CozeEmulator(TOKEN, BOT, clock=HastyClock())
    coze.play(Play(answers=(Answer("x", ("50$\\%$",), "50%"), Answer('{"a":1}', (), None, "card"))))
    async with client_of(coze) as client:
        events = await asked(client)

    assert ["50%", "[card]"] == [e.text for e in events if isinstance(e, AnswerCompleted)]


# --- Coze says no ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        faults.json_error(4028),
        faults.json_error(4028, status=400),
        faults.mislabelled_json(4028),
        faults.error_event(4028),
        Fault(instead=Reply(200, "text/event-stream", 'data:{"code":"4028","msg":"refused"}\n\n')),
        Fault(
            instead=Reply(
                200,
                "text/event-stream",
                'event:conversation.chat.failed\ndata:{"code":4028,"msg":"refused"}\n\n',
            )
        ),
    ],
)
async def test_refusals(coze, fault):
    """A refusal is told with its code and sentence, in whatever shape, and not repeated."""
    coze.play(Play(fault=fault))
    async with client_of(coze) as client:
        with pytest.raises(BackendRejected) as caught:
            await asked(client)

    assert (4028, "refused") == (caught.value.code, caught.value.reason)
    assert caught.value.log_id
    assert 1 == len(posts(coze))


@pytest.mark.parametrize(("status", "code"), [(404, 404), (403, 403), (302, 302), (413, 413)])
async def test_refusals_without_code(coze, status, code):
    """A gateway's page that says no is a refusal with the HTTP status for a code."""
    coze.play(Play(fault=faults.http_error(status)))
    async with client_of(coze) as client:
        with pytest.raises(BackendRejected) as caught:
            await asked(client)

    assert code == caught.value.code
    assert 1 == len(posts(coze))


@pytest.mark.parametrize("code", [5000, 4009, 4013, 4020])
async def test_passing_trouble(coze, code):
    """Trouble that passes is waited out, three times at most."""
    coze.play(*[Play(fault=faults.json_error(code))] * 2)
    async with client_of(coze) as client:
        events = await asked(client)
        assert ChatCompleted(614, 19) == events[-1]

        coze.play(*[Play(fault=faults.json_error(code))] * 3)
        with pytest.raises(BackendRejected):
            await asked(client)

    assert 6 == len(posts(coze))


async def test_unreachable():
    """Where nobody listens, nothing has happened."""
    async with client_at("http://127.0.0.1:9") as client:
        with pytest.raises(BackendUnavailable):
            await client.create_conversation()
        with pytest.raises(BackendUnavailable):
            await happened(
                client.ask(
                    Question(
                        TurnId("t"), Session(CozeUserId("u"), ConversationId("1")), (Text("hi"),)
                    )
                )
            )


async def test_service_unavailable(coze):
    """HTTP 503 began nothing: the question is asked again without looking."""
    coze.play(Play(fault=faults.http_error(503)))
    async with client_of(coze) as client:
        events = await asked(client)

    assert ChatCompleted(614, 19) == events[-1]
    assert not posts(coze, "/v1/conversation/message/list")


async def test_occupied(coze):
    """While another chat runs in the conversation, the question waits for its end."""
    coze.play(Play(pace=0.02))
    async with client_of(coze) as client:
        asking = await question(client)
        await client.start(asking)
        events = await happened(client.ask(replace(asking, turn=TurnId("t2"))))

    assert ChatCompleted(614, 19) == events[-1]
    assert 2 == len(coze.chats)
    assert 2 < len(posts(coze))


@pytest.mark.parametrize("fault", [faults.error_event(4016), faults.json_error(4016)])
async def test_occupied_too_long(coze, fault):
    """Out of patience, that the conversation is occupied is told."""
    coze.otherwise(lambda _asked: Play(fault=fault))
    async with client_of(coze, patience=replace(QUICK, busy=0.1)) as client:
        with pytest.raises(BackendRejected) as caught:
            await asked(client)

    assert 4016 == caught.value.code


async def test_occupied_by_itself(coze):
    """When the chat that occupies the conversation is the turn's own, it is taken up."""
    coze.play(Play(pace=0.03))
    async with client_of(coze) as client:
        asking = await question(client)
        ref = await client.start(asking)
        events = []
        with pytest.raises(StreamInterrupted):
            await happened(client.ask(asking), events)

    assert [ChatStarted(ref)] == events
    assert 1 == len(coze.chats)


# --- nobody knows whether it began ------------------------------------------------------------

LOST = [
    *(faults.reset, faults.empty_stream),
    lambda is_started: faults.http_error(504, is_started=is_started),
    lambda is_started: faults.http_error(502, "{}", "application/json", is_started=is_started),
    lambda is_started: faults.http_error(500, "oops", "text/plain", is_started=is_started),
    lambda is_started: faults.http_error(200, is_started=is_started),
    lambda is_started: faults.http_error(200, "", is_started=is_started),
    lambda is_started: faults.unanswered(5.0, is_started=is_started),
    lambda is_started: replace(faults.error_event(None), is_started=is_started),
    lambda is_started: Fault(instead=End("cut"), is_started=is_started),
    lambda is_started: Fault(
        instead=Reply(200, "text/event-stream", "event:conversation.chat.cre"),
        is_started=is_started,
    ),
]


@pytest.mark.parametrize("lost", LOST)
async def test_lost_and_begun(coze, lost):
    """A question that Coze has, though it never said so, is found and never asked again."""
    coze.play(Play(fault=lost(is_started=True)))
    async with client_of(coze) as client:
        events = []
        with pytest.raises(StreamInterrupted):
            await asked(client, into=events)
        recovered = await happened(client.recover(events[0].ref))

    assert [ChatStarted(events[0].ref)] == events
    assert [AnswerCompleted("", WEDNESDAY), ChatCompleted(614, 19)] == without_ids(recovered)
    assert (1, 1) == (len(posts(coze)), len(coze.chats))


@pytest.mark.parametrize("lost", LOST)
async def test_lost_and_not_begun(coze, lost):
    """A question that Coze does not have is asked again."""
    coze.play(Play(fault=lost(is_started=False)))
    async with client_of(coze) as client:
        events = await asked(client)

    assert ChatCompleted(614, 19) == events[-1]
    assert (2, 1) == (len(posts(coze)), len(coze.chats))


async def test_lost_again_and_again(coze):
    """After three attempts that were looked up and not found, there is no chat."""
    coze.otherwise(lambda _asked: Play(fault=faults.http_error(504)))
    async with client_of(coze) as client:
        with pytest.raises(BackendUnavailable):
            await asked(client)

    assert 3 == len(posts(coze))


@pytest.mark.parametrize("is_started", [False, True])
async def test_lost_where_nothing_tells(is_started):
    """coze-studio does not keep the turn's id: a lost question is never asked twice there."""
    studio = CozeEmulator(TOKEN, BOT, flavour="studio")
    async with client_of(studio) as client:
        asking = await question(client)
        await happened(client.ask(asking))
        studio.play(Play(fault=faults.reset(is_started=is_started)))
        with pytest.raises(StreamInterrupted):
            await happened(client.ask(replace(asking, turn=TurnId("t2"))))

    assert 2 == len(posts(studio))


async def test_lost_without_knowing(coze):
    """Where the question cannot be looked up, it is not asked again."""
    coze.play(Play(fault=faults.reset(is_started=True)))
    coze.fail("/v1/conversation/message/list", faults.refusal(4101), times=9)
    async with client_of(coze) as client:
        with pytest.raises(StreamInterrupted):
            await asked(client)
        coze.play(Play(fault=faults.reset(is_started=True)))
        with pytest.raises(StreamInterrupted):
            await happened(
                client.ask(Question(TurnId("t"), Session(CozeUserId("u")), (Text("hi"),)))
            )

    assert 2 == len(posts(coze))


# --- begun, then broken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        *(faults.ends(n, how) for n in (1, 2, 5) for how in ("clean", "cut", "reset")),
        faults.ends_midway(2, "clean"),
        faults.ends_midway(2, "cut"),
        faults.hangs(5.0, after=3),
    ],
)
async def test_broken_streams(either, fault):
    """A stream that breaks after its start is recovered whole, and nothing is asked again."""
    either.play(Play(fault=fault, follow_ups=("And?",)))
    async with client_of(either) as client:
        events = []
        with pytest.raises(StreamInterrupted):
            await asked(client, into=events)
        recovered = await happened(client.recover(events[0].ref))

    assert isinstance(events[0], ChatStarted)
    assert [
        AnswerCompleted("", WEDNESDAY),
        FollowUp("And?"),
        ChatCompleted(614, 19),
    ] == without_ids(recovered)
    assert 1 == len(posts(either))


async def test_too_large(coze):
    """An event too large to read is recovered like a broken stream."""
    huge = json.dumps("x" * 9_000_000)
    coze.play(Play(fault=faults.noticed("x", huge)))
    async with client_of(coze) as client:
        with pytest.raises(StreamInterrupted, match="larger"):
            await asked(client)


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        (faults.failed(4028, "credits", after=2), ChatFailed(4028, "credits")),
        (faults.failed(701231, "error", shape="bare"), ChatFailed(701231, "error")),
        (faults.failed(720702204, "name", shape="text"), ChatFailed(720702204, "name")),
        (faults.error_midway(), ChatFailed(103200002, "Internal Server Error")),
        (faults.cancelled(2), ChatCancelled()),
        (faults.tools_required(), ActionRequired(("get_rain",))),
        (faults.reply_required(), ActionRequired()),
    ],
)
async def test_endings(either, fault, ending):
    """A chat ends as Coze says, on the stream and when it is recovered; it is not asked again."""
    either.play(Play(fault=fault))
    async with client_of(either) as client:
        events = []
        # coze-studio's stream does not say why a chat failed.
        with suppress(StreamInterrupted):
            await asked(client, into=events)
        recovered = await happened(client.recover(events[0].ref))
    endings = [event for event in (*events, recovered[-1]) if isinstance(event, type(ending))]

    assert {ending} == {
        replace(event, log_id=None) if isinstance(event, ChatFailed) else event for event in endings
    }
    assert not isinstance(events[-1], ChatFailed) or events[-1].log_id
    assert 1 == len(posts(either))


async def test_recovery_waits(coze):
    """A chat that still runs is waited for, through errors that pass."""
    coze.play(Play(pace=0.03))
    async with client_of(coze, patience=QUICK) as client:
        ref = await client.start(await question(client))
        coze.fail("/v3/chat/message/list", faults.refusal(5000))
        coze.fail("/v3/chat/retrieve", End("reset"))
        recovered = await happened(client.recover(ref))

    assert [AnswerCompleted("", WEDNESDAY), ChatCompleted(614, 19)] == without_ids(recovered)


async def test_recovery_gives_up(coze):
    """Out of patience, a chat counts as interrupted; it may still be recovered later."""
    coze.play(Play(pace=0.2))
    async with client_of(coze, patience=replace(QUICK, recovery=0.1)) as client:
        ref = await client.start(await question(client))
        with pytest.raises(StreamInterrupted):
            await happened(client.recover(ref))


async def test_recovery_of_nothing(coze):
    """A chat that Coze does not know is a refusal, at once."""
    async with client_of(coze) as client:
        conversation = await client.create_conversation()
        with pytest.raises(BackendRejected) as caught:
            await happened(client.recover(ChatRef(conversation, CozeChatId("1"))))

    assert 4001 == caught.value.code


async def test_cancelled_recovery(either):
    """A chat that was cancelled is recovered as cancelled."""
    either.play(Play(pace=0.03))
    async with client_of(either) as client:
        ref = await client.start(await question(client))
        await client.cancel(ref)
        await client.cancel(ref)
        recovered = await happened(client.recover(ref))

    assert ChatCancelled() == recovered[-1]


# --- looking up, conversations, tokens -----------------------------------------------------------


async def test_find(coze):
    """A turn is found by its id, in its conversation only."""
    async with client_of(coze) as client:
        asking = await question(client)
        events = await happened(client.ask(asking))
        conversation = asking.session.conversation_id
        other = await client.create_conversation()

        assert events[0].ref == await client.find(conversation, TurnId("t1"))
        assert None is await client.find(conversation, TurnId("t2"))
        assert None is await client.find(other, TurnId("t1"))
        assert None is await client.find(ConversationId("1"), TurnId("t1"))


async def test_gone_conversation(coze):
    """A conversation that is gone is told by its code, and the question is not repeated."""
    async with client_of(coze) as client:
        asking = await question(client)
        coze.forget(asking.session.conversation_id)
        with pytest.raises(BackendRejected) as caught:
            await happened(client.ask(asking))

    assert 4002 == caught.value.code
    assert 1 == len(posts(coze))


async def test_clear(either):
    """Clearing a conversation begins a new section of it."""
    async with client_of(either) as client:
        conversation = await client.create_conversation()
        before = either.conversations[conversation].section_id
        await client.clear(conversation)

        assert before != either.conversations[conversation].section_id


async def test_wrong_token(either):
    """A refused token is told at once, once."""
    async with client_of(either, credentials="pat_other") as client:
        with pytest.raises(BackendRejected):
            await client.create_conversation()
        with pytest.raises(BackendRejected) as caught:
            await happened(
                client.ask(
                    Question(
                        TurnId("t"), Session(CozeUserId("u"), ConversationId("1")), (Text("hi"),)
                    )
                )
            )

    assert caught.value.code in (4100, 4101, 700012006)
    assert 1 == len(posts(either))


async def test_own_request(coze):
    """A request made by hand is streamed as well."""
    async with client_of(coze) as client:
        asking = await question(client)
        request = request_for(client._settings, asking)
        events = await happened(client.chat(request, asking.turn))

    assert ChatCompleted(614, 19) == events[-1]


async def test_many_at_once(coze):
    """Questions in different conversations do not wait for each other."""
    coze.otherwise(lambda asked: Play(answers=(asked.text,)))
    async with client_of(coze) as client:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(asked(client, Text(str(n)))) for n in range(30)]

        assert [str(n) for n in range(30)] == [
            next(e.text for e in task.result() if isinstance(e, AnswerCompleted)) for task in asking
        ]


# --- what is wrong with the configuration ---------------------------------------------------------


async def test_check(either):
    """An agent that works tells its name."""
    async with client_of(either) as client:
        assert "Emulated" == await client.check()


async def wrong(client):
    with pytest.raises(ConfigError) as caught:
        await client.check()
    return caught.value.key, caught.value.problem


async def test_check_token(either):
    """A refused token is told from everything else."""
    async with client_of(either, credentials="pat_other") as client:
        key, problem = await wrong(client)

    assert "coze.token" == key
    assert "pat_other" not in problem


async def test_check_agent(either):
    """An agent that does not exist at this address is told from everything else."""
    async with client_of(either, bot_id="1") as client:
        key, problem = await wrong(client)

    assert "bot_id" == key
    assert "copy the number" in problem


async def test_check_published(coze):
    """An agent that is not published to the API is told from everything else."""
    coze.publish(is_published=False)
    async with client_of(coze) as client:
        key, problem = await wrong(client)

    assert "bot_id" == key
    assert "publish" in problem


async def test_check_unreadable(coze):
    """A good token that may not read the agent's name is no error."""
    coze.fail(f"/v1/bots/{BOT}", faults.refusal(4101, "no permission getMetadata"))
    async with client_of(coze) as client:
        assert BOT == await client.check()


async def test_check_address():
    """A wrong address, or one where nobody listens, is told from everything else."""
    async with serving(web.Application(), "127.0.0.1:0") as url, client_at(url) as client:
        assert "coze.base_url" == (await wrong(client))[0]
    async with client_at("http://127.0.0.1:9") as client:
        assert "coze.base_url" == (await wrong(client))[0]
