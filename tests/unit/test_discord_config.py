"""[bots.NAME.discord]: what is accepted, and what an operator is told."""

import pytest
from discord.http import Route

from adapters.discord import plugin
from adapters.discord.config import API_URL, DiscordConfig, read
from adapters.discord.endpoint import Endpoint
from bridge.errors import ConfigError
from bridge.model import BotName

BOT = BotName("helper")
TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"


def test_a_token_is_enough():
    """Everything but the token has a default, and the privileged intent is not asked for."""
    config = read(BOT, {"token": TOKEN})

    assert DiscordConfig(token=TOKEN, api_url=API_URL) == config
    assert config.message_content is False


def test_a_slash_at_the_end_is_dropped():
    """An API address may be written with or without a slash at its end."""
    config = read(BOT, {"token": TOKEN, "api_url": "http://127.0.0.1:9/api/v10/"})

    assert config.api_url == "http://127.0.0.1:9/api/v10"


@pytest.mark.parametrize(
    ("values", "key", "hint"),
    [
        ({}, "token", "required"),
        ({"token": ""}, "token", "developers/applications"),
        ({"token": f"Bot {TOKEN}"}, "token", "leave out"),
        ({"token": "0123456789abcdef0123456789abcdef"}, "token", "client secret"),
        ({"token": f"{TOKEN} "}, "token", "three parts"),
        ({"token": TOKEN, "api_url": ""}, "api_url", "leave it out"),
        ({"token": TOKEN, "api_url": "discord.com"}, "api_url", "https://host"),
        ({"token": TOKEN, "gateway_url": "https://gateway"}, "gateway_url", "wss://host"),
        ({"token": TOKEN, "proxy": "127.0.0.1:1"}, "proxy", "socks5://"),
        ({"token": TOKEN, "message_contents": True}, "message_contents", "message_content"),
        ({"token": TOKEN, "message_content": "yes"}, "message_content", "bool"),
    ],
)
def test_a_wrong_value_is_named(values, key, hint):
    """An error names the key and says what to write, and never repeats the token."""
    with pytest.raises(ConfigError) as caught:
        read(BOT, values)

    assert caught.value.key == f"bots.helper.discord.{key}"
    assert hint in caught.value.problem
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"DISCORD_API_URL": "http://x"}, None),
        ({"DISCORD_TOKEN": ""}, None),
        ({"DISCORD_TOKEN": TOKEN, "HOME": "/"}, {"token": TOKEN}),
        (
            {
                "DISCORD_TOKEN": TOKEN,
                "DISCORD_API_URL": "http://x",
                "DISCORD_GATEWAY_URL": "ws://x",
            },
            {"token": TOKEN, "api_url": "http://x", "gateway_url": "ws://x"},
        ),
    ],
)
def test_the_environment_describes_a_bot(environment, expected):
    """DISCORD_TOKEN alone makes a bot; the addresses may stand beside it."""
    assert expected == plugin.from_environment(environment)


def test_the_usual_endpoint_is_left_alone():
    """With the default address nothing of discord.py is changed."""
    with Endpoint().hold("path", DiscordConfig(token=TOKEN)):
        during = Route.BASE

    assert during == API_URL


def test_an_endpoint_is_given_back():
    """discord.py talks to the configured server until the last bot has gone."""
    endpoint, config = Endpoint(), DiscordConfig(token=TOKEN, api_url="http://127.0.0.1:9")
    with endpoint.hold("one", config):
        with endpoint.hold("two", config):
            pass
        during = Route.BASE

    assert during == "http://127.0.0.1:9"
    assert Route.BASE == API_URL


def test_two_endpoints_in_one_process_are_refused():
    """discord.py knows one server in a process: a second one is an error that says so."""
    endpoint, other = Endpoint(), DiscordConfig(token=TOKEN, api_url="http://127.0.0.1:9")
    with (
        endpoint.hold("bots.a.discord", DiscordConfig(token=TOKEN)),
        pytest.raises(ConfigError, match=r"bots\.b\.discord\.api_url: another bot .* uses"),
        endpoint.hold("bots.b.discord", other),
    ):
        pass

    assert Route.BASE == API_URL
