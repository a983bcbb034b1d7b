"""What [bots.NAME.telegram] may hold."""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from bridge.config import check_proxy, check_url, section
from bridge.errors import ConfigError
from bridge.model import BotName, Platform

PLATFORM = Platform("telegram")

# https://core.telegram.org/bots/features#botfather: the bot's id, a colon, 35 characters or so.
TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,64}")


class TelegramConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One bot on Telegram."""

    token: str
    api_url: str = "https://api.telegram.org"
    mode: Literal["polling"] = "polling"
    proxy: str = ""


def read(bot: BotName, table: Mapping[str, object]) -> TelegramConfig:
    """Check a bot's table; ConfigError names the key and what to do."""
    path = f"bots.{bot}.{PLATFORM}"
    config = section(TelegramConfig, table, path)
    if not TOKEN.fullmatch(config.token):
        raise ConfigError(
            f"{path}.token",
            "is no bot token; @BotFather shows it after /token: digits, a colon, 35 characters",
        )
    if not config.api_url:
        raise ConfigError(f"{path}.api_url", "is empty; write https://api.telegram.org")
    check_url(f"{path}.api_url", config.api_url)
    check_proxy(f"{path}.proxy", config.proxy)
    for key, url in (("api_url", config.api_url), ("proxy", config.proxy)):
        if url and not has_host(url):
            raise ConfigError(f"{path}.{key}", "its host or port cannot be read")
    return msgspec.structs.replace(config, api_url=config.api_url.rstrip("/"))


def has_host(url: str) -> bool:
    """Whether a URL names a host, and its port is a number."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def from_environment(environment: Mapping[str, str]) -> Mapping[str, object] | None:
    """The table that TELEGRAM_TOKEN and TELEGRAM_API_URL describe, or None without a token."""
    if not environment.get("TELEGRAM_TOKEN"):
        return None
    names = (("token", "TELEGRAM_TOKEN"), ("api_url", "TELEGRAM_API_URL"))
    return {key: environment[name] for key, name in names if environment.get(name)}
