"""The emulated Discord, driven by discord.py as it is."""

import asyncio
import io
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.emulator import DiscordEmulator

PATIENCE = 10.0
PIXEL = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0\0\0\0\0"


class Bot(discord.Client):
    """A bot that keeps what it hears."""

    def __init__(self, **more):
        intents = discord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, message_content=True
        )
        super().__init__(
            intents=intents,
            guild_ready_timeout=0,
            allowed_mentions=discord.AllowedMentions.none(),
            **more,
        )
        self.heard = asyncio.Queue()
        self.resumed = asyncio.Event()

    async def on_message(self, message):
        if message.author != self.user:
            self.heard.put_nowait(message)

    async def on_resumed(self):
        self.resumed.set()

    async def next(self):
        async with asyncio.timeout(PATIENCE):
            return await self.heard.get()


class Room:
    def __init__(self, emulator, section):
        self.emulator, self.section = emulator, section
        self.ann = emulator.person("Ann", "de")
        self.guild = emulator.guild("Home", [self.ann])
        self.channel = emulator.channel(self.guild, "general")

    @asynccontextmanager
    async def online(self, bot=None):
        bot = bot or Bot()
        async with bot, asyncio.TaskGroup() as tasks:
            await bot.login(self.section["token"])
            task = tasks.create_task(bot.connect())
            async with asyncio.timeout(PATIENCE):
                await bot.wait_until_ready()
            yield bot
            await bot.close()
            await task

    async def say(self, text, **more):
        return await self.emulator.send(self.channel, self.ann, text, **more)


@pytest.fixture
async def room():
    emulator = DiscordEmulator()
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with emulator.open() as section:
        Route.BASE = section["api_url"]
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(section["gateway_url"])
        yield Room(emulator, section)
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


async def test_comes_online(room):
    """The library logs in, connects and knows where it is."""
    async with room.online() as bot:
        guild = bot.get_guild(int(room.guild.id))

        assert int(room.emulator.bot.id) == bot.user.id == bot.application_id
        assert ["general"] == [one.name for one in guild.text_channels]
        assert guild.get_channel(int(room.channel.id)).permissions_for(guild.me).send_messages


@pytest.mark.usefixtures("room")
async def test_a_wrong_token():
    """Another token is a failed login."""
    async with Bot() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("nobody")


async def test_an_intent_that_is_switched_off():
    """Without the intent in the portal the library says so, and gives up."""
    emulator = DiscordEmulator(privileged=0)
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with emulator.open() as section:
        Route.BASE = section["api_url"]
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(section["gateway_url"])
        try:
            async with Bot() as bot:
                with pytest.raises(discord.PrivilegedIntentsRequired):
                    await bot.start(section["token"])
        finally:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


async def test_a_message_in_a_guild(room):
    """A message is heard as it was meant, and its file can be read."""
    async with room.online() as bot:
        sent = await room.say("look", mention_bot=True, attachments=[("x.png", "image/png", PIXEL)])
        message = await bot.next()
        attachment = message.attachments[0]

        assert (int(sent), "Ann") == (message.id, message.author.display_name)
        assert bot.user in message.mentions
        assert isinstance(message.author, discord.Member)
        assert (3, 2, "image/png") == (attachment.width, attachment.height, attachment.content_type)
        assert PIXEL == await attachment.read()


async def test_a_direct_message(room):
    """A direct message is heard as one, and answered there."""
    direct = room.emulator.direct(room.ann)
    async with room.online() as bot:
        await room.emulator.send(direct, room.ann, "psst")
        message = await bot.next()
        await message.channel.send("yes?")
        user = await bot.fetch_user(int(room.ann.id))
        await user.send("and?")

        assert isinstance(message.channel, discord.DMChannel)
        assert ["psst", "yes?", "and?"] == [one.content for one in room.emulator.messages(direct)]


async def test_a_reply_a_forward_and_a_thread(room):
    """What a message refers to is resolved, and a thread is known before it speaks."""
    async with room.online() as bot:
        first = await room.say("why?")
        await room.say("so", reply_to=first)
        await room.emulator.forward(room.channel, room.ann, room.channel, first)
        thread = room.emulator.thread(room.channel, room.ann, "Topic", first)
        await room.emulator.send(thread, room.ann, "inside")
        _, reply, forward, inside = [await bot.next() for _ in range(4)]

        assert "why?" == reply.reference.resolved.content
        assert "why?" == forward.message_snapshots[0].content
        assert (int(first), int(room.channel.id)) == (inside.channel.id, inside.channel.parent_id)


async def test_sends_edits_replies_and_deletes(room):
    """Everything the bot does to messages is seen in the channel."""
    async with room.online() as bot:
        await room.say("why?")
        question = await bot.next()
        answer = await question.reply("becau", nonce="n1")
        partial = question.channel.get_partial_message(answer.id)
        await partial.edit(content="because")
        await question.add_reaction("👀")
        await question.remove_reaction("👀", bot.user)
        await question.channel.typing()
        extra = await question.channel.send(file=discord.File(io.BytesIO(b"# all"), "all.md"))
        await extra.delete()
        shown = room.emulator.messages(room.channel)

        assert ["why?", "because"] == [one.content for one in shown]
        assert (True, 1, str(question.id), "n1") == (
            shown[1].is_bot,
            shown[1].edits,
            shown[1].reply_to,
            shown[1].nonce,
        )


async def test_history(room):
    """The history is read page by page, in either direction."""
    for n in range(130):
        await room.say(str(n))
    async with room.online() as bot:
        channel = bot.get_channel(int(room.channel.id))
        newest = [one.content async for one in channel.history(limit=120)]
        after = [
            one.content
            async for one in channel.history(after=discord.Object(int(room.guild.id)), limit=3)
        ]

        assert [str(n) for n in range(129, 9, -1)] == newest
        assert ["0", "1", "2"] == after


async def test_a_thread_is_started(room):
    """The bot starts a thread on a message, and speaks in it."""
    async with room.online() as bot:
        await room.say("topic")
        message = await bot.next()
        thread = await message.create_thread(name="Topic")
        await thread.send("inside")

        with pytest.raises(discord.HTTPException) as refused:
            await message.create_thread(name="Topic")

        assert (message.id, 160004) == (thread.id, refused.value.code)


async def test_errors_are_the_librarys_own(room):
    """Refusals arrive as the classes that stand for them."""
    async with room.online() as bot:
        channel = bot.get_channel(int(room.channel.id))
        theirs = channel.get_partial_message(int(await room.say("mine")))
        with pytest.raises(discord.HTTPException, match="Must be 2000 or fewer"):
            await channel.send("x" * 2001)
        with pytest.raises(discord.Forbidden, match="50005"):
            await theirs.edit(content="yours")
        with pytest.raises(discord.NotFound, match="10008"):
            await channel.fetch_message(1)


async def test_waits_out_a_429(room):
    """The library waits as long as a 429 says, and then succeeds."""
    async with room.online() as bot:
        channel = bot.get_channel(int(room.channel.id))
        room.emulator.flood(room.channel, 0.3)
        await channel.send("late")
        statuses = [one.status for one in room.emulator.calls if one.path.endswith("/messages")]

        assert [429, 200] == statuses


async def test_a_lost_answer_is_no_second_message(room):
    """The library repeats a failed post with the same nonce, and one message is there."""
    async with room.online() as bot:
        channel = bot.get_channel(int(room.channel.id))
        room.emulator.fail("POST", "/channels/*/messages", status=502, after_success=True)
        await channel.send("once")

        assert ["once"] == [one.content for one in room.emulator.messages(room.channel)]


@pytest.mark.parametrize("act", ["drop", "cut", "reconnect", "invalidate"])
async def test_resumes(room, act):
    """After any interruption that allows it, the library resumes and has missed nothing."""
    async with room.online() as bot:
        match act:
            case "drop":
                room.emulator.drop_gateway(4000)
            case "cut":
                room.emulator.drop_gateway(1006)
            case "reconnect":
                room.emulator.reconnect()
            case "invalidate":
                room.emulator.invalidate_session(resumable=True)
        await room.say("meanwhile")
        message = await bot.next()
        async with asyncio.timeout(PATIENCE):
            await bot.resumed.wait()

        assert "meanwhile" == message.content


async def test_commands_and_their_answers(room):
    """A slash command is registered, invoked, deferred, answered and followed up."""
    bot = Bot()
    tree = app_commands.CommandTree(bot)
    asked = asyncio.Queue()

    @tree.command(name="ask", description="Ask the agent")
    async def ask(interaction: discord.Interaction, question: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content="first")
        await interaction.edit_original_response(content=f"answer to {question}")
        await interaction.followup.send("more", ephemeral=True)
        asked.put_nowait((interaction.locale, interaction.user.display_name))

    async with room.online(bot):
        await tree.sync()
        await room.emulator.invoke(room.channel, room.ann, "ask", question="why?")
        async with asyncio.timeout(PATIENCE):
            who = await asked.get()
        answer, more = room.emulator.messages(room.channel)

        assert (discord.Locale.german, "Ann") == who
        assert ("answer to why?", 1, False) == (answer.content, answer.edits, answer.is_ephemeral)
        assert ("more", True) == (more.content, more.is_ephemeral)


async def test_buttons(room):
    """A button that is pressed reaches the bot, which changes the message it is on."""
    pressed = asyncio.Event()

    class Stop(discord.ui.View):
        @discord.ui.button(label="Stop", custom_id="stop")
        async def stop_it(self, interaction, _button):
            await interaction.response.edit_message(content="stopped", view=None)
            pressed.set()

    async with room.online() as bot:
        message = await bot.get_channel(int(room.channel.id)).send("working", view=Stop())
        await room.emulator.press(room.channel, str(message.id), room.ann, "stop")
        async with asyncio.timeout(PATIENCE):
            await pressed.wait()
        shown = room.emulator.messages(room.channel)[0]

        assert ("stopped", ()) == (shown.content, shown.components)
