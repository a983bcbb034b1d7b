"""The composition root: opens everything a configuration names, runs it, and ends it in order."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge import config as configuration
from bridge import plugins
from bridge.clock import Clock, SystemClock
from bridge.config import BotConfig, Config
from bridge.coze.client import CozeClient
from bridge.coze.settings import CozeSettings, Patience, ServiceIdentity
from bridge.errors import ConfigError
from bridge.log import get_logger
from bridge.media.handover import Handover
from bridge.media.reading import AdapterFor
from bridge.media.relay import Relay
from bridge.model import BotName, MediaRef, Platform
from bridge.ports import PlatformAdapter
from bridge.serving import serving
from bridge.store import open_stores
from bridge.turns.asking import Bot
from bridge.turns.dispatch import Dispatcher
from bridge.turns.runner import Runner

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """A whole application, connected but not yet reading."""

    config: Config
    bots: Mapping[BotName, Bot]
    dispatcher: Dispatcher

    async def run(self, stopping: asyncio.Event) -> None:
        """Answer messages until `stopping` is set, then finish or hand over what runs.

        Raises ConfigError, in a group, when no platform is left that takes its bot.
        """
        adapters = [adapter for bot in self.bots.values() for adapter in bot.adapters.values()]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._read(adapter, adapters)) for adapter in adapters]
                tasks.append(group.create_task(self.dispatcher.work()))
                log.info("running", bots=sorted(self.bots))
                await stopping.wait()
                log.info("stopping")
                for task in tasks:
                    task.cancel()
        finally:
            await self.dispatcher.drain(self.config.bridge.grace)

    async def _read(self, adapter: PlatformAdapter, left: list[PlatformAdapter]) -> None:
        """Read from one platform; a bot that is refused there does not end the others."""
        try:
            await adapter.receive(self.dispatcher.receive)
        except ConfigError as error:
            left.remove(adapter)
            if not left:
                raise
            log.warning("platform given up", key=error.key, problem=error.problem)


def load(path: Path | None, environment: Mapping[str, str]) -> Config:
    """Read the configuration: from `path`, else ./config.toml, else the environment alone."""
    if path is None and Path("config.toml").is_file():
        path = Path("config.toml")
    if path is not None:
        return configuration.read(path, environment)
    sections = {
        Platform(name): section
        for name in plugins.names()
        if (section := plugins.load(name).from_environment(environment)) is not None
    }
    return configuration.from_environment(environment, sections)


@asynccontextmanager
async def opened(
    config: Config,
    patience: Patience = Patience(),  # noqa: B008 - a frozen value
) -> AsyncIterator[App]:
    """Connect everything; ConfigError names what cannot be reached or is refused."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(
            open_stores(config.redis.url, data_dir(config), clock)
        )
        secret = config.bridge.secret or await stores.secrets.load("bridge")
        bots = {
            bot.name: await stack.enter_async_context(opened_bot(bot, patience, clock))
            for bot in config.bots
        }
        key = hashlib.sha256(f"media:{secret}".encode()).digest()
        if config.media.public_url:
            relay = Relay(adapter_finder(bots), key, config.media.max_size, clock)
            url = await stack.enter_async_context(serving(relay.application(), config.media.bind))
            log.info("relay", serves=url, reached_at=config.media.public_url)
        handover = Handover(config.media, key, stores.uploads, clock)
        runner = Runner(bots, stores, handover, secret, clock)
        yield App(config, bots, Dispatcher(stores, runner, clock, config.bridge.concurrency))


@asynccontextmanager
async def opened_bot(bot: BotConfig, patience: Patience, clock: Clock) -> AsyncIterator[Bot]:
    """Connect one agent and its platforms."""
    async with AsyncExitStack() as stack:
        settings = settings_of(bot, patience)
        backend = await stack.enter_async_context(CozeClient(settings, clock))
        adapters = {
            platform: await stack.enter_async_context(opened_platform(bot, platform))
            for platform in bot.platforms
        }
        yield Bot(bot.name, backend, account_of(bot), adapters)


@asynccontextmanager
async def opened_platform(bot: BotConfig, platform: Platform) -> AsyncIterator[PlatformAdapter]:
    """Connect one platform of a bot."""
    if platform not in plugins.names():
        hint = configuration.nearest(platform, plugins.names())
        raise ConfigError(f"bots.{bot.name}.{platform}", f"no such platform{hint}")
    plugin = plugins.load(platform)
    async with plugin.open(bot.name, bot.platforms[platform]) as adapter:
        yield adapter


def settings_of(bot: BotConfig, patience: Patience) -> CozeSettings:
    """What the client of Coze has to know."""
    coze = bot.coze
    oauth = coze.oauth
    return CozeSettings(
        bot_id=bot.bot_id,
        credentials=ServiceIdentity(oauth.app_id, oauth.key_id, oauth.private_key)
        if oauth
        else coze.token,
        base_url=coze.base_url.rstrip("/"),
        proxy=coze.proxy,
        custom_variables=coze.custom_variables,
        parameters=coze.parameters,
        extra_params=coze.extra_params,
        meta_data=coze.meta_data,
        auto_save_history=coze.auto_save_history,
        connector_id=coze.connector_id,
        bot_version=coze.bot_version,
        publish_status=coze.publish_status,
        patience=patience,
    )


def account_of(bot: BotConfig) -> str:
    """Names a Coze account without telling who it is: uploads belong to it."""
    credential = bot.coze.token or (bot.coze.oauth.app_id if bot.coze.oauth else "")
    return hashlib.sha256(f"{bot.coze.base_url}\n{credential}".encode()).hexdigest()[:16]


def adapter_finder(bots: Mapping[BotName, Bot]) -> AdapterFor:
    """How the relay finds who can open a file."""

    def find(ref: MediaRef) -> PlatformAdapter | None:
        bot = bots.get(ref.bot)
        return bot.adapters.get(ref.platform) if bot else None

    return find


def data_dir(config: Config) -> Path:
    """Where the embedded store keeps its data."""
    if config.redis.data_dir:
        return Path(config.redis.data_dir).expanduser()
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "coze-bridge"
