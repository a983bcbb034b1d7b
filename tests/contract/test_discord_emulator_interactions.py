"""Commands and interactions of the emulated Discord, over plain HTTP."""

import json
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import connect

from adapters.discord.emulator import DiscordEmulator
from bridge.errors import BridgeError

ASK = {"name": "ask", "description": "Ask the agent"}


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Room:
    def __init__(self, emulator, hand, http, section):
        self.emulator, self.hand, self.http, self.section = emulator, hand, http, section
        self.ann = emulator.person("Ann", "zh-CN")
        self.guild = emulator.guild("Home", [self.ann])
        self.channel = emulator.channel(self.guild, "general")
        self.commands = f"/applications/{emulator.bot.id}/commands"

    @asynccontextmanager
    async def asked(self, channel=None, **options):
        """Register and invoke a command, and yield the interaction as the gateway tells it."""
        await self.http.put(self.commands, json=[ASK])
        async with connect(f"{self.section['gateway_url']}?v=10") as socket:
            form = {"token": self.section["token"], "intents": 0, "properties": {}}
            await socket.send(json.dumps({"op": 2, "d": form}))
            await socket.recv()
            await socket.recv()
            await self.emulator.invoke(channel or self.channel, self.ann, "ask", **options)
            yield json.loads(await socket.recv())["d"]

    async def respond(self, interaction, kind, **data):
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        query = {"with_response": "true"}
        return await self.http.post(path, json={"type": kind, "data": data}, params=query)

    def hook(self, interaction, rest=""):
        return f"/webhooks/{self.emulator.bot.id}/{interaction['token']}{rest}"


@pytest.fixture
async def room():
    hand = Hand()
    emulator = DiscordEmulator(clock=hand, rates=None)
    async with (
        emulator.open() as section,
        httpx.AsyncClient(
            base_url=section["api_url"],
            headers={"Authorization": f"Bot {section['token']}"},
            trust_env=False,
        ) as http,
    ):
        yield Room(emulator, hand, http, section)


class TestCommands:
    async def test_are_kept(self, room):
        """A command is made, overwritten under its name, changed, listed and removed."""
        made = await room.http.post(room.commands, json=ASK)
        again = await room.http.post(room.commands, json={**ASK, "description": "Ask it"})
        one = f"{room.commands}/{made.json()['id']}"
        changed = await room.http.patch(one, json={"description": "Ask them"})
        listed = (await room.http.get(room.commands)).json()
        read = (await room.http.get(one)).json()
        removed = await room.http.delete(one)
        gone = await room.http.get(one)

        assert [201, 200] == [made.status_code, again.status_code]
        assert made.json()["id"] == again.json()["id"] == changed.json()["id"]
        assert [read] == listed
        assert "Ask them" == read["description"]
        assert (204, 10063) == (removed.status_code, gone.json()["code"])

    async def test_are_overwritten_together(self, room):
        """All are replaced at once, those of a guild apart from those of all."""
        stop = {"name": "stop", "description": "Stop it"}
        first = (await room.http.put(room.commands, json=[ASK])).json()
        second = (await room.http.put(room.commands, json=[stop, ASK])).json()
        place = f"/applications/{room.emulator.bot.id}/guilds/{room.guild.id}/commands"
        local = (await room.http.put(place, json=[stop])).json()

        assert ["stop", "ask"] == [one["name"] for one in second]
        assert first[0]["id"] == second[1]["id"]
        assert room.guild.id == local[0]["guild_id"]
        assert "guild_id" not in first[0]

    @pytest.mark.parametrize(
        ("form", "path", "code"),
        [
            ({**ASK, "name": "Ask Me"}, "name", "APPLICATION_COMMAND_INVALID_NAME"),
            ({**ASK, "name": "a" * 33}, "name", "BASE_TYPE_BAD_LENGTH"),
            ({"description": "x"}, "name", "BASE_TYPE_REQUIRED"),
            ({"name": "ask"}, "description", "BASE_TYPE_REQUIRED"),
            ({**ASK, "description": "x" * 101}, "description", "BASE_TYPE_BAD_LENGTH"),
            ({**ASK, "options": [{}] * 26}, "options", "BASE_TYPE_MAX_LENGTH"),
        ],
    )
    async def test_are_checked(self, room, form, path, code):
        """A command that cannot be shown is refused, alone or among others."""
        alone = (await room.http.post(room.commands, json=form)).json()
        among = (await room.http.put(room.commands, json=[ASK, form])).json()

        assert code == alone["errors"][path]["_errors"][0]["code"]
        assert code == among["errors"]["1"][path]["_errors"][0]["code"]

    async def test_unknown_ones_cannot_be_invoked(self, room):
        """What was never registered is not there for a person."""
        with pytest.raises(BridgeError, match="Unknown application command"):
            await room.emulator.invoke(room.channel, room.ann, "ask")


class TestInteractions:
    async def test_tell_who_where_and_what(self, room):
        """In a guild there is a member, in private a user, and the person's language in both."""
        direct = room.emulator.direct(room.ann)
        async with room.asked(question="why?", often=3) as told:
            guild = told
        async with room.asked(direct) as told:
            private = told

        assert ("ask", [("question", 3, "why?"), ("often", 4, 3)]) == (
            guild["data"]["name"],
            [(one["name"], one["type"], one["value"]) for one in guild["data"]["options"]],
        )
        assert (room.ann.id, "zh-CN", 0) == (
            guild["member"]["user"]["id"],
            guild["locale"],
            guild["context"],
        )
        assert (room.ann.id, 1) == (private["user"]["id"], private["context"])
        assert "member" not in private

    async def test_are_answered_at_once(self, room):
        """A message in answer is the bot's, and tells what it answers."""
        async with room.asked() as interaction:
            answer = await room.respond(interaction, 4, content="so")
            message = answer.json()["resource"]["message"]

        assert ("so", 20, interaction["id"]) == (
            message["content"],
            message["type"],
            message["interaction_metadata"]["id"],
        )
        assert message["id"] == answer.json()["interaction"]["response_message_id"]

    async def test_are_deferred_and_followed_up(self, room):
        """The first follow-up takes the place of what was deferred, and is no edit."""
        async with room.asked() as interaction:
            deferred = (await room.respond(interaction, 5)).json()
            hook = room.hook(interaction)
            first = (await room.http.post(hook, json={"content": "so"})).json()
            second = (await room.http.post(hook, json={"content": "and"})).json()
            path = room.hook(interaction, "/messages/@original")
            edited = (await room.http.patch(path, json={"content": "so!"})).json()
            read = (await room.http.get(path)).json()
            removed = await room.http.delete(path)

        assert deferred["interaction"]["response_message_loading"]
        assert first["id"] == deferred["interaction"]["response_message_id"] == edited["id"]
        assert (0, None) == (first["flags"], first["edited_timestamp"])
        assert edited == read
        assert second["id"] != first["id"]
        assert 204 == removed.status_code

    async def test_must_be_answered_within_three_seconds(self, room):
        """Later the interaction is unknown, and a second answer is one too many."""
        async with room.asked() as interaction:
            room.hand.at += 3.1
            late = await room.respond(interaction, 4, content="so")
        async with room.asked() as interaction:
            await room.respond(interaction, 4, content="so")
            twice = await room.respond(interaction, 4, content="so")

        assert (404, 10062) == (late.status_code, late.json()["code"])
        assert (400, 40060) == (twice.status_code, twice.json()["code"])

    async def test_end_after_fifteen_minutes(self, room):
        """Then the token is worth nothing; before an answer, there is nothing to change."""
        async with room.asked() as interaction:
            path = room.hook(interaction, "/messages/@original")
            early = await room.http.patch(path, json={"content": "so"})
            await room.respond(interaction, 5)
            room.hand.at += 901
            late = await room.http.patch(path, json={"content": "so"})

        assert (404, 10015) == (early.status_code, early.json()["code"])
        assert (401, 50027) == (late.status_code, late.json()["code"])

    async def test_are_private_if_asked_for(self, room):
        """What only the person sees is not to be found in the channel."""
        async with room.asked() as interaction:
            answer = (await room.respond(interaction, 4, content="so", flags=64)).json()
            message = answer["resource"]["message"]["id"]
            base = f"/channels/{room.channel.id}/messages"
            read = await room.http.get(f"{base}/{message}")
            history = (await room.http.get(base)).json()

        assert room.emulator.messages(room.channel)[0].is_ephemeral
        assert (10008, []) == (read.json()["code"], history)

    async def test_change_their_own_messages_alone(self, room):
        """An interaction's token opens no other message, and posts no empty one."""
        path = f"/channels/{room.channel.id}/messages"
        other = (await room.http.post(path, json={"content": "x"})).json()["id"]
        async with room.asked() as interaction:
            await room.respond(interaction, 4, content="so")
            hook = room.hook(interaction, f"/messages/{other}")
            edited = await room.http.patch(hook, json={"content": "y"})
            empty = await room.http.post(room.hook(interaction), json={"content": ""})

        assert [10008, 50006] == [one.json()["code"] for one in (edited, empty)]

    @pytest.mark.parametrize("body", [{}, {"type": 2}, {"type": 4, "data": []}])
    async def test_callbacks_are_checked(self, room, body):
        """A callback of no known type, or with no object, is refused."""
        async with room.asked() as interaction:
            path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
            answer = await room.http.post(path, json=body)

        assert answer.status_code == 400
