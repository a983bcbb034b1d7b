"""What [bots.NAME.telegram] may hold."""

import pytest

from adapters.telegram import plugin
from adapters.telegram.config import from_environment, read
from bridge.errors import ConfigError
from bridge.model import BotName

TOKEN = "123456789:AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0"
BOT = BotName("helper")


def test_a_token_is_enough():
    """Everything but the token has a default: Telegram itself, by polling, without a proxy."""
    config = read(BOT, {"token": TOKEN})

    assert TOKEN == config.token
    assert "https://api.telegram.org" == config.api_url
    assert "polling" == config.mode
    assert "" == config.proxy


def test_an_address_may_end_in_a_slash():
    """A slash at the end of `api_url` makes no difference."""
    assert "http://[::1]:81" == read(BOT, {"token": TOKEN, "api_url": "http://[::1]:81/"}).api_url


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ({}, "token", "required"),
        ({"token": "secret"}, "token", "@BotFather"),
        ({"token": "12345"}, "token", "@BotFather"),
        ({"token": f"{TOKEN} "}, "token", "@BotFather"),
        ({"token": f"bot{TOKEN}"}, "token", "@BotFather"),
        ({"token": 5}, "token", "str"),
        ({"token": TOKEN, "api_url": ""}, "api_url", "https://"),
        ({"token": TOKEN, "api_url": "api.telegram.org"}, "api_url", "https://"),
        ({"token": TOKEN, "mode": "carrier pigeon"}, "mode", "carrier pigeon"),
        ({"token": TOKEN, "proxy": "ftp://host"}, "proxy", "socks5://"),
        ({"token": TOKEN, "proxy": "http://:80"}, "proxy", "host"),
        ({"token": TOKEN, "proxy": "http://host:port"}, "proxy", "port"),
        ({"token": TOKEN, "api_url": "http://[::1"}, "api_url", "host"),
        ({"token": TOKEN, "proxi": ""}, "proxi", "proxy"),
    ],
)
def test_a_wrong_key_is_named(section, key, words):
    """A wrong value is an error that names the key and says what to do."""
    with pytest.raises(ConfigError) as caught:
        read(BOT, section)

    assert f"bots.helper.telegram.{key}" == caught.value.key
    assert words in caught.value.problem


def test_an_error_does_not_repeat_the_token():
    """A token that is slightly wrong is a secret all the same."""
    with pytest.raises(ConfigError) as caught:
        read(BOT, {"token": f"{TOKEN}!"})

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"TELEGRAM_API_URL": "http://here"}, None),
        ({"TELEGRAM_TOKEN": ""}, None),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": ""}, {"token": TOKEN}),
        (
            {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": "http://here", "HOME": "/"},
            {"token": TOKEN, "api_url": "http://here"},
        ),
    ],
)
def test_the_environment_describes_a_bot(environment, expected):
    """TELEGRAM_TOKEN makes a bot, TELEGRAM_API_URL leads it elsewhere."""
    assert expected == from_environment(environment)
    assert expected == plugin.from_environment(environment)
