"""The whole application between three emulators."""

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from redis import Redis
from redis.exceptions import RedisError

from adapters.discord.emulator import DiscordEmulator
from adapters.telegram.emulator import TelegramEmulator
from bridge import app, config, log
from bridge.coze.emulator import CozeEmulator
from bridge.coze.settings import Patience
from bridge.sandbox.world import BOT_ID, attended, free_port, running
from bridge.store.embedded import socket_of

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

    @asynccontextmanager
    async def process(self, *arguments, environment=None, **tables):
        """Run the command with a configuration file; what is left of it in the end is killed.

        With an environment of its own there is no file.
        """
        file = self.home / "settings.toml"
        if environment is None:
            file.write_text(toml(self.tables(**tables)), encoding="utf-8")
            arguments = (*arguments, "--config", str(file))
        with (self.home / "stderr").open("wb") as errors:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bridge", *arguments),
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.home,
                env={**os.environ, **(environment or {})},
            )
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    @property
    def errors(self):
        """What the newest process has written to stderr."""
        return (self.home / "stderr").read_text(encoding="utf-8")

    async def until_running(self):
        """Wait until the process reads from both platforms."""
        await self.until(lambda: '"running"' in self.errors)
        await attended((self.telegram, self.discord))

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

    async def until(self, is_so, patience=PATIENCE):
        """Wait until something is so."""
        async with asyncio.timeout(patience):
            while not is_so():
                await asyncio.sleep(0.02)

    def asked(self):
        """Every POST /v3/chat that Coze received."""
        return [
            request
            for request in self.coze.requests
            if (request.method, request.path) == ("POST", "/v3/chat")
        ]


def toml(table, path=""):
    """A configuration as a file; JSON's strings, numbers and booleans are TOML's."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"[{path}]" if path else "", *(f"{k} = {json.dumps(v)}" for k, v in plain.items())]
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    return "\n".join([*lines, *(toml(v, f"{path}.{k}".strip(".")) for k, v in inner.items())])


@pytest.fixture(scope="session")
def new_stage():
    """Sets a stage in a directory, for those who open it themselves."""
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    return Stage


@pytest.fixture
def logged():
    """The log as the command writes it, at its most talkative; call it for the text so far."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    with redirect_stderr(io.StringIO()) as written:
        log.configure(level="debug", format_="json")
    yield written.getvalue
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def stage(new_stage, tmp_path):
    async with new_stage(tmp_path).open() as opened:
        yield opened
    end_store(tmp_path / "data")


def end_store(home):
    """End the embedded store, if a killed process left it behind."""
    socket = socket_of(home.resolve())
    with suppress(RedisError), Redis(unix_socket_path=str(socket), retry=None) as client:
        client.shutdown(nosave=True)
