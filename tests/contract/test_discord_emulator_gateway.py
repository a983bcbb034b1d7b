"""The emulated gateway, driven as Discord's documentation describes, with a plain websocket."""

import asyncio
import json
import zlib
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.discord.emulator import DiscordEmulator, Rate, RateRules

GUILDS, GUILD_MEMBERS, GUILD_MESSAGES, DIRECT, CONTENT = 1, 2, 1 << 9, 1 << 12, 1 << 15
ALL = GUILDS | GUILD_MESSAGES | DIRECT | CONTENT
EMPTY = {"t": None, "s": None, "d": None}  # what an event has, and nothing else
PATIENCE = 5.0


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Client:
    """A gateway client of the simplest kind; it remembers the last sequence."""

    def __init__(self, socket, token):
        self.socket, self.token, self.sequence = socket, token, None

    async def tell(self, op, d):
        await self.socket.send(json.dumps({"op": op, "d": d}))

    async def hear(self):
        async with asyncio.timeout(PATIENCE):
            payload = json.loads(await self.socket.recv())
        self.sequence = payload.get("s") or self.sequence
        return payload

    async def event(self, name):
        while (payload := await self.hear())["t"] != name:
            pass
        return payload["d"]

    async def identify(self, intents=ALL, **more):
        form = {"token": self.token, "intents": intents, "properties": {"os": "linux"}, **more}
        await self.tell(2, form)

    async def begin(self, intents=ALL, **more):
        await self.identify(intents, **more)
        return await self.event("READY")

    async def resume(self, ready, sequence):
        form = {"token": self.token, "session_id": ready["session_id"], "seq": sequence}
        await self.tell(6, form)

    async def closed(self):
        try:
            while True:
                await self.hear()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None


class Room:
    def __init__(self, emulator, hand, section):
        self.emulator, self.hand, self.section = emulator, hand, section
        self.ann = emulator.person("Ann")
        self.guild = emulator.guild("Home", [self.ann])
        self.channel = emulator.channel(self.guild, "general")

    @asynccontextmanager
    async def joined(self, query="v=10&encoding=json"):
        async with connect(f"{self.section['gateway_url']}?{query}") as socket:
            client = Client(socket, self.section["token"])
            hello = await client.hear()
            assert (10, 41250) == (hello["op"], hello["d"]["heartbeat_interval"])
            yield client

    async def say(self, text="hi", **more):
        return await self.emulator.send(self.channel, self.ann, text, **more)


@asynccontextmanager
async def opened(**more):
    hand = Hand()
    emulator = DiscordEmulator(clock=hand, **more)
    async with emulator.open() as section:
        yield Room(emulator, hand, section)


@pytest.fixture
async def room():
    async with opened(rates=None) as made:
        yield made


class TestBeginning:
    async def test_ready_and_the_guilds(self, room):
        """Ready names the guilds as unavailable; each is then created, with all it has."""
        async with room.joined() as client:
            ready = await client.begin()
            guild = await client.event("GUILD_CREATE")

        assert [{"id": room.guild.id, "unavailable": True}] == ready["guilds"]
        assert room.section["gateway_url"] == ready["resume_gateway_url"]
        assert {"id", "flags"} == set(ready["application"])
        assert (10, room.emulator.bot.id) == (ready["v"], ready["user"]["id"])
        assert ("Home", 2, ["general"]) == (
            guild["name"],
            guild["member_count"],
            [one["name"] for one in guild["channels"]],
        )

    async def test_token_with_its_scheme(self, room):
        """A token is taken with "Bot " before it, too, as some libraries send it."""
        async with room.joined() as client:
            ready = await client.begin(token=f"Bot {client.token}")

        assert room.emulator.bot.id == ready["user"]["id"]

    async def test_heartbeats_are_acknowledged(self, room):
        """A heartbeat is answered before and after identifying."""
        async with room.joined() as client:
            await client.tell(1, None)
            before = await client.hear()
            await client.begin()
            await client.event("GUILD_CREATE")
            await client.tell(1, client.sequence)
            after = await client.hear()

        assert [11, 11] == [before["op"], after["op"]]

    async def test_a_silent_client_is_closed(self, room):
        """Without heartbeats the connection is over; its session is not."""
        async with room.joined() as client:
            ready = await client.begin()
            room.hand.at += 100
            code = await client.closed()
        async with room.joined() as client:
            await client.resume(ready, 2)
            resumed = await client.event("RESUMED")

        assert 4009 == code
        assert {"_trace": []} == resumed

    async def test_places_are_told_as_they_are_made(self, room):
        """New guilds, channels and threads are dispatched."""
        async with room.joined() as client:
            await client.begin()
            await client.event("GUILD_CREATE")
            guild = room.emulator.guild("Away", [room.ann])
            channel = room.emulator.channel(guild, "lobby")
            room.emulator.thread(channel, room.ann, "Topic")
            names = [(await client.hear())["t"] for _ in range(3)]

        assert ["GUILD_CREATE", "CHANNEL_CREATE", "THREAD_CREATE"] == names

    async def test_members_are_told_when_asked_for(self, room):
        """A request for members is answered with those it means, under its nonce."""
        async with room.joined() as client:
            await client.begin(ALL | GUILD_MEMBERS)
            wanted = {"guild_id": room.guild.id, "query": "an", "limit": 0, "nonce": "n"}
            await client.tell(8, wanted)
            chunk = await client.event("GUILD_MEMBERS_CHUNK")

        assert ["Ann"] == [one["user"]["global_name"] for one in chunk["members"]]
        assert ("n", 0, 1) == (chunk["nonce"], chunk["chunk_index"], chunk["chunk_count"])

    async def test_shards(self, room):
        """A shard hears of its own guilds, and the first of direct messages, too."""
        index = (int(room.guild.id) >> 22) % 2
        direct = room.emulator.direct(room.ann)
        async with room.joined() as theirs, room.joined() as other:
            ready = await theirs.begin(shard=[index, 2])
            empty = await other.begin(shard=[1 - index, 2])
            await theirs.event("GUILD_CREATE")
            await room.say()
            heard = await theirs.event("MESSAGE_CREATE")
            await room.emulator.send(direct, room.ann, "psst")
            first = theirs if index == 0 else other
            private = await first.event("MESSAGE_CREATE")

        assert ([index, 2], 1, 0) == (ready["shard"], len(ready["guilds"]), len(empty["guilds"]))
        assert ("hi", "psst") == (heard["content"], private["content"])


class TestMessages:
    async def test_in_a_guild(self, room):
        """A message comes with its guild, its author's membership and those of the mentioned."""
        picture = ("a.bin", "application/octet-stream", b"123")
        async with room.joined() as client:
            await client.begin()
            await room.say("look", mention_bot=True, attachments=[picture])
            told = await client.event("MESSAGE_CREATE")
        bot = room.emulator.bot.id

        assert (room.guild.id, 0, f"<@{bot}> look") == (
            told["guild_id"],
            told["type"],
            told["content"],
        )
        assert [] == told["member"]["roles"]
        assert "user" not in told["member"]
        assert [(bot, True)] == [(one["id"], "roles" in one["member"]) for one in told["mentions"]]
        assert (3, "a.bin", "application/octet-stream") == tuple(
            told["attachments"][0][one] for one in ("size", "filename", "content_type")
        )
        assert "width" not in told["attachments"][0]

    async def test_in_private(self, room):
        """A direct message has neither guild nor member, not even null."""
        direct = room.emulator.direct(room.ann)
        async with room.joined() as client:
            await client.begin()
            await room.emulator.send(direct, room.ann, "psst")
            told = await client.event("MESSAGE_CREATE")

        assert set() == {"guild_id", "member"} & set(told)
        assert "psst" == told["content"]

    async def test_a_reply_and_a_forward(self, room):
        """A reply carries what it answers; a forward is empty, with a snapshot."""
        other = room.emulator.channel(room.guild, "other")
        async with room.joined() as client:
            await client.begin()
            first = await room.say("why?")
            await room.say("so", reply_to=first)
            await client.event("MESSAGE_CREATE")
            reply = await client.event("MESSAGE_CREATE")
            await room.emulator.forward(other, room.ann, room.channel, first)
            forward = await client.event("MESSAGE_CREATE")

        assert ("why?", 19) == (reply["referenced_message"]["content"], reply["type"])
        assert ("", 1) == (forward["content"], forward["message_reference"]["type"])
        assert "why?" == forward["message_snapshots"][0]["message"]["content"]

    async def test_changes(self, room):
        """An edit tells the whole message again, a deletion its ids, a reaction who and what."""
        async with room.joined() as client:
            await client.begin(ALL | 1 << 10)
            await client.event("GUILD_CREATE")
            message = await room.say("one")
            await room.emulator.edit(room.channel, message, "two")
            await room.emulator.delete(room.channel, message)
            await client.event("MESSAGE_CREATE")
            edited, deleted = await client.hear(), await client.hear()

        assert ("MESSAGE_UPDATE", "two") == (edited["t"], edited["d"]["content"])
        assert room.ann.id == edited["d"]["author"]["id"]
        assert {
            "id": message,
            "channel_id": room.channel.id,
            "guild_id": room.guild.id,
        } == deleted["d"]

    async def test_the_bots_own(self, room):
        """What the bot posts is told to it, with its nonce."""
        headers = {"Authorization": f"Bot {room.section['token']}"}
        async with room.joined() as client, httpx.AsyncClient(trust_env=False) as http:
            await client.begin(GUILD_MESSAGES)
            url = f"{room.section['api_url']}/channels/{room.channel.id}/messages"
            await http.post(url, json={"content": "mine", "nonce": "n1"}, headers=headers)
            told = await client.event("MESSAGE_CREATE")

        assert ("mine", "n1", True) == (told["content"], told["nonce"], told["author"]["bot"])

    async def test_without_the_intent_nothing_is_told(self, room):
        """Who did not ask for messages hears of none."""
        async with room.joined() as client:
            await client.begin(GUILDS)
            await client.event("GUILD_CREATE")
            await room.say()
            room.emulator.channel(room.guild, "later")
            following = await client.hear()

        assert "CHANNEL_CREATE" == following["t"]

    async def test_an_unseen_channel_is_not_told(self, room):
        """What happens in a channel that the bot does not see stays there."""
        room.emulator.deny(room.channel, "VIEW_CHANNEL")
        async with room.joined() as client:
            await client.begin()
            await client.event("GUILD_CREATE")
            await room.say()
            room.emulator.channel(room.guild, "later")
            following = await client.hear()

        assert "CHANNEL_CREATE" == following["t"]

    async def test_without_content(self, room):
        """Without that intent only what is meant for the bot can be read."""
        picture = ("a.bin", "application/octet-stream", b"123")
        headers = {"Authorization": f"Bot {room.section['token']}"}
        url = f"{room.section['api_url']}/channels/{room.channel.id}/messages"
        async with room.joined() as client, httpx.AsyncClient(trust_env=False) as http:
            mine = (await http.post(url, json={"content": "mine"}, headers=headers)).json()["id"]
            await client.begin(GUILD_MESSAGES | DIRECT)
            await room.say("secret", attachments=[picture])
            await room.say("named", mention_bot=True)
            await room.say("pinged", reply_to=mine)
            await room.say("unpinged", reply_to=mine, ping=False)
            await room.emulator.send(room.emulator.direct(room.ann), room.ann, "private")
            told = [await client.event("MESSAGE_CREATE") for _ in range(5)]
        name = f"<@{room.emulator.bot.id}> named"

        assert ["", name, "pinged", "", "private"] == [one["content"] for one in told]
        assert [] == told[0]["attachments"]
        assert "mine" == told[3]["referenced_message"]["content"]


class TestResuming:
    async def test_what_was_missed_is_told_in_order(self, room):
        """A client that comes back hears what it missed, then that it is resumed."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.event("GUILD_CREATE")
            await client.socket.close(4000)
        for text in ("one", "two"):
            await room.say(text)
        async with room.joined() as back:
            await back.resume(ready, client.sequence)
            missed = [await back.hear() for _ in range(3)]
            await room.say("three")
            following = await back.hear()

        assert ["one", "two", None, "three"] == [
            one["d"].get("content") for one in (*missed, following)
        ]
        assert "RESUMED" == missed[2]["t"]
        assert [3, 4, 5, 6] == [one["s"] for one in (*missed, following)]

    @pytest.mark.parametrize("code", [1000, 1001])
    async def test_a_clean_close_ends_the_session(self, room, code):
        """Who closes with 1000 or 1001 cannot come back."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.socket.close(code)
        async with room.joined() as back:
            await back.resume(ready, 1)
            answer = await back.hear()

        assert EMPTY | {"op": 9, "d": False} == answer

    async def test_a_session_lasts_some_minutes(self, room):
        """Who stays away for longer begins anew, on the same connection."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.socket.close(4000)
        while room.emulator.connections:
            await asyncio.sleep(0.01)
        room.hand.at += 181
        async with room.joined() as back:
            await back.resume(ready, 1)
            answer = await back.hear()
            again = await back.begin()

        assert EMPTY | {"op": 9, "d": False} == answer
        assert ready["session_id"] != again["session_id"]

    async def test_a_sequence_from_the_future(self, room):
        """A sequence that was never sent ends the session."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.socket.close(4000)
        async with room.joined() as back:
            await back.resume(ready, 99)
            code = await back.closed()

        assert 4007 == code

    async def test_resumed_elsewhere(self, room):
        """A session has one connection: the older one is closed."""
        async with room.joined() as old, room.joined() as new:
            ready = await old.begin()
            await new.resume(ready, 2)
            await new.event("RESUMED")
            code = await old.closed()

        assert 4000 == code


async def send_twice(client):
    await client.begin(GUILDS)
    await client.identify(GUILDS)


async def resume_with_a_wrong_token(client):
    await client.tell(6, {"token": "x", "session_id": "x", "seq": 1})


def telling(raw):
    return lambda client: client.socket.send(raw)


def identifying(**form):
    return lambda client: client.identify(**form)


CLOSES = [
    (4001, telling('{"op": 99, "d": null}')),
    (4001, telling('{"op": 0, "d": null}')),
    (4002, telling("not json")),
    (4002, telling("[]")),
    (4002, telling('{"op": 2, "d": 1}')),
    (4002, telling('{"op": 1, "d": "x"}')),
    (4002, telling(json.dumps({"op": 1, "d": None, "pad": "x" * 4096}))),
    (4002, identifying(properties=None)),
    (4003, telling('{"op": 3, "d": {}}')),
    (4003, telling('{"op": 8, "d": {}}')),
    (4004, identifying(token="x")),
    (4004, resume_with_a_wrong_token),
    (4005, send_twice),
    (4010, identifying(intents=GUILDS, shard=[2, 2])),
    (4010, identifying(intents=GUILDS, shard=[0])),
    (4010, identifying(intents=GUILDS, shard="0")),
    (4013, identifying(intents=1 << 30)),
    (4013, identifying(intents=-1)),
    (4013, identifying(intents=None)),
    (4014, identifying(intents=GUILDS | CONTENT)),
    (4014, identifying(intents=GUILD_MEMBERS)),
]


@pytest.mark.parametrize(("code", "act"), CLOSES)
async def test_closes(code, act):
    """What is not allowed closes the connection, with its own code."""
    async with opened(rates=None, privileged=0) as room, room.joined() as client:
        await act(client)

        assert code == await client.closed()


async def test_sharding_is_required_of_the_large(room):
    """With more than 2500 guilds one connection is not enough, and two are."""
    for n in range(2500):
        room.hand.at += 0.001
        room.emulator.guild(f"G{n}", [room.ann])
    async with room.joined() as client, room.joined() as sharded:
        await client.identify()
        code = await client.closed()
        ready = await sharded.begin(0, shard=[0, 2])

        assert 4011 == code
        assert 2500 > len(ready["guilds"])


@pytest.mark.parametrize("version", ["6", "", "x"])
async def test_versions(room, version):
    """An old version of the API is refused."""
    async with connect(f"{room.section['gateway_url']}?v={version}") as socket:
        client = Client(socket, "")

        assert 4012 == await client.closed()


@pytest.mark.parametrize("query", ["encoding=etf", "compress=lz4"])
async def test_what_is_not_spoken(room, query):
    """An encoding or compression that is not to be had is refused at once."""
    with pytest.raises(InvalidStatus):
        await connect(f"{room.section['gateway_url']}?v=10&{query}")


async def test_zlib(room):
    """All payloads of a connection share one stream, and each ends with a flush."""
    url = f"{room.section['gateway_url']}?v=10&encoding=json&compress=zlib-stream"
    async with connect(url) as socket:
        inflator = zlib.decompressobj()
        hello = await socket.recv()
        form = {"token": room.section["token"], "intents": ALL, "properties": {}}
        await socket.send(json.dumps({"op": 2, "d": form}))
        ready = await socket.recv()
        payloads = [json.loads(inflator.decompress(one)) for one in (hello, ready)]

        assert [b"\x00\x00\xff\xff"] * 2 == [one[-4:] for one in (hello, ready)]
        assert [10, 0] == [one["op"] for one in payloads]


class TestLimits:
    async def test_of_a_connection(self):
        """Who sends too much in a minute is disconnected."""
        rules = RateRules(gateway=Rate(3, 60.0))
        async with opened(rates=rules) as room, room.joined() as client:
            for _ in range(4):
                await client.tell(1, None)

            assert 4008 == await client.closed()

    async def test_of_identifying(self):
        """Two at once are too many: the second is told to try again, and may."""
        async with opened() as room, room.joined() as first, room.joined() as second:
            await first.begin()
            await second.identify()
            refused = await second.hear()
            room.hand.at += 5
            ready = await second.begin()

            assert EMPTY | {"op": 9, "d": False} == refused
            assert "session_id" in ready


class TestFaults:
    async def test_dropped_with_a_code(self, room):
        """A connection is closed with the code that is asked for, and can be resumed."""
        async with room.joined() as client:
            ready = await client.begin()
            room.emulator.drop_gateway(4000)
            code = await client.closed()
        async with room.joined() as back:
            await back.resume(ready, 2)

            assert 4000 == code
            assert {"_trace": []} == await back.event("RESUMED")

    async def test_cut(self, room):
        """1006 is no close at all."""
        async with room.joined() as client:
            await client.begin()
            room.emulator.drop_gateway(1006)

            assert await client.closed() is None

    async def test_asked_to_reconnect(self, room):
        """Opcode 7 asks to come back; the connection stays until the client goes."""
        async with room.joined() as client:
            await client.begin()
            await client.event("GUILD_CREATE")
            room.emulator.reconnect()

            assert EMPTY | {"op": 7} == await client.hear()

    @pytest.mark.parametrize(("resumable", "following"), [(True, "RESUMED"), (False, None)])
    async def test_invalid_sessions(self, room, resumable, following):
        """Opcode 9 tells whether the session can be resumed, and it is so."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.event("GUILD_CREATE")
            room.emulator.invalidate_session(resumable=resumable)
            told = await client.hear()
            await client.socket.close(4000)
        async with room.joined() as back:
            await back.resume(ready, 2)
            answer = await back.hear()

        assert EMPTY | {"op": 9, "d": resumable} == told
        assert following == answer.get("t")

    async def test_resumes_where_it_is(self, room):
        """A session that may be resumed is so on the connection it was taken from, too."""
        async with room.joined() as client:
            ready = await client.begin()
            await client.event("GUILD_CREATE")
            room.emulator.invalidate_session(resumable=True)
            await client.hear()
            await room.say("missed")
            await client.resume(ready, 2)
            missed = await client.event("MESSAGE_CREATE")
            resumed = await client.event("RESUMED")

        assert "missed" == missed["content"]
        assert resumed is not None

    async def test_shape_of_payloads(self, room):
        """Every payload has its four fields: some libraries read them before the opcode."""
        async with room.joined() as client:
            await client.tell(1, None)

            assert EMPTY | {"op": 11} == await client.hear()

    async def test_twice_and_malformed(self, room):
        """A message can be dispatched again, and anything else at all."""
        async with room.joined() as client:
            await client.begin()
            message = await room.say()
            room.emulator.redeliver(room.channel, message)
            first = await client.event("MESSAGE_CREATE")
            second = await client.event("MESSAGE_CREATE")
            room.emulator.dispatch("MESSAGE_CREATE", {"id": None})
            broken = await client.hear()

        assert first == second
        assert {"id": None} == broken["d"]
