"""What [bots.NAME.discord] may say, checked, as a frozen value."""

import re
from collections.abc import Mapping

import msgspec

from bridge.config import check_proxy, check_url, section
from bridge.errors import ConfigError
from bridge.model import BotName

API_URL = "https://discord.com/api/v10"
PORTAL = "https://discord.com/developers/applications"
ENVIRONMENT = {
    "token": "DISCORD_TOKEN",
    "api_url": "DISCORD_API_URL",
    "gateway_url": "DISCORD_GATEWAY_URL",
}


class DiscordConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[bots.NAME.discord]: one bot account."""

    token: str
    api_url: str = API_URL
    gateway_url: str = ""  # empty: the one that belongs to `api_url`
    proxy: str = ""
    message_content: bool = False  # ask for the privileged intent: text that is not for the bot


def read(bot: BotName, values: Mapping[str, object]) -> DiscordConfig:
    """Check the table of a bot; ConfigError names the key and what to do."""
    path = path_of(bot)
    config = section(DiscordConfig, values, path)
    check_token(f"{path}.token", config.token)
    if not config.api_url:
        raise ConfigError(f"{path}.api_url", f"is empty; leave it out, or write {API_URL}")
    check_url(f"{path}.api_url", config.api_url)
    if config.gateway_url and not re.match(r"wss?://[^/\s]", config.gateway_url):
        raise ConfigError(f"{path}.gateway_url", "write a gateway as wss://host")
    check_proxy(f"{path}.proxy", config.proxy)
    return msgspec.structs.replace(config, api_url=config.api_url.rstrip("/"))


def from_environment(environment: Mapping[str, str]) -> Mapping[str, object] | None:
    """The table that the environment alone describes: nothing without DISCORD_TOKEN."""
    if not environment.get(ENVIRONMENT["token"]):
        return None
    return {key: environment[name] for key, name in ENVIRONMENT.items() if environment.get(name)}


def path_of(bot: BotName) -> str:
    """Where a bot's table stands in the configuration."""
    return f"bots.{bot}.discord"


def token_refused(bot: BotName) -> ConfigError:
    """What the operator is told when Discord answers that it does not know the token."""
    todo = f"Discord does not accept it; reset it at {PORTAL}: your application, Bot, Reset Token"
    return ConfigError(f"{path_of(bot)}.token", todo)


def check_token(key: str, token: str) -> None:
    """ConfigError unless `token` is made like a bot token: three parts with dots between them.

    https://docs.discord.com/developers/reference#authentication
    """
    if token.startswith("Bot "):
        raise ConfigError(key, 'leave out the "Bot " in front: write the token alone')
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        raise ConfigError(
            key,
            "is no bot token (three parts with dots between them; not the client secret, not the "
            f"public key); copy it from {PORTAL}: your application, Bot, Reset Token",
        )
