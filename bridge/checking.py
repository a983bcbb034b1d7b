"""Asks everything a configuration names whether it works: one line each."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from bridge.app import data_dir, opened_platform, settings_of
from bridge.clock import SystemClock
from bridge.config import BotConfig, Config
from bridge.coze.client import CozeClient
from bridge.coze.settings import Patience
from bridge.errors import BridgeError, ConfigError, PlatformError
from bridge.model import Platform
from bridge.store import open_stores

Probe = Callable[[], Awaitable[str]]


async def check(config: Config, say: Callable[[str], object]) -> bool:
    """Say for Redis, each agent and each platform what it is, or what to change."""
    is_well = True
    for name, probe in probes(config):
        try:
            say(f"ok    {name}: {await probe()}")
        except BridgeError as error:
            problem = str(error)
            say(f"wrong {problem}" if problem.startswith(name) else f"wrong {name}: {problem}")
            is_well = False
    return is_well


def probes(config: Config) -> Iterator[tuple[str, Probe]]:
    """Everything there is to ask."""
    yield "redis", partial(ask_store, config)
    for bot in config.bots:
        yield f"bots.{bot.name}", partial(ask_agent, bot)
        for platform in bot.platforms:
            yield f"bots.{bot.name}.{platform}", partial(ask_platform, bot, platform)


async def ask_store(config: Config) -> str:
    """Open the store, which sets up what it needs."""
    async with open_stores(config.redis.url, data_dir(config), SystemClock()):
        return "reached"


async def ask_agent(bot: BotConfig) -> str:
    """Ask Coze for the agent."""
    async with CozeClient(settings_of(bot, Patience()), SystemClock()) as client:
        return await client.check()


async def ask_platform(bot: BotConfig, platform: Platform) -> str:
    """Ask a platform for the bot."""
    async with opened_platform(bot, platform) as adapter:
        try:
            return await adapter.check()
        except PlatformError as error:
            advice = f"does not answer ({error}); see its api_url, and the proxy if you need one"
            raise ConfigError(f"bots.{bot.name}.{platform}", advice) from error
