"""The emulated Discord as the sandbox shows it."""

import asyncio

import httpx
import pytest

from adapters.discord.emulator import DiscordEmulator
from bridge.ports import Emulator

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Room:
    def __init__(self, emulator: Emulator, hand, http):
        self.emulator, self.hand, self.http = emulator, hand, http

    async def place(self):
        """The sandbox's channel, found as a bot would find it."""
        guild = next(iter(self.emulator._world.guilds))
        channels = (await self.http.get(f"/guilds/{guild}/channels")).json()
        return f"/channels/{channels[0]['id']}"


@pytest.fixture
async def room():
    hand = Hand()
    emulator = DiscordEmulator(clock=hand)
    async with (
        emulator.open() as section,
        httpx.AsyncClient(
            base_url=section["api_url"],
            headers={"Authorization": f"Bot {section['token']}"},
            trust_env=False,
        ) as http,
    ):
        yield Room(emulator, hand, http)


async def test_what_is_said_is_meant_for_the_bot(room):
    """The person calls the bot by its name, unless the text does so already."""
    bot = f"<@{room.emulator.bot.id}>"
    for text in ("hello", "/stop", f"well, {bot}"):
        await room.emulator.say(text)

    assert [f"{bot} hello", f"{bot} /stop", f"well, {bot}"] == [
        one.text for one in room.emulator.transcript()
    ]
    assert "Helper" in room.emulator.transcript()[0].html


async def test_images_are_shown(room):
    """A picture comes with the words, and can be shown in a page."""
    message = await room.emulator.say("look", PIXEL)
    shown = room.emulator.transcript()[0]

    assert (message, False) == (shown.id, shown.is_bot)
    assert shown.images[0].startswith("data:image/png;base64,iVBORw0K")


async def test_the_bots_answer_is_shown_as_it_grows(room):
    """A post and its edits are seen, and each is announced."""
    await room.emulator.say("hello")
    path = f"{await room.place()}/messages"
    changed = asyncio.create_task(room.emulator.changed())
    await asyncio.sleep(0)
    posted = (await room.http.post(path, json={"content": "**so"})).json()
    await asyncio.wait_for(changed, 5)
    await room.http.patch(f"{path}/{posted['id']}", json={"content": "**so**"})
    shown = room.emulator.transcript()[1]

    assert (True, "**so**", 1) == (shown.is_bot, shown.text, shown.edits)
    assert "<p><strong>so</strong></p>" == shown.html.strip()


async def test_typing(room):
    """Typing is seen for ten seconds, or until the bot has posted."""
    await room.emulator.say("hello")
    place = await room.place()
    seen = [room.emulator.is_typing]
    await room.http.post(f"{place}/typing")
    seen.append(room.emulator.is_typing)
    room.hand.at += 10
    seen.append(room.emulator.is_typing)
    await room.http.post(f"{place}/typing")
    seen.append(room.emulator.is_typing)
    await room.http.post(f"{place}/messages", json={"content": "so"})
    seen.append(room.emulator.is_typing)

    assert [False, True, False, True, False] == seen


async def test_threads_are_shown_along(room):
    """What is said in a thread of the channel is part of the transcript."""
    message = await room.emulator.say("topic")
    place = await room.place()
    await room.http.post(f"{place}/messages/{message}/threads", json={"name": "Topic"})
    await room.http.post(f"/channels/{message}/messages", json={"content": "inside"})

    assert "inside" == room.emulator.transcript()[1].text


async def test_files_are_named(room):
    """A file that is no picture is shown by its name."""
    await room.emulator.say("hello")
    files = {"files[0]": ("whole answer.md", b"# All", "text/markdown")}
    await room.http.post(f"{await room.place()}/messages", files=files)
    shown = room.emulator.transcript()[1]

    assert ('<p class="file">whole_answer.md</p>', ()) == (shown.html, shown.images)
