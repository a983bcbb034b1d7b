"""The Telegram adapter against the emulator: python-telegram-bot's own requests, real answers."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import structlog
from aiohttp import web
from telegram.error import (
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from adapters.telegram import plugin
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.errors import translated
from adapters.telegram.surface import capabilities
from bridge import log
from bridge.errors import (
    BridgeError,
    ConfigError,
    MediaTooLarge,
    MediaUnavailable,
    MessageGone,
    NotPermitted,
    PlatformUnavailable,
    RateLimited,
    Refused,
    StoreError,
)
from bridge.model import (
    Address,
    BotName,
    ChatId,
    File,
    Image,
    MediaRef,
    Message,
    MessageId,
    Platform,
    Text,
    ThreadId,
)
from bridge.ports import PlatformAdapter
from bridge.serving import serving

BOT = BotName("helper")
TOKEN = "123456789:AAE-s3cret_s3cret_s3cret_s3cret_s3cr"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300


@dataclass
class Inbox:
    """Takes messages; refuses the first `refusals`, as a store that is away."""

    refusals: int = 0
    messages: list[Message] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def deliver(self, message: Message) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("away")
        async with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()

    async def wait(self, count: int = 1) -> list[Message]:
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: len(self.messages) >= count)
        return self.messages


@asynccontextmanager
async def reading(adapter: PlatformAdapter, inbox: Inbox) -> AsyncIterator[Inbox]:
    """Receive while the block runs."""
    task = asyncio.create_task(adapter.receive(inbox.deliver))
    try:
        yield inbox
    finally:
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()


@pytest.fixture
def emulator() -> TelegramEmulator:
    return TelegramEmulator(flood=None, token=TOKEN)


@pytest.fixture
async def section(emulator: TelegramEmulator) -> AsyncIterator[dict[str, Any]]:
    async with emulator.open() as section:
        yield dict(section)


@pytest.fixture
async def adapter(section: dict[str, Any]) -> AsyncIterator[PlatformAdapter]:
    async with plugin.open(BOT, section) as adapter:
        yield adapter


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Log everything, and hide nothing afterwards: no line may hold the token to begin with."""
    before = logging.getLogger().handlers
    log.configure(level="debug", format_="json")
    yield capsys
    logging.getLogger().handlers = before
    structlog.reset_defaults()


def offsets(emulator: TelegramEmulator) -> list[int]:
    return [int(call.params["offset"]) for call in emulator.calls if call.method == "getUpdates"]


def calls(emulator: TelegramEmulator, method: str) -> list[dict[str, str]]:
    return [call.params for call in emulator.calls if call.method == method]


def place(chat: int, thread: int | None = None) -> Address:
    topic = ThreadId(str(thread)) if thread else None
    return Address(BOT, Platform("telegram"), ChatId(str(chat)), topic)


# --- who the bot is ------------------------------------------------------------------------


async def test_check_tells_the_name(adapter):
    """A token that works is answered with the bot's username."""
    assert "@bridge_bot" == await adapter.check()
    assert ("telegram", BOT) == (adapter.platform, adapter.bot)


@pytest.mark.parametrize("method", ["check", "receive"])
async def test_a_wrong_token_is_the_operators_business(section, method):
    """Telegram's 401 becomes an error that names the key and what to do."""
    wrong = {**section, "token": TOKEN + "x"}
    async with plugin.open(BOT, wrong) as adapter:
        with pytest.raises(ConfigError) as caught:
            await (adapter.check() if method == "check" else adapter.receive(Inbox().deliver))

    assert "bots.helper.telegram.token" == caught.value.key
    assert "@BotFather" in caught.value.problem
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


async def test_a_server_that_is_away_is_no_wrong_token(emulator, adapter):
    """A check that fails for another reason says so."""
    emulator.fail("getMe", status=502)

    with pytest.raises(PlatformUnavailable):
        await adapter.check()


# --- intake --------------------------------------------------------------------------------


async def test_messages_arrive_in_order(emulator, adapter):
    """What was written before and after the start arrives, oldest first, and sorts that way."""
    await emulator.say("one")
    await emulator.say("two 😀")
    async with reading(adapter, Inbox()) as inbox:
        await inbox.wait(2)
        await emulator.say("three")
        messages = await inbox.wait(3)

    assert [(Text("one"),), (Text("two 😀"),), (Text("three"),)] == [m.parts for m in messages]
    assert sorted(messages, key=lambda message: message.order) == messages
    assert place(emulator.home) == messages[0].address
    assert ("Alex", "en") == (messages[0].sender.name, messages[0].sender.locale)
    assert messages[0].is_private


async def test_an_update_is_confirmed_when_it_is_durable(emulator, adapter):
    """While the store refuses a message its update is asked for again, and confirmed after that."""
    await emulator.say("one")
    await emulator.say("two")
    async with reading(adapter, Inbox(refusals=2)) as inbox:
        messages = await inbox.wait(2)
        await emulator.say("three")
        await inbox.wait(3)

    assert ["1", "2", "3"] == [message.id for message in messages]
    assert [0, 0, 0] == offsets(emulator)[:3]
    assert 0 < offsets(emulator)[3]


async def test_what_was_not_confirmed_comes_again(emulator, adapter):
    """A process that dies before it asks again gets the update a second time."""
    await emulator.say("one")
    inbox = Inbox()

    async def die(message: Message) -> None:
        await inbox.deliver(message)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await adapter.receive(die)
    async with reading(adapter, inbox):
        first, second = await inbox.wait(2)

    assert first == second


async def test_only_messages_are_asked_for(emulator, adapter):
    """The kinds of updates are named, because Telegram remembers what others asked for."""
    async with reading(adapter, Inbox()) as inbox:
        message = await emulator.send(emulator.home, emulator.visitor, "one")
        await inbox.wait()
        await emulator.edit(emulator.home, message, "another")
        await emulator.say("two")
        messages = await inbox.wait(2)

    assert ["1", "2"] == [message.id for message in messages]
    assert '["message"]' == calls(emulator, "getUpdates")[0]["allowed_updates"]


@pytest.mark.parametrize(
    "poison", [{"message": {"date": "never"}}, {"message": 5}, {"message": {"message_id": 1}}, {}]
)
async def test_a_poisoned_update_is_left_out(emulator, adapter, logged, poison):
    """What the library cannot read is logged by its number and does not hold up the next."""
    number = emulator.push_raw(poison)
    await emulator.say("hello")
    async with reading(adapter, Inbox()) as inbox:
        messages = await inbox.wait()

    lines = logged.readouterr().err.splitlines()
    unreadable = [line for line in lines if "update.unreadable" in line]
    assert (Text("hello"),) == messages[0].parts
    assert bool(poison) == len(unreadable)
    assert all(str(number) in line for line in unreadable)


@pytest.mark.parametrize("status", [0, 500, 502, 429])
@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
async def test_intake_recovers(emulator, adapter, method, status):
    """A lost connection, a broken server and a flood limit are waited out."""
    description = "Too Many Requests: retry after 0" if status == 429 else "Internal Server Error"
    emulator.fail(method, status=status, description=description)
    await emulator.say("hello")
    async with reading(adapter, Inbox()) as inbox:
        messages = await inbox.wait()

    assert (Text("hello"),) == messages[0].parts


async def test_another_reader_is_waited_for(emulator, adapter, logged):
    """A conflict is said once, in words an operator understands, and outlived."""
    emulator.fail(
        "getUpdates",
        times=2,
        status=409,
        description="Conflict: terminated by other getUpdates request; make sure that only one "
        "bot instance is running",
    )
    async with reading(adapter, Inbox()) as inbox:
        await emulator.say("hello")
        await inbox.wait()

    assert 1 == logged.readouterr().err.count("another process reads with this token")


async def test_a_webhook_gives_way(emulator, section, adapter, logged):
    """A webhook left over from before is removed, and what waited for it is not lost."""
    url = f"{section['api_url']}/bot{TOKEN}/setWebhook"
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(url, json={"url": "http://127.0.0.1:9/nobody"})
    await emulator.say("hello")
    async with reading(adapter, Inbox()) as inbox:
        messages = await inbox.wait()

    assert (Text("hello"),) == messages[0].parts
    assert "webhook.found" in logged.readouterr().err
    assert "true" != calls(emulator, "deleteWebhook")[0].get("drop_pending_updates")


async def test_in_a_group(emulator, adapter):
    """A mention, a command and a reply are for the bot, and know their topic and their asker."""
    ann, ben = emulator.person("Ann"), emulator.person("Ben")
    group = emulator.group("Team", [ann, ben], topics=["News"])
    topic = emulator.topics(group)["News"]
    surface = adapter.surface(place(group, topic), None)
    async with reading(adapter, Inbox()) as inbox:
        await emulator.send(group, ann, "@Bridge_Bot hello", thread=topic)
        await emulator.send(group, ben, "/ask@bridge_bot why", thread=topic)
        answer = await surface.post("because", nonce="1")
        await emulator.send(group, ben, "really?", reply_to=int(answer), thread=topic)
        await emulator.send(group, ann, photo=PNG, caption="@bridge_bot what is it?")
        messages = await inbox.wait(4)

    assert ["hello", "/ask why", "really?", "what is it?"] == [m.parts[0].text for m in messages]
    assert all(message.is_addressed and not message.is_private for message in messages)
    assert [place(group, topic)] * 3 + [place(group)] == [m.address for m in messages]
    assert ["Ann", "Ben", "Ben", "Ann"] == [message.sender.name for message in messages]


async def test_without_privacy_mode_the_rest_is_not_addressed():
    """A bot that reads everything knows what is not for it."""
    emulator = TelegramEmulator(flood=None, has_privacy=False)
    ann = emulator.person("Ann")
    group = emulator.group("Team", [ann], topics=["News"])
    async with emulator.open() as section, plugin.open(BOT, section) as adapter:
        await emulator.send(group, ann, "hello all", thread=emulator.topics(group)["News"])
        async with reading(adapter, Inbox()) as inbox:
            messages = await inbox.wait()

    assert not messages[0].is_addressed


# --- the reply -----------------------------------------------------------------------------


async def test_a_reply_is_written(emulator, adapter):
    """A reply is posted and edited as text with entities, and shows that it is written."""
    surface = adapter.surface(place(emulator.home), MessageId("1"))
    await surface.typing()

    assert emulator.is_typing

    message = await surface.post("**Hi** 😀 `x`", nonce="1")
    await surface.edit(message, "**Hi** 😀 [there](https://example.com)")
    await surface.edit(message, "**Hi** 😀 [there](https://example.com)")

    (post,) = emulator.messages(emulator.home)
    assert str(post.id) == message
    assert "Hi 😀 there" == post.text
    assert [("bold", 0, 2), ("text_link", 6, 5)] == [
        (entity.type, entity.offset, entity.length) for entity in post.entities
    ]
    assert post.reply_to is None
    sent = calls(emulator, "sendMessage") + calls(emulator, "editMessageText")
    assert 3 == len(sent)
    assert all('{"is_disabled": true}' == call["link_preview_options"] for call in sent)
    assert not any("parse_mode" in call for call in sent)


async def test_a_group_sees_who_is_answered(emulator, adapter):
    """In a group the first message of a reply quotes the question, in its topic; others do not."""
    ann = emulator.person("Ann")
    group = emulator.group("Team", [ann], topics=["News"])
    topic = emulator.topics(group)["News"]
    question = await emulator.send(group, ann, "@bridge_bot hi", thread=topic)
    surface = adapter.surface(place(group, topic), MessageId(str(question)))
    emulator.fail("sendMessage")

    with pytest.raises(PlatformUnavailable):
        await surface.post("one", nonce="1")

    await surface.post("one", nonce="1")
    await surface.post("two", nonce="2")
    replies = [post for post in emulator.messages(group) if post.is_bot]
    assert [question, None] == [post.reply_to for post in replies]
    assert [topic, topic] == [post.thread for post in replies]


async def test_a_question_that_is_gone_is_answered(emulator, adapter):
    """A question deleted meanwhile does not keep its answer away."""
    group = emulator.group("Team", [emulator.person("Ann")])
    surface = adapter.surface(place(group), MessageId("4711"))
    await surface.post("here", nonce="1")

    assert "here" == emulator.messages(group)[-1].text


async def test_a_message_is_removed(emulator, adapter):
    """A message is deleted; once it is gone, deleting succeeds and editing says so."""
    surface = adapter.surface(place(emulator.home), None)
    message = await surface.post("one", nonce="1")
    await surface.delete(message)
    await surface.delete(message)

    assert () == emulator.messages(emulator.home)

    with pytest.raises(MessageGone):
        await surface.edit(message, "two")


async def test_everything_that_fits_is_taken(emulator, adapter):
    """The longest message, and the one with the most entities, are accepted as they are."""
    surface = adapter.surface(place(emulator.home), None)
    can = surface.capabilities
    for markdown in ("😀" * can.max_length, "**a** `b` " * 50):
        await surface.post(markdown, nonce="1")

        assert can.fits(markdown)
        assert not can.fits(markdown + "**a**")

    with pytest.raises(Refused):
        await surface.post("a" * (can.max_length + 1), nonce="2")

    long, rich = emulator.messages(emulator.home)
    assert (4096, 100) == (len(long.text), len(rich.entities))


def test_limits_know_the_chat():
    """A group bears less than a private chat, and all chats share the bot's own limit."""
    private, group = capabilities(7), capabilities(-1007)

    assert ["chat:7", ""] == [limit.scope for limit in private.limits]
    assert ["chat:-1007", ""] == [limit.scope for limit in group.limits]
    assert private.edit_interval < group.edit_interval


@pytest.mark.parametrize("call", ["post", "edit", "typing"])
async def test_a_flood_limit_says_how_long(emulator, adapter, call):
    """A 429 tells the seconds to be silent, and nothing was tried twice."""
    surface = adapter.surface(place(emulator.home), None)
    message = await surface.post("one", nonce="1")
    if call == "typing":
        emulator.fail("sendChatAction", status=429, description="Too Many Requests: retry after 7")
    else:
        emulator.flood(emulator.home, 7)
    before = len(emulator.calls)

    with pytest.raises(RateLimited) as caught:
        await {
            "post": lambda: surface.post("two", nonce="2"),
            "edit": lambda: surface.edit(message, "two"),
            "typing": surface.typing,
        }[call]()

    assert 7.0 <= caught.value.retry_after <= 9.0
    assert before + 1 == len(emulator.calls)


@pytest.mark.parametrize(
    ("status", "description", "expected"),
    [
        (400, "Bad Request: message text is empty", Refused),
        (400, "Bad Request: MESSAGE_TOO_LONG", Refused),
        (400, "Bad Request: not enough rights to send text messages to the chat", NotPermitted),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", NotPermitted),
        (400, "Bad Request: TOPIC_CLOSED", NotPermitted),
        (400, "Bad Request: message thread not found", NotPermitted),
        (400, "Bad Request: chat not found", NotPermitted),
        (400, "Bad Request: message can't be edited", MessageGone),
        (401, "Unauthorized", NotPermitted),
        (403, "Forbidden: user is deactivated", NotPermitted),
        (413, "Request Entity Too Large", PlatformUnavailable),
        (500, "Internal Server Error", PlatformUnavailable),
        (502, "Bad Gateway", PlatformUnavailable),
        (0, "", PlatformUnavailable),
    ],
)
async def test_a_refusal_has_its_meaning(emulator, adapter, status, description, expected):
    """Each of Telegram's refusals becomes the error that says who can act, after one request."""
    surface = adapter.surface(place(emulator.home), None)
    emulator.fail("sendMessage", status=status, description=description)

    with pytest.raises(BridgeError) as caught:
        await surface.post("one", nonce="1")

    assert expected is type(caught.value)
    assert (status == 0) == getattr(caught.value, "is_ambiguous", False)
    assert 1 == len(emulator.calls)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


async def test_the_bot_may_not_write_everywhere(emulator, adapter):
    """Blocked, put out of a group, or in a group that moved: it may not write there."""
    ann = emulator.person("Ann")
    kicked = emulator.group("Team", [ann])
    moved = emulator.group("Old", [ann], is_basic=True)
    emulator.block(emulator.home)
    emulator.kick(kicked)
    emulator.upgrade(moved)
    for chat in (emulator.home, kicked, moved):
        with pytest.raises(NotPermitted):
            await adapter.surface(place(chat), None).post("one", nonce="1")


async def test_a_post_whose_answer_is_lost_is_ambiguous(emulator, adapter):
    """The connection ends after Telegram took the message: nobody knows."""
    surface = adapter.surface(place(emulator.home), None)
    emulator.fail("sendMessage", status=0, after_success=True)

    with pytest.raises(PlatformUnavailable) as caught:
        await surface.post("one", nonce="1")

    assert caught.value.is_ambiguous
    assert 1 == len(emulator.messages(emulator.home))


async def test_a_server_that_is_not_there_got_nothing():
    """A connection that never came about is not ambiguous."""
    emulator = TelegramEmulator(flood=None)
    async with emulator.open() as section:
        pass
    async with plugin.open(BOT, section) as adapter:
        with pytest.raises(PlatformUnavailable) as caught:
            await adapter.surface(place(7), None).post("one", nonce="1")

    assert not caught.value.is_ambiguous


async def test_words_in_a_broken_answer_stay_out_of_the_log(logged):
    """An answer that was cut short is not written to the log: it holds what people said."""

    async def respond(_request: web.Request) -> web.Response:
        return web.Response(text='{"ok":true,"result":[{"text":"my diary')

    app = web.Application()
    app.router.add_post("/{path:.*}", respond)
    async with (
        serving(app, "127.0.0.1:0") as url,
        plugin.open(BOT, {"token": TOKEN, "api_url": url}) as adapter,
    ):
        with pytest.raises(PlatformUnavailable):
            await adapter.check()

    assert "diary" not in logged.readouterr().err


@pytest.mark.parametrize(
    "answer", ["{}", "[]", '{"ok": true, "result": 5}', "<html>sign in</html>"]
)
async def test_a_page_is_no_answer(answer):
    """A 200 that is not the Bot API's, such as a hotel's sign-in page, is no success."""

    async def respond(_request: web.Request) -> web.Response:
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_post("/{path:.*}", respond)
    async with (
        serving(app, "127.0.0.1:0") as url,
        plugin.open(BOT, {"token": TOKEN, "api_url": url}) as adapter,
    ):
        with pytest.raises(PlatformUnavailable):
            await adapter.check()
        with pytest.raises(PlatformUnavailable) as caught:
            await adapter.surface(place(7), None).post("one", nonce="1")

    assert caught.value.is_ambiguous


def because(error: TelegramError, cause: Exception) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected", "is_ambiguous"),
    [
        (because(TimedOut(), httpx.ReadTimeout("")), PlatformUnavailable, True),
        (because(TimedOut("Pool timeout"), httpx.PoolTimeout("")), PlatformUnavailable, False),
        (because(TimedOut(), httpx.ConnectTimeout("")), PlatformUnavailable, False),
        (because(NetworkError("x"), httpx.RemoteProtocolError("")), PlatformUnavailable, True),
        (NetworkError("Bad Gateway (502)"), PlatformUnavailable, False),
        (TelegramError("Invalid server response"), PlatformUnavailable, True),
        (
            NetworkError("Too Many Requests (429). Parsing the server response failed"),
            RateLimited,
            0,
        ),
        (Forbidden("Forbidden (403). Parsing the server response"), PlatformUnavailable, True),
        (InvalidToken("Not Found (404). Parsing the server response"), PlatformUnavailable, True),
        (RetryAfter(3), RateLimited, False),
    ],
)
def test_only_silence_is_ambiguous(error, expected, is_ambiguous):
    """A call may have been carried out where it was sent and nothing came back."""
    problem = translated(error)

    assert expected is type(problem)
    assert is_ambiguous == getattr(problem, "is_ambiguous", False)


# --- files ---------------------------------------------------------------------------------


async def read(adapter: PlatformAdapter, ref: MediaRef) -> bytes:
    async with adapter.open_media(ref) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_files_come_through_unchanged(emulator, adapter):
    """The bytes of a photo and of a document are those that were sent; no URL leaves for them."""
    pdf = ("report", "application/pdf", b"%PDF-1.7 " + bytes(70_000))
    await emulator.say("look", PNG)
    await emulator.send(emulator.home, emulator.visitor, document=pdf)
    async with reading(adapter, Inbox()) as inbox:
        photo, document = await inbox.wait(2)

    words, image = photo.parts
    (file,) = document.parts
    assert (Text("look"), True, True) == (words, isinstance(image, Image), isinstance(file, File))
    assert "report.pdf" == file.ref.name
    assert PNG == await read(adapter, image.ref)
    assert pdf[2] == await read(adapter, file.ref)
    assert await adapter.public_url(image.ref) is None


async def test_a_file_that_cannot_be_had(emulator, adapter):
    """An unknown file, one too large, and a server that is away are errors of the file."""
    large = ("a.bin", "application/octet-stream", bytes((20 << 20) + 1))
    await emulator.send(emulator.home, emulator.visitor, document=large)
    async with reading(adapter, Inbox()) as inbox:
        (message,) = await inbox.wait()
    ref = message.parts[0].ref

    with pytest.raises(MediaTooLarge):
        await read(adapter, ref)

    unknown = MediaRef(ref.platform, BOT, "nonsense", "image/png", "a.png")
    with pytest.raises(MediaUnavailable) as caught:
        await read(adapter, unknown)

    emulator.fail("getFile", status=0)
    with pytest.raises(MediaUnavailable):
        await read(adapter, ref)

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


async def test_an_error_of_the_reader_stays_its_own(emulator, adapter):
    """What goes wrong where the bytes are taken to is not taken for Telegram's fault."""
    await emulator.say("look", PNG)
    async with reading(adapter, Inbox()) as inbox:
        (message,) = await inbox.wait()

    with pytest.raises(httpx.ConnectError):
        async with adapter.open_media(message.parts[1].ref):
            raise httpx.ConnectError("elsewhere")


async def test_a_download_that_breaks_off_hides_the_token():
    """A connection that ends within a file is an error without the URL it came from."""
    emulator = TelegramEmulator(flood=None, token=TOKEN)
    await emulator.say("look", PNG)
    async with (
        emulator.open() as section,
        breaking(section["api_url"]) as url,
        plugin.open(BOT, {**section, "api_url": url}) as adapter,
    ):
        async with reading(adapter, Inbox()) as inbox:
            (message,) = await inbox.wait()
        with pytest.raises(MediaUnavailable) as caught:
            await read(adapter, message.parts[1].ref)

    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


@asynccontextmanager
async def breaking(api_url: str) -> AsyncIterator[str]:
    """A proxy that passes calls on and breaks off files after a few bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        if path.startswith("/file/"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbroken")
        else:
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            body = await reader.readexactly(int(length or 0))
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.post(
                    f"{api_url}{path}", content=body, headers=kind, timeout=30
                )
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                + answer.content
            )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


# --- the token -----------------------------------------------------------------------------


async def test_the_token_is_in_no_log_line(emulator, section, logged):
    """Whatever happens, at the most talkative level, no line holds the token."""
    emulator.fail("getUpdates", status=0)
    emulator.fail("getUpdates", status=502)
    emulator.fail("sendMessage", status=0)
    emulator.push_raw({"message": {"date": "never"}})
    await emulator.say("look", PNG)
    async with plugin.open(BOT, section) as adapter:
        surface = adapter.surface(place(emulator.home), None)
        async with reading(adapter, Inbox()) as inbox:
            (message,) = await inbox.wait()
        await read(adapter, message.parts[1].ref)
        with pytest.raises(PlatformUnavailable):
            await surface.post("one", nonce="1")
        await surface.post("one", nonce="1")
        shown = repr(adapter) + repr(surface)

    lines = logged.readouterr().err
    assert "poll.failed" in lines
    assert TOKEN.partition(":")[2] not in lines + shown
    assert "look" not in lines
