"""The Discord adapter against the emulator: discord.py and our REST client, real answers."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from adapters.discord import handle, plugin
from adapters.discord.emulator import Channel, DiscordEmulator, Guild, Person
from adapters.discord.rest import Rest
from bridge.clock import SystemClock
from bridge.errors import (
    ConfigError,
    MediaUnavailable,
    MessageGone,
    NotPermitted,
    PlatformUnavailable,
    RateLimited,
    Refused,
    StoreError,
)
from bridge.model import Address, BotName, ChatId, File, Image, Message, MessageId, Platform, Text
from bridge.ports import PlatformAdapter, ReplySurface

BOT = BotName("helper")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
MESSAGES = "/channels/*/messages"


@dataclass
class ShiftedClock(SystemClock):
    """The machine's clock, moved."""

    offset: float = 0.0

    def now(self) -> float:
        return super().now() + self.offset


@dataclass
class Inbox:
    """Takes messages; fails the first `refusals` times, as a store that is away."""

    refusals: int = 0
    messages: list[Message] = field(default_factory=list)

    async def deliver(self, message: Message) -> None:
        await asyncio.sleep(0)
        if self.refusals:
            self.refusals -= 1
            raise StoreError("away")
        self.messages.append(message)

    @property
    def texts(self) -> list[str]:
        return [part.text for one in self.messages for part in one.parts if isinstance(part, Text)]


@dataclass
class Scene:
    """One guild with one channel and one person in it."""

    emulator: DiscordEmulator
    adapter: PlatformAdapter
    section: dict[str, object]
    ann: Person
    guild: Guild
    channel: Channel

    def surface(self, channel: Channel | None = None, reply_to: str | None = None) -> ReplySurface:
        place = Address(BOT, Platform("discord"), ChatId((channel or self.channel).id))
        return self.adapter.surface(place, MessageId(reply_to) if reply_to else None)

    async def say(self, text: str, channel: Channel | None = None, **how) -> str:
        return await self.emulator.send(channel or self.channel, self.ann, text, **how)

    def bodies(self, method: str) -> list[dict[str, object]]:
        return [call.body for call in self.emulator.calls if call.method == method and call.body]


@asynccontextmanager
async def staged(emulator: DiscordEmulator | None = None, **section) -> AsyncIterator[Scene]:
    """An emulator with a bot connected to it."""
    emulator = emulator or DiscordEmulator(rates=None)
    ann = emulator.person("Ann")
    guild = emulator.guild("Home", [ann])
    channel = emulator.channel(guild, "general")
    async with emulator.open() as given:
        whole = {**given, **section}
        async with plugin.open(BOT, whole) as adapter:
            yield Scene(emulator, adapter, whole, ann, guild, channel)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with staged() as scene:
        yield scene


@asynccontextmanager
async def receiving(scene: Scene, inbox: Inbox | None = None) -> AsyncIterator[Inbox]:
    """Receive while the block runs, and end as a process does that is told to stop."""
    inbox = inbox or Inbox()
    task = asyncio.create_task(scene.adapter.receive(inbox.deliver))
    try:
        await until(lambda: scene.emulator.connections == 1 or task.done())
        await until(lambda: is_ready(scene) or task.done())
        yield inbox
    finally:
        task.cancel()
        await asyncio.wait([task])


def is_ready(scene: Scene) -> bool:
    """Whether a session has begun: only then is anything dispatched."""
    return scene.emulator.is_attended


async def until(condition: Callable[[], bool]) -> None:
    """Return when it is so; the test fails when it never is."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


async def arrived(inbox: Inbox, count: int = 1) -> list[Message]:
    await until(lambda: len(inbox.messages) >= count)
    return inbox.messages


# --- what people say


async def test_a_private_message_arrives(scene):
    """A private message is delivered with its text, whatever the intents."""
    async with receiving(scene) as inbox:
        direct = scene.emulator.direct(scene.ann)
        id_ = await scene.say("hello", direct)
        (message,) = await arrived(inbox)

    assert (message.id, message.address.chat) == (id_, direct.id)
    assert message.parts == (Text("hello"),)
    assert (message.is_private, message.is_addressed) == (True, True)
    assert message.sender.name == "Ann"


async def test_a_mention_arrives(scene):
    """A mention in a guild is addressed, and the mention itself is no part of the text."""
    async with receiving(scene) as inbox:
        await scene.say("what is it?", mention_bot=True)
        (message,) = await arrived(inbox)

    assert message.parts == (Text("what is it?"),)
    assert (message.is_private, message.is_addressed) == (False, True)


async def test_a_command_after_the_mention_arrives(scene):
    """A command written after the mention is the text itself."""
    async with receiving(scene) as inbox:
        await scene.say("/new", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["/new"]


@pytest.mark.parametrize("ping", [True, False])
async def test_a_reply_to_the_bot_arrives(ping):
    """A reply to the bot is addressed, with its ping switched on or off."""
    async with staged(message_content=True) as scene, receiving(scene) as inbox:
        posted = await scene.surface().post("I am here", nonce="1")
        await scene.say("go on", reply_to=posted, ping=ping)
        (message,) = await arrived(inbox)

    assert message.parts == (Text("go on"),)
    assert message.is_addressed


async def test_a_thread_is_answered_inside(scene):
    """A message in a thread comes from the thread, and a reply goes there."""
    async with receiving(scene) as inbox:
        thread = scene.emulator.thread(scene.channel, scene.ann, "topic")
        await scene.say("hello", thread, mention_bot=True)
        (message,) = await arrived(inbox)
        await scene.adapter.surface(message.address, message.id).post("hi", nonce="1")

    assert message.address.chat == thread.id
    assert scene.emulator.messages(thread)[-1].content == "hi"


async def test_without_the_intent_talk_among_people_is_not_seen(scene):
    """What Discord withholds is no message; what is for the bot still comes."""
    async with receiving(scene) as inbox:
        await scene.say("secret")
        await scene.say("hello", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["hello"]


async def test_with_the_intent_everything_is_seen():
    """With message_content all talk arrives, marked as not for the bot."""
    async with staged(message_content=True) as scene, receiving(scene) as inbox:
        await scene.say("hello all")
        (message,) = await arrived(inbox)

    assert message.parts == (Text("hello all"),)
    assert message.is_addressed is False


async def test_a_forward_arrives():
    """A forwarded message is read with its text and its files."""
    async with staged(message_content=True) as scene, receiving(scene) as inbox:
        first = await scene.say("look", attachments=[("a.png", "image/png", PNG)])
        await scene.emulator.forward(
            scene.emulator.direct(scene.ann), scene.ann, scene.channel, first
        )
        _, forwarded = await arrived(inbox, 2)
        async with scene.adapter.open_media(forwarded.parts[1].ref) as chunks:
            content = b"".join([chunk async for chunk in chunks])

    assert forwarded.parts[0] == Text("look")
    assert content == PNG


async def test_messages_stay_in_order(scene):
    """Within a channel messages are delivered one by one as they were written."""
    async with receiving(scene, Inbox(refusals=2)) as inbox:
        for number in range(20):
            await scene.say(str(number), mention_bot=True)
        messages = await arrived(inbox, 20)

    assert inbox.texts == [str(number) for number in range(20)]
    assert sorted(messages, key=lambda one: one.order) == messages


async def test_a_channel_does_not_wait_for_another(scene):
    """While one channel's message cannot be stored, others go on."""
    stuck, free = Inbox(), Inbox()
    back = asyncio.Event()

    async def deliver(message: Message) -> None:
        if message.address.chat == scene.channel.id:
            await back.wait()
        await (stuck if message.address.chat == scene.channel.id else free).deliver(message)

    inbox = Inbox()
    inbox.deliver = deliver
    async with receiving(scene, inbox):
        await scene.say("one", mention_bot=True)
        await scene.say("two", scene.emulator.direct(scene.ann))
        await arrived(free)
        before = list(stuck.texts)
        back.set()
        await arrived(stuck)

    assert (before, stuck.texts, free.texts) == ([], ["one"], ["two"])


# --- files


async def sent_file(scene: Scene, inbox: Inbox, name="a.png", kind="image/png") -> Message:
    await scene.say("look", mention_bot=True, attachments=[(name, kind, PNG)])
    return (await arrived(inbox))[-1]


async def content_of(scene: Scene, ref) -> bytes:
    async with scene.adapter.open_media(ref) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(
    ("name", "kind", "part"), [("a.png", "image/png", Image), ("b.pdf", "application/pdf", File)]
)
async def test_an_attachment_is_read(scene, name, kind, part):
    """An attachment comes with the message, and its bytes are what was sent."""
    async with receiving(scene) as inbox:
        message = await sent_file(scene, inbox, name, kind)
        content = await content_of(scene, message.parts[1].ref)

    assert isinstance(message.parts[1], part)
    assert message.parts[1].ref.size == len(PNG)
    assert content == PNG


@pytest.mark.parametrize("is_history_hidden", [False, True])
async def test_an_expired_attachment_is_read(is_history_hidden):
    """A URL past its time is renewed, also where the bot may not read the history."""
    clock = ShiftedClock(offset=-100_000.0)
    async with staged(DiscordEmulator(clock=clock, rates=None)) as scene:
        async with receiving(scene) as inbox:
            message = await sent_file(scene, inbox)
        clock.offset = 0.0
        if is_history_hidden:
            scene.emulator.deny(scene.channel, "READ_MESSAGE_HISTORY")
        ref = message.parts[1].ref
        content, url = await content_of(scene, ref), await scene.adapter.public_url(ref)

    assert content == PNG
    assert handle.expires_at(handle.read(ref.handle).url) < clock.now()
    assert handle.expires_at(url) > clock.now() + 600


async def test_a_refused_url_is_renewed(scene):
    """A URL that its host refuses before its time is renewed once."""
    async with receiving(scene) as inbox:
        ref = (await sent_file(scene, inbox)).parts[1].ref
        place = handle.read(ref.handle)
        spoiled = msgspec.structs.replace(place, url=place.url.replace("hm=", "hm=0"))
        ref = msgspec.structs.replace(ref, handle=handle.write(spoiled))
        content = await content_of(scene, ref)

    assert content == PNG


async def test_a_deleted_attachment_is_unavailable():
    """When message and file are gone, that is said."""
    clock = ShiftedClock(offset=-100_000.0)
    async with staged(DiscordEmulator(clock=clock, rates=None)) as scene:
        async with receiving(scene) as inbox:
            message = await sent_file(scene, inbox)
        await scene.emulator.delete(scene.channel, message.id)
        clock.offset = 0.0
        with pytest.raises(MediaUnavailable):
            await content_of(scene, message.parts[1].ref)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "https://cdn.discordapp.com.evil.example/x", "file:///x"]
)
async def test_other_hosts_are_not_asked(scene, url):
    """A file is fetched from Discord's hosts only, whatever a handle says."""
    async with receiving(scene) as inbox:
        ref = (await sent_file(scene, inbox)).parts[1].ref
    place = msgspec.structs.replace(handle.read(ref.handle), message="1", url=url)
    ref = msgspec.structs.replace(ref, handle=handle.write(place))
    with pytest.raises(MediaUnavailable):
        await content_of(scene, ref)

    assert await scene.adapter.public_url(ref) is None


async def test_the_public_url_needs_no_token(scene):
    """Whoever has the public URL can fetch the file, and reads no token in it."""
    async with receiving(scene) as inbox:
        ref = (await sent_file(scene, inbox)).parts[1].ref
        url = await scene.adapter.public_url(ref)
    async with httpx.AsyncClient() as anyone:
        answer = await anyone.get(url)

    assert answer.content == PNG
    assert str(scene.section["token"]) not in url


# --- staying connected


async def test_what_was_missed_is_replayed(scene):
    """What is written while the connection is down arrives when it is back, in order."""
    async with receiving(scene) as inbox:
        await scene.say("1", mention_bot=True)
        await arrived(inbox)
        scene.emulator.drop_gateway(1006)
        await scene.say("2", mention_bot=True)
        await scene.say("3", mention_bot=True)
        await arrived(inbox, 3)

    assert inbox.texts == ["1", "2", "3"]


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4007, 4009])
async def test_a_dropped_connection_is_taken_up(scene, code):
    """However the gateway closes, intake goes on."""
    async with receiving(scene) as inbox:
        scene.emulator.drop_gateway(code)
        await scene.say("still here?", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["still here?"]


async def test_a_request_to_reconnect_is_followed(scene):
    """Asked to reconnect, the bot resumes and misses nothing."""
    async with receiving(scene) as inbox:
        scene.emulator.reconnect()
        await scene.say("still here?", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["still here?"]


async def test_an_invalid_session_is_begun_anew(scene):
    """A session that cannot be resumed is replaced, and intake goes on."""
    async with receiving(scene) as inbox:
        scene.emulator.invalidate_session()
        await until(lambda: not is_ready(scene))
        await until(lambda: is_ready(scene))
        await scene.say("still here?", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["still here?"]


async def test_a_first_connection_that_is_refused_is_tried_again(scene):
    """A gateway that is not up yet is waited for."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    target = httpx.URL(str(scene.section["gateway_url"]))
    section = {**scene.section, "gateway_url": f"ws://127.0.0.1:{port}/gateway"}
    async with plugin.open(BOT, section) as adapter:
        scene.adapter = adapter
        with capture_logs() as lines:
            async with asyncio.TaskGroup() as tasks:
                inbox = Inbox()
                task = tasks.create_task(adapter.receive(inbox.deliver))
                await until(lambda: any(one["event"] == "gateway_unreachable" for one in lines))
                async with forwarding(port, target.host, target.port):
                    await until(lambda: is_ready(scene))
                    await scene.say("at last", mention_bot=True)
                    await arrived(inbox)
                    task.cancel()

    assert inbox.texts == ["at last"]


@asynccontextmanager
async def forwarding(port: int, host: str, to: int) -> AsyncIterator[None]:
    """Pass connections on."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, to)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield


async def test_an_api_that_fails_at_first_is_tried_again(scene):
    """Signing in is repeated until the API answers."""
    scene.emulator.fail("GET", "/users/@me", status=403)
    async with receiving(scene) as inbox:
        await scene.say("at last", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["at last"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"id": "1", "channel_id": "what?", "content": None},
        {"id": "5", "channel_id": "6", "author": {"id": "7"}, "content": "x", "type": 0},
    ],
)
async def test_a_malformed_event_is_skipped(scene, payload):
    """An event that cannot be parsed is logged and passed over, and intake goes on."""
    async with receiving(scene) as inbox:
        with capture_logs() as lines:
            scene.emulator.dispatch("MESSAGE_CREATE", payload)
            scene.emulator.dispatch("GUILD_CREATE", payload)
            await scene.say("still here?", mention_bot=True)
            await arrived(inbox)

    assert inbox.texts == ["still here?"]
    assert {"dispatch_skipped", "event_skipped"} & {line["event"] for line in lines}


async def test_a_refused_intent_is_done_without():
    """Without the privileged intent the bot says so once, and hears what is for it."""
    emulator = DiscordEmulator(rates=None, privileged=0)
    with capture_logs() as lines:
        async with staged(emulator, message_content=True) as scene, receiving(scene) as inbox:
            await until(lambda: is_ready(scene))
            await scene.say("hello", mention_bot=True)
            await arrived(inbox)

    assert inbox.texts == ["hello"]
    assert [line["event"] for line in lines].count("message_content_refused") == 1


async def test_the_gateway_is_asked_for_where_it_is_not_configured(scene):
    """Another API without a gateway of its own in the configuration names one itself."""
    section = {**scene.section, "gateway_url": ""}
    async with plugin.open(BOT, section) as adapter:
        scene.adapter = adapter
        async with receiving(scene) as inbox:
            await scene.say("hello", mention_bot=True)
            await arrived(inbox)

    assert inbox.texts == ["hello"]


async def test_a_store_that_is_away_is_waited_for(scene):
    """A message that cannot be stored is kept and tried again, and is delivered once."""
    async with receiving(scene, Inbox(refusals=3)) as inbox:
        await scene.say("hello", mention_bot=True)
        await arrived(inbox)

    assert inbox.texts == ["hello"]


async def test_receiving_ends_when_cancelled(scene):
    """Cancelled, the bot leaves the gateway, and what it had read is durable."""
    inbox = Inbox()
    async with receiving(scene, inbox):
        await scene.say("hello", mention_bot=True)
        await arrived(inbox)
    await until(lambda: scene.emulator.connections == 0)

    assert inbox.texts == ["hello"]


# --- who the bot is


async def test_check_names_the_bot(scene):
    """The check returns the name of the account."""
    assert await scene.adapter.check() == scene.emulator.bot.name


async def test_a_wrong_token_is_a_matter_of_configuration(scene):
    """A token that Discord refuses names the key and what to do, at the check and at intake."""
    section = {**scene.section, "token": "AAAA.BBBB.CCCC"}
    async with plugin.open(BOT, section) as adapter:
        for attempt in (adapter.check(), adapter.receive(Inbox().deliver)):
            with pytest.raises(ConfigError) as caught:
                await attempt

            assert caught.value.key == "bots.helper.discord.token"
            assert "Reset Token" in caught.value.problem


@pytest.mark.parametrize(
    ("code", "key"), [(4004, "bots.helper.discord.token"), (4013, "bots.helper.discord")]
)
async def test_a_gateway_that_refuses_for_good_ends_intake(scene, code, key):
    """A close code that no reconnection mends is a matter of configuration."""
    task = asyncio.create_task(scene.adapter.receive(Inbox().deliver))
    await until(lambda: is_ready(scene))
    scene.emulator.drop_gateway(code)
    with pytest.raises(ConfigError) as caught:
        await task

    assert caught.value.key == key


# --- replies


async def test_a_reply_is_written(scene):
    """The first message of a reply refers to the question, later ones and edits do not."""
    asked = await scene.say("hello", mention_bot=True)
    surface = scene.surface(reply_to=asked)
    first = await surface.post("#### One", nonce="1")
    second = await surface.post("Two", nonce="2")
    await surface.edit(first, "One![](u)")
    _, one, two = scene.emulator.messages(scene.channel)

    assert (one.id, one.content, one.reply_to) == (first, "Oneu", asked)
    assert (two.id, two.content, two.reply_to) == (second, "Two", None)


async def test_a_question_that_is_gone_is_answered(scene):
    """A reply to a deleted message is posted all the same."""
    asked = await scene.say("hello", mention_bot=True)
    await scene.emulator.delete(scene.channel, asked)
    posted = await scene.surface(reply_to=asked).post("hi", nonce="1")

    assert [one.id for one in scene.emulator.messages(scene.channel)] == [posted]


async def test_a_reply_that_is_taken_over_goes_on(scene):
    """Who takes a reply over edits it first, and does not refer to the question again."""
    asked = await scene.say("hello", mention_bot=True)
    first = await scene.surface(reply_to=asked).post("One", nonce="1")
    heir = scene.surface(reply_to=asked)
    await heir.edit(first, "One more")
    second = await heir.post("Two", nonce="2")

    assert {first: asked, second: None} == {
        one.id: one.reply_to for one in scene.emulator.messages(scene.channel)[1:]
    }


@pytest.mark.parametrize("nonce", ["short", "a-nonce-that-is-longer-than-discord-takes/1"])
async def test_a_nonce_posts_once(scene, nonce):
    """The same nonce twice is one message, whatever its length; another nonce is another one."""
    surface = scene.surface()
    first = await surface.post("hi", nonce=nonce)
    again = await surface.post("hi", nonce=nonce)
    other = await surface.post("hi", nonce=nonce + "2")

    assert first == again
    assert [one.id for one in scene.emulator.messages(scene.channel)] == [first, other]


async def test_an_answer_that_got_lost_is_ambiguous(scene):
    """A post that was carried out and not acknowledged can be repeated without harm."""
    scene.emulator.fail("POST", MESSAGES, status=502, after_success=True)
    surface = scene.surface()
    with pytest.raises(PlatformUnavailable) as caught:
        await surface.post("hi", nonce="1")
    again = await surface.post("hi", nonce="1")

    assert caught.value.is_ambiguous
    assert [one.id for one in scene.emulator.messages(scene.channel)] == [again]


async def test_nobody_is_pinged(scene):
    """Every post and every edit forbids all mentions, and only a post says anything of embeds."""
    surface = scene.surface(reply_to=await scene.say("hello", mention_bot=True))
    posted = await surface.post(f"@everyone <@{scene.ann.id}>", nonce="1")
    await surface.edit(posted, f"@here <@{scene.ann.id}>")
    silent = {"parse": [], "replied_user": False}

    assert [body["allowed_mentions"] for body in scene.bodies("POST")] == [silent]
    assert [body["allowed_mentions"] for body in scene.bodies("PATCH")] == [silent]
    assert [body["flags"] for body in scene.bodies("POST")] == [4]
    assert "flags" not in scene.bodies("PATCH")[0]
    assert scene.emulator.messages(scene.channel)[-1].mentions == ()


async def test_an_edit_that_changes_nothing_succeeds(scene):
    """The same text twice is no error."""
    surface = scene.surface()
    posted = await surface.post("hi", nonce="1")
    await surface.edit(posted, "hi")

    assert scene.emulator.messages(scene.channel)[-1].content == "hi"


async def test_deleting_succeeds_twice(scene):
    """A message already gone counts as removed; editing it says that it is gone."""
    surface = scene.surface()
    posted = await surface.post("hi", nonce="1")
    await surface.delete(posted)
    await surface.delete(posted)
    with pytest.raises(MessageGone):
        await surface.edit(posted, "ho")

    assert scene.emulator.messages(scene.channel) == ()


async def test_typing_is_shown(scene):
    """Typing is one request."""
    await scene.surface().typing()

    assert [(call.method, call.path) for call in scene.emulator.calls] == [
        ("POST", f"/channels/{scene.channel.id}/typing")
    ]


async def test_what_fits_is_taken(scene):
    """What `fits` allows Discord takes, and one sign more it refuses."""
    surface = scene.surface()
    fits = surface.capabilities.fits
    longest, longer = "👍" * 2000, "👍" * 2001
    await surface.post(longest, nonce="1")
    with pytest.raises(Refused):
        await surface.post(longer, nonce="2")

    assert (fits(longest), fits(longer)) == (True, False)


async def test_a_forbidden_channel_is_not_permitted(scene):
    """Without the right to write, writing is not permitted."""
    scene.emulator.deny(scene.channel, "SEND_MESSAGES")
    with pytest.raises(NotPermitted):
        await scene.surface().post("hi", nonce="1")


async def test_a_channel_that_is_gone_is_not_permitted(scene):
    """A channel that does not exist cannot be written to."""
    nowhere = replace(scene.channel, id="1")
    for call in (scene.surface(nowhere).post("hi", nonce="1"), scene.surface(nowhere).typing()):
        with pytest.raises(NotPermitted):
            await call


async def test_a_blocked_person_is_not_permitted(scene):
    """Who takes no private messages is not written to."""
    scene.emulator.block(scene.ann)
    with pytest.raises(NotPermitted):
        await scene.surface(scene.emulator.direct(scene.ann)).post("hi", nonce="1")


@pytest.mark.parametrize("is_global", [False, True])
async def test_a_rate_limit_says_how_long(scene, is_global):
    """429 is told with its seconds, and whether it concerns one channel or everything."""
    scene.emulator.flood(scene.channel, 3.5, is_global=is_global)
    with pytest.raises(RateLimited) as caught:
        await scene.surface().post("hi", nonce="1")

    assert caught.value.is_global is is_global
    assert 3.0 < caught.value.retry_after <= 3.5


async def test_a_call_is_one_request():
    """Past its budget a channel's call fails at once: nothing waits and nothing is repeated."""
    async with staged(DiscordEmulator()) as scene:
        scene.emulator.exhaust(scene.channel)
        with pytest.raises(RateLimited) as caught:
            await scene.surface().post("hi", nonce="1")

        assert len(scene.emulator.calls) == 1
        assert 0 < caught.value.retry_after <= 5


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 50035, Refused),
        (400, 50006, Refused),
        (400, 50083, NotPermitted),
        (401, 0, NotPermitted),
        (403, 50001, NotPermitted),
        (403, 50013, NotPermitted),
        (403, 50007, NotPermitted),
        (404, 10003, NotPermitted),
        (404, 10008, MessageGone),
        (413, 40005, Refused),
        (429, 30046, RateLimited),
        (500, 0, PlatformUnavailable),
        (503, 0, PlatformUnavailable),
    ],
)
async def test_each_refusal_is_told_by_who_can_act(scene, status, code, expected):
    """Posts, edits and typing fail alike; only a post may have happened all the same."""
    surface = scene.surface()
    posted = await surface.post("hi", nonce="1")
    calls = (
        ("POST", MESSAGES, lambda: surface.post("ho", nonce="2")),
        ("PATCH", f"{MESSAGES}/*", lambda: surface.edit(posted, "ho")),
        ("POST", "/channels/*/typing", surface.typing),
    )
    for method, route, call in calls:
        scene.emulator.fail(method, route, status=status, code=code)
        with pytest.raises(expected) as caught:
            await call()

        if expected is RateLimited:
            assert caught.value.is_global is False
        if expected is PlatformUnavailable:
            assert caught.value.is_ambiguous is (method == "POST")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "7"}, 7.0), ({}, 60.0), ({"Retry-After": "Wed, 21 Oct 2026"}, 60.0)],
)
async def test_cloudflare_wants_silence_everywhere(headers, wait):
    """A 429 with a page instead of Discord's body concerns the whole bot."""

    def cloudflare(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, text="<html>error 1015</html>", headers=headers)

    async with httpx.AsyncClient(transport=httpx.MockTransport(cloudflare)) as http:
        with pytest.raises(RateLimited) as caught:
            await Rest(http, "http://discord.test", "a.b.c").typing("1")

    assert (caught.value.retry_after, caught.value.is_global) == (wait, True)


async def test_nothing_reached_nobody():
    """Where no connection comes about, nothing can have been posted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with httpx.AsyncClient() as http:
        with pytest.raises(PlatformUnavailable) as caught:
            await Rest(http, api, "a.b.c").post("1", "hi", nonce="1", reply_to=None)

    assert caught.value.is_ambiguous is False


async def test_no_log_line_holds_a_secret(caplog):
    """Neither the token nor what people write is logged, even at the lowest level of ours."""
    caplog.set_level(logging.INFO)
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    try:
        async with staged() as scene, receiving(scene, Inbox(refusals=1)) as inbox:
            scene.emulator.dispatch("MESSAGE_CREATE", {"content": "a private word"})
            await scene.say("a private word", mention_bot=True)
            await arrived(inbox)
            scene.emulator.drop_gateway(1006)
            await until(lambda: scene.emulator.connections == 1)
            scene.emulator.fail("POST", MESSAGES, status=401)
            with pytest.raises(NotPermitted):
                await scene.surface().post("a private word", nonce="1")
            token = str(scene.section["token"])
    finally:
        structlog.reset_defaults()

    assert "delivery_retried" in caplog.text
    assert "token_refused" in caplog.text
    assert token not in caplog.text
    assert "a private word" not in caplog.text
