"""The configuration: what is read, and what each mistake is told."""

import pytest

from bridge.config import from_environment, parse, read
from bridge.errors import ConfigError
from bridge.model import Platform

GOOD = {
    "coze": {"token": "env:COZE_TOKEN"},
    "bots": {"helper": {"bot_id": "73428668", "telegram": {"token": "env:TELEGRAM_TOKEN"}}},
}
OAUTH = {"app_id": "1", "key_id": "k", "private_key": "PEM"}
ENVIRONMENT = {"COZE_TOKEN": "pat_1", "TELEGRAM_TOKEN": "1:A"}


def changed(*path, value):
    """GOOD, with one value exchanged."""

    def put(table, path):
        head, *rest = path
        return {**table, head: put(table.get(head, {}), rest) if rest else value}

    return put(GOOD, path)


def test_secrets_come_from_the_environment():
    """`env:NAME` stands for the variable, and is known as something to hide."""
    config = parse(GOOD, ENVIRONMENT)

    assert "pat_1" == config.bots[0].coze.token
    assert {"token": "1:A"} == config.bots[0].platforms[Platform("telegram")]
    assert {"pat_1", "1:A"} == config.secrets


def test_secrets_come_from_files(tmp_path):
    """`file:PATH` stands for what the file says, without its last newline."""
    (tmp_path / "token").write_text("pat_2\n")
    config = parse(changed("coze", "token", value=f"file:{tmp_path}/token"), ENVIRONMENT)

    assert "pat_2" == config.bots[0].coze.token


def test_passwords_in_urls_are_secrets():
    """What stands before the @ of a URL is hidden like a token."""
    table = changed("redis", "url", value="redis://:s3cr3t/x@host:6379")
    table = {**table, "coze": {**table["coze"], "proxy": "socks5://me:pr0xy@host:1080"}}

    assert {"s3cr3t/x", "pr0xy"} <= parse(table, ENVIRONMENT).secrets


def test_a_bot_may_differ_from_the_defaults():
    """[bots.NAME.coze] overrules [coze] key by key."""
    table = changed("bots", "helper", "coze", value={"base_url": "https://api.coze.cn"})
    config = parse(table, ENVIRONMENT)

    assert "https://api.coze.cn" == config.bots[0].coze.base_url
    assert "pat_1" == config.bots[0].coze.token


def test_environment_alone_is_enough():
    """Four variables describe one bot."""
    config = from_environment(
        {"COZE_TOKEN": "pat_1", "COZE_BOT_ID": "73428668"},
        {Platform("discord"): {"token": "x"}},
    )

    assert "73428668" == config.bots[0].bot_id
    assert {Platform("discord"): {"token": "x"}} == config.bots[0].platforms


def test_an_agent_needs_a_platform():
    """An environment that names no platform is told which variables would."""
    with pytest.raises(ConfigError, match="TELEGRAM_TOKEN or DISCORD_TOKEN"):
        from_environment({"COZE_TOKEN": "pat_1", "COZE_BOT_ID": "73428668"}, {})


def test_data_dir_comes_from_the_environment():
    """COZE_BRIDGE_DATA_DIR overrules redis.data_dir."""
    environment = {**ENVIRONMENT, "COZE_BRIDGE_DATA_DIR": "/var/lib/bridge"}
    config = parse(changed("redis", "data_dir", value="/elsewhere"), environment)

    assert "/var/lib/bridge" == config.redis.data_dir


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        (changed("rediss", value={}), "rediss", "did you mean redis?"),
        (changed("coze", "tokn", value="x"), "coze.tokn", "did you mean token?"),
        (changed("coze", "token", value="env:MISSING"), "coze.token", "MISSING is not set"),
        (changed("coze", "token", value="file:/no/such"), "coze.token", "/no/such"),
        (changed("coze", "token", value=""), "coze.token", "env:COZE_TOKEN"),
        (changed("coze", "base_url", value="api.coze.cn"), "coze.base_url", "https://"),
        (changed("coze", "base_url", value="http://h:99999"), "coze.base_url", "is no URL"),
        (changed("coze", "token", value="pat 1"), "coze.token", "copy it again"),
        (changed("coze", "oauth", value=OAUTH), "coze.token", "remove one"),
        (changed("coze", "proxy", value="localhost:1080"), "coze.proxy", "socks5://"),
        (changed("bots", "helper", "bot_id", value=73428668), "bots.helper.bot_id", "in quotes"),
        (changed("bots", "helper", "bot_idd", value="1"), "bots.helper.bot_idd", "bot_id?"),
        (changed("bots", value={}), "bots", "[bots.NAME]"),
        (changed("bots", value={"A b": {}}), "bots.A b", "a-z"),
        (changed("bots", value={"a": {"bot_id": "1"}}), "bots.a", "[bots.a.telegram]"),
        (changed("media", "mode", value="relay"), "media.public_url", "required"),
        (changed("media", "mode", value="sideways"), "media.mode", "auto or relay or upload"),
        (changed("media", "max_size", value="20 MB"), "media.max_size", "int"),
        (changed("media", "bind", value="8080"), "media.bind", "host:port"),
        (changed("redis", value="redis://x"), "redis", "[redis]"),
    ],
)
def test_each_mistake_is_told_with_its_key(table, key, hint):
    """An error names the key and what to do."""
    with pytest.raises(ConfigError) as caught:
        parse(table, ENVIRONMENT)

    assert key == caught.value.key
    assert hint in caught.value.problem


@pytest.mark.parametrize("content", [b"[coze", b"\xff\xfe"])
def test_a_file_that_is_not_toml(tmp_path, content):
    """A broken file is named."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"config\.toml.* is not TOML"):
        read(path, ENVIRONMENT)


def test_a_file_that_is_not_there(tmp_path):
    """A missing file is named."""
    with pytest.raises(ConfigError, match=r"none\.toml.* cannot be read"):
        read(tmp_path / "none.toml", ENVIRONMENT)
