"""Opens every outside party, emulated, and the unmodified application between them."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge import app, checking, config, plugins
from bridge.coze.emulator import CozeEmulator
from bridge.model import Platform
from bridge.ports import Emulator
from bridge.sandbox.plays import NextPlay

TOKEN = "pat_sandbox"  # noqa: S105 - opens nothing but the emulator
BOT_ID = "7379462189365198898"
GRACE = 1.0  # seconds that running turns get at the end: nobody waits for an emulated answer
CONNECTING = 0.05  # seconds between two looks at whether the application has connected
# Seconds between two deltas: even where every call takes a second, the shortest answer (14 deltas)
# lasts long enough for three edits on Discord, which are 2.5 s apart.
PACE = 0.7


@dataclass(frozen=True, slots=True)
class World:
    """What the page looks at; without `coze`, a real agent answers."""

    platforms: Mapping[Platform, Emulator]
    coze: CozeEmulator | None
    coze_url: str
    next_play: NextPlay


@asynccontextmanager
async def world(data_dir: Path, agent: Mapping[str, str] | None = None) -> AsyncIterator[World]:
    """Run all of it; `agent` (bot_id, token, base_url) is a real one at Coze.

    Raises ConfigError when that agent's description is wrong, or Coze refuses it.
    """
    async with AsyncExitStack() as stack:
        emulators = {Platform(name): plugins.load(name).emulator() for name in plugins.names()}
        sections = {
            name: await stack.enter_async_context(emulator.open())
            for name, emulator in emulators.items()
        }
        coze, next_play = None, NextPlay()
        if agent is None:
            coze = CozeEmulator(TOKEN, BOT_ID, pace=PACE)
            coze.otherwise(next_play)
            base_url = await stack.enter_async_context(coze.open())
            agent = {"bot_id": BOT_ID, "token": TOKEN, "base_url": base_url}
        settings = config.parse(
            tables(agent, sections, data_dir, is_emulated=coze is not None), os.environ
        )
        if coze is None:
            await checking.ask_agent(settings.bots[0])
        application = await stack.enter_async_context(app.opened(settings))
        await stack.enter_async_context(running(application))
        await attended(emulators.values())
        yield World(emulators, coze, agent["base_url"], next_play)


def tables(
    agent: Mapping[str, str],
    sections: Mapping[Platform, Mapping[str, object]],
    data_dir: Path,
    *,
    is_emulated: bool,
) -> dict[str, object]:
    """The configuration, as an operator would have written it."""
    coze = {key: value for key, value in agent.items() if key != "bot_id"}
    bind = f"127.0.0.1:{free_port()}"
    # The emulated Coze is a neighbour and can fetch from the relay; the real one cannot.
    media = {"bind": bind, "public_url": f"http://{bind}"} if is_emulated else {"mode": "upload"}
    return {
        "coze": coze,
        "bots": {"sandbox": {"bot_id": agent["bot_id"], **sections}},
        "bridge": {"grace": GRACE},
        "redis": {"data_dir": str(data_dir)},
        "media": media,
    }


@asynccontextmanager
async def running(application: app.App) -> AsyncIterator[None]:
    """Run the application beside the block, and end it in order after."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(application.run(stopping))
        try:
            yield
        finally:
            stopping.set()


async def attended(emulators: Iterable[Emulator]) -> None:
    """Return when the application listens to all platforms."""
    # Emulators tell when a chat changes, not when somebody connects.
    while not all(emulator.is_attended for emulator in emulators):  # noqa: ASYNC110
        await asyncio.sleep(CONNECTING)


def free_port() -> int:
    """A port that nobody listens on: the relay's own address has to be in its configuration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
