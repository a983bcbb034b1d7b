"""The whole application between three emulators."""

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.discord.emulator import DiscordEmulator
from adapters.telegram.emulator import TelegramEmulator
from bridge import app, config
from bridge.coze.emulator import CozeEmulator
from bridge.coze.settings import Patience
from bridge.sandbox.world import BOT_ID, attended, free_port, running

TOKEN = "pat_journeys_Xy7"
PATIENCE = 30  # seconds that anything awaited may take


@dataclass(frozen=True, slots=True)
class Talk:
    """One person in one chat of a platform."""

    emulator: TelegramEmulator | DiscordEmulator
    chat: object
    person: object

    async def say(self, text, **more):
        """Write as the person, and return the message's id."""
        return await self.emulator.send(self.chat, self.person, text, **more)

    @property
    def shown(self):
        """The bot's messages as they stand."""
        return [one for one in self.emulator.messages(self.chat) if one.is_bot]

    @property
    def replies(self):
        """Their texts."""
        return [getattr(one, "text", None) or one.content for one in self.shown]


class Stage:
    """The emulators, and the application that can be started and stopped between them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.telegram = TelegramEmulator()
        self.discord = DiscordEmulator()
        self.coze = CozeEmulator(TOKEN, BOT_ID)
        self.sections = {}
        self.coze_url = ""

    @asynccontextmanager
    async def open(self):
        async with AsyncExitStack() as stack:
            for name, emulator in (("telegram", self.telegram), ("discord", self.discord)):
                self.sections[name] = await stack.enter_async_context(emulator.open())
            self.coze_url = await stack.enter_async_context(self.coze.open())
            yield self

    @asynccontextmanager
    async def bridge(self, *, patience=Patience(), **tables):  # noqa: B008 - a frozen value
        """Run the application, configured as an operator would."""
        settings = config.parse(self.tables(**tables), {})
        async with app.opened(settings, patience) as application, running(application):
            await attended((self.telegram, self.discord))
            yield application

    def tables(self, **tables):
        bind = f"127.0.0.1:{free_port()}"
        return {
            "coze": {"base_url": self.coze_url, "token": TOKEN},
            "bots": {"helper": {"bot_id": BOT_ID, **self.sections}},
            "redis": {"data_dir": str(self.home / "data")},
            "media": {"bind": bind, "public_url": f"http://{bind}"},
            "bridge": {"grace": 5.0},
            **tables,
        }

    def talk(self, platform, name="Kim"):
        """Let a new person open a private chat with the bot."""
        emulator = getattr(self, platform)
        person = emulator.person(name)
        chat = (emulator.private if platform == "telegram" else emulator.direct)(person)
        return Talk(emulator, chat, person)

    # --- what is seen ------------------------------------------------------------------------

    def replies(self, emulator):
        """The texts of the bot's messages in the default chat of a platform."""
        return [shown.text for shown in emulator.transcript() if shown.is_bot]

    async def until(self, is_so):
        """Wait until something is so, looking whenever an emulator changes."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                await asyncio.sleep(0.02)

    def asked(self):
        """Every POST /v3/chat that Coze received."""
        return [
            request
            for request in self.coze.requests
            if (request.method, request.path) == ("POST", "/v3/chat")
        ]


@pytest.fixture
async def stage(tmp_path):
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    async with Stage(tmp_path).open() as opened:
        yield opened
