"""The configuration: TOML, with secrets from the environment or files, as frozen values.

The names are documented in config.example.toml. A platform's table is handed over as it stands:
the adapter's own config module knows its keys.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

from bridge.errors import ConfigError
from bridge.model import BotName, Platform

T = TypeVar("T", bound=msgspec.Struct)
Table = Mapping[str, object]

SECRET_KEYS = ("token", "secret", "private_key")
PROXY_SCHEMES = ("http://", "https://", "socks5://", "socks5h://")

PASSWORD = re.compile(r"//[^/@]*:([^@]+)@")  # of a URL, whether or not it can be parsed

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class OAuthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[coze.oauth]: a service identity instead of a personal token."""

    app_id: str
    key_id: str  # the public key's fingerprint
    private_key: str  # PEM


class CozeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[coze], and [bots.NAME.coze] where one bot differs."""

    base_url: str = "https://api.coze.com"
    token: str = ""
    oauth: OAuthConfig | None = None
    proxy: str = ""
    custom_variables: dict[str, str] = {}
    parameters: dict[str, object] = {}
    extra_params: dict[str, str] = {}
    meta_data: dict[str, str] = {}
    auto_save_history: bool = True
    connector_id: str = ""
    bot_version: str = ""
    publish_status: Literal["", "published_online", "unpublished_draft"] = ""


class RedisConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[redis]: "embedded", or the URL of a server."""

    url: str = "embedded"
    data_dir: str = ""


class BridgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[bridge]: the process itself."""

    secret: str = ""  # key of all hashes and signatures; made once and kept in Redis if empty
    concurrency: Count = 200  # turns that run at once in this process
    grace: Positive = 25.0  # seconds that running turns get at the end


class MediaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[media]: how photos and files reach Coze."""

    mode: Literal["auto", "relay", "upload"] = "auto"
    public_url: str = ""  # where Coze reaches `bind`, such as https://bot.example.com
    bind: str = "127.0.0.1:8080"
    max_size: Count = 20_000_000  # bytes
    expires: Positive = 3600.0  # seconds that a link stays good


class LogConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[log]."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


@dataclass(frozen=True, slots=True)
class BotConfig:
    """[bots.NAME]: one agent, wherever it appears."""

    name: BotName
    bot_id: str
    coze: CozeConfig
    platforms: Mapping[Platform, Table]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything, checked; `secrets` are the values that must never be printed."""

    bots: tuple[BotConfig, ...]
    redis: RedisConfig
    bridge: BridgeConfig
    media: MediaConfig
    log: LogConfig
    secrets: frozenset[str]


def read(path: Path, environment: Mapping[str, str]) -> Config:
    """Read a TOML file; ConfigError names the file or key and what to do."""
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error
    return parse(table, environment)


def from_environment(environment: Mapping[str, str], platforms: Mapping[Platform, Table]) -> Config:
    """The configuration of one bot that needs no file: COZE_TOKEN, COZE_BOT_ID and a platform's."""
    if "COZE_BOT_ID" not in environment:
        raise ConfigError(
            "config",
            "write a config.toml (see config.example.toml), or set COZE_BOT_ID, COZE_TOKEN, and "
            "TELEGRAM_TOKEN or DISCORD_TOKEN",
        )
    if not platforms:
        raise ConfigError("environment", "set TELEGRAM_TOKEN or DISCORD_TOKEN, too")
    coze = {
        key: environment[name]
        for key, name in (("base_url", "COZE_BASE_URL"), ("token", "COZE_TOKEN"))
        if name in environment
    }
    redis = {"url": environment["REDIS_URL"]} if "REDIS_URL" in environment else {}
    bot: dict[str, object] = {"bot_id": environment["COZE_BOT_ID"]}
    bot.update(platforms.items())
    return parse({"coze": coze, "redis": redis, "bots": {"bot": bot}}, environment)


def parse(table: Table, environment: Mapping[str, str]) -> Config:
    """Check a whole configuration; ConfigError names the first wrong key and what to do."""
    table = resolved(table, environment, "")
    known = {"coze", "bots", "redis", "bridge", "media", "log"}
    for key in table:
        if key not in known:
            raise ConfigError(key, f"no such section{nearest(key, known)}")
    media = section(MediaConfig, subtable(table, "media"), "media")
    if media.mode == "relay" and not media.public_url:
        raise ConfigError("media.public_url", 'is required where media.mode is "relay"')
    check_url("media.public_url", media.public_url)
    check_bind("media.bind", media.bind)
    redis = section(RedisConfig, subtable(table, "redis"), "redis")
    if directory := environment.get("COZE_BRIDGE_DATA_DIR"):
        redis = msgspec.structs.replace(redis, data_dir=directory)
    return Config(
        bots=tuple(bots(table)),
        redis=redis,
        bridge=section(BridgeConfig, subtable(table, "bridge"), "bridge"),
        media=media,
        log=section(LogConfig, subtable(table, "log"), "log"),
        secrets=frozenset(secrets(table)),
    )


def section(kind: type[T], values: Table, path: str) -> T:
    """Make a frozen `kind` of the table at `path`; ConfigError names the key and what to do."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}.{key}", f"no such key{nearest(key, known)}")
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        key, problem = where(str(error), path)
        raise ConfigError(key, problem + allowed(kind, key.removeprefix(f"{path}."))) from error


def allowed(kind: type[msgspec.Struct], key: str) -> str:
    """Say which words a key may have, where it is one of a few."""
    words = [word for word in get_args(get_type_hints(kind).get(key)) if isinstance(word, str)]
    return f"; write {' or '.join(filter(None, words))}" if words else ""


def check_proxy(key: str, proxy: str) -> None:
    """ConfigError unless `proxy` is empty or the URL of a proxy we can use."""
    if proxy and not proxy.startswith(PROXY_SCHEMES):
        raise ConfigError(key, f"write a proxy as {', '.join(PROXY_SCHEMES)}host:port")


def check_url(key: str, url: str) -> None:
    """ConfigError unless `url` is empty or leads to a host."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port beyond 65535
        is_good = False
    if not is_good or re.search(r"\s", url):
        raise ConfigError(key, f"{url!r} is no URL; write it as https://host")


def check_bind(key: str, bind: str) -> None:
    """ConfigError unless `bind` is host:port."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(key, f"{bind!r} is no address; write host:port, such as 127.0.0.1:8080")


def bots(table: Table) -> Iterator[BotConfig]:
    """Read [bots.*], each with the defaults of [coze]."""
    found = subtable(table, "bots")
    if not found:
        raise ConfigError("bots", "describe at least one bot as [bots.NAME]")
    for name in found:
        yield bot(name, subtable(found, name, f"bots.{name}"), subtable(table, "coze"))


def bot(name: str, table: Table, defaults: Table) -> BotConfig:
    """Read one [bots.NAME]."""
    path = f"bots.{name}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
        raise ConfigError(path, "a bot's name is made of a-z, 0-9, _ and -, at most 32")
    platforms = {
        Platform(key): subtable(table, key, f"{path}.{key}")
        for key, value in table.items()
        if key not in ("bot_id", "coze") and isinstance(value, Mapping)
    }
    for key in table:
        if key not in ("bot_id", "coze", *platforms):
            raise ConfigError(f"{path}.{key}", f"no such key{nearest(key, {'bot_id', 'coze'})}")
    if not platforms:
        raise ConfigError(path, f"give it a platform, such as [{path}.telegram]")
    own = subtable(table, "coze", f"{path}.coze")
    coze = coze_of({**defaults, **own}, f"{path}.coze" if own else "coze")
    return BotConfig(BotName(name), bot_id_of(table, path), coze, platforms)


def bot_id_of(table: Table, path: str) -> str:
    """The agent's id: as a number it would have lost digits elsewhere, so only a string counts."""
    bot_id = table.get("bot_id")
    if not isinstance(bot_id, str) or not bot_id.isdecimal():
        raise ConfigError(
            f"{path}.bot_id",
            'write the number at the end of the agent\'s URL in quotes: "73428668"',
        )
    return bot_id


def coze_of(table: Table, path: str) -> CozeConfig:
    """Read [coze], where exactly one way to sign in must be given."""
    coze = section(CozeConfig, table, path)
    if not coze.base_url:
        raise ConfigError(f"{path}.base_url", "is empty; write https://api.coze.com or api.coze.cn")
    check_url(f"{path}.base_url", coze.base_url)
    check_proxy(f"{path}.proxy", coze.proxy)
    if not coze.token and coze.oauth is None:
        raise ConfigError(f"{path}.token", 'is missing; write token = "env:COZE_TOKEN"')
    if coze.token and coze.oauth is not None:
        raise ConfigError(f"{path}.token", f"stands beside [{path}.oauth]; remove one of them")
    if not re.fullmatch(r"[!-~]*", coze.token):
        raise ConfigError(f"{path}.token", "has spaces or other signs in it; copy it again")
    return coze


def subtable(table: Table, key: str, path: str = "") -> Table:
    """The table under `key`, empty if there is none; ConfigError if it is something else."""
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise ConfigError(path or key, f"is a table: write [{path or key}]")
    return value


def resolved(table: Table, environment: Mapping[str, str], path: str) -> dict[str, object]:
    """Replace every "env:NAME" and "file:PATH" by what it stands for."""
    return {key: resolve(value, environment, f"{path}{key}") for key, value in table.items()}


def resolve(value: object, environment: Mapping[str, str], path: str) -> object:
    """Replace one value, or all inside it."""
    if isinstance(value, Mapping):
        return resolved(value, environment, f"{path}.")
    if not isinstance(value, str):
        return value
    if value.startswith("env:"):
        name = value.removeprefix("env:")
        if not environment.get(name):
            raise ConfigError(path, f"the environment variable {name} is not set")
        return environment[name].strip()
    if value.startswith("file:"):
        return from_file(Path(value.removeprefix("file:")), path)
    return value


def from_file(path: Path, key: str) -> str:
    """A secret that stands in a file of its own."""
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(key, f"the file {path} cannot be read") from error


def secrets(table: Table) -> Iterator[str]:
    """All values that must never be printed."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from secrets(value)
        elif key in SECRET_KEYS and isinstance(value, str) and value:
            yield value
        elif (
            key in ("url", "proxy") and isinstance(value, str) and (found := PASSWORD.search(value))
        ):
            yield found[1]


def nearest(key: str, known: Iterable[str]) -> str:
    """Say which known key was probably meant."""
    close = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"


def where(message: str, path: str) -> tuple[str, str]:
    """Split msgspec's message, "Expected `str`, got `int` - at `$.a.b`", into key and problem."""
    problem, _, place = message.partition(" - at `$")
    missing = re.search(r"missing required field `(\w+)`", problem)
    inner = place.rstrip("`") + (f".{missing[1]}" if missing else "")
    text = "is required" if missing else problem[0].lower() + problem[1:]
    return path + inner, text.replace("`", "")
