"""`coze-bridge check`: one line for each thing, that says what to change, and a status."""

import asyncio
import re

import pytest

from bridge.coze.emulator import Reply, faults
from bridge.sandbox.world import BOT_ID

WELL = [
    "ok    redis: reached",
    "ok    bots.helper: Emulated",
    "ok    bots.helper.telegram: @bridge_bot",
    "ok    bots.helper.discord: Helper",
]
AGENT, ACCOUNT = f"/v1/bots/{BOT_ID}", "/v1/users/me"
NOWHERE = "http://127.0.0.1:1"
TELEGRAM_TOKEN = "987654321:AAE-an0therT0ken_of-another_8ot4u5v6"
DISCORD_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.an0therT0ken_of-another_8ot4u5v6"
BOTH_REFUSED = {
    "bots.helper.telegram.token": TELEGRAM_TOKEN,
    "bots.helper.discord.token": DISCORD_TOKEN,
}

# A change of the configuration, and the line that takes the place of the one in WELL.
ASKED = {
    "Redis that is not there": (
        {"redis.url": "redis://:pass-word@127.0.0.1:1"},
        r"wrong redis\.url: nobody answers; start a server there, or name another one .*111.*",
    ),
    "data directory that cannot be": (
        {"redis.data_dir": "/proc/none"},
        r"wrong redis: /proc/none: cannot be used for the store: .*",
    ),
    "token of another region": (
        {"coze.token": "pat_of_elsewhere"},
        r"wrong bots\.helper: coze\.token: http://.* says 700012006: .* set coze\.base_url to .*",
    ),
    "agent of another region": (
        {"bots.helper.bot_id": "7000000000000000001"},
        r"wrong bots\.helper: bot_id: http://.* says 4200: .* copy the number .* the same site",
    ),
    "Coze that is not there": (
        {"coze.base_url": NOWHERE},
        r"wrong bots\.helper: coze\.base_url: http://.* does not serve \(.*\); .* coze\.proxy .*",
    ),
    "Telegram's token misspelled": (
        {"bots.helper.telegram.token": "abc"},
        r"wrong bots\.helper\.telegram\.token: is no bot token; @BotFather shows it .*",
    ),
    "Telegram's token unknown": (
        {"bots.helper.telegram.token": TELEGRAM_TOKEN},
        r"wrong bots\.helper\.telegram\.token: Telegram does not know this token; copy it again .*",
    ),
    "Telegram that is not there": (
        {"bots.helper.telegram.api_url": NOWHERE},
        r"wrong bots\.helper\.telegram: does not answer \(.*\); see its api_url, and the proxy .*",
    ),
    "Discord's token misspelled": (
        {"bots.helper.discord.token": "abc"},
        r"wrong bots\.helper\.discord\.token: is no bot token .*Reset Token",
    ),
    "Discord's token unknown": (
        {"bots.helper.discord.token": DISCORD_TOKEN},
        r"wrong bots\.helper\.discord\.token: Discord does not accept it; reset it at .*",
    ),
    "Discord that is not there": (
        {"bots.helper.discord.api_url": NOWHERE},
        r"wrong bots\.helper\.discord: does not answer \(.*\); see its api_url, and the proxy .*",
    ),
    "a key of a platform misspelled": (
        {"bots.helper.discord.proxi": ""},
        r"wrong bots\.helper\.discord\.proxi: no such key; did you mean proxy\?",
    ),
}

# A change of the configuration, and all that is said: nothing can be asked yet.
UNREADABLE = {
    "wrong key": ({"coze.tokken": "x"}, "coze.tokken: no such key; did you mean token?"),
    "wrong section": ({"rediss.url": "x"}, "rediss: no such section; did you mean redis?"),
    "missing token": (
        {"coze.token": ""},
        'coze.token: is missing; write token = "env:COZE_TOKEN"',
    ),
    "missing variable": (
        {"coze.token": "env:NO_SUCH_TOKEN"},
        "coze.token: the environment variable NO_SUCH_TOKEN is not set",
    ),
    "missing file": (
        {"coze.token": "file:/no/such"},
        "coze.token: the file /no/such cannot be read",
    ),
    "a number without quotes": (
        {"bots.helper.bot_id": 73428668},
        'bots.helper.bot_id: write the number at the end of the agent\'s URL in quotes: "73428668"',
    ),
}


async def checked(stage, changes=None):
    """Run the command; its status, its lines, and those to stderr."""
    tables = changed(stage.tables(), changes or {})
    async with stage.process("check", **tables) as child:
        said, _ = await child.communicate()
        status = await child.wait()
    printed = said.decode() + stage.errors
    for token in ("pass-word", "pat_", *tokens(stage.tables()["bots"]["helper"])):
        assert token not in printed
    for token in (TELEGRAM_TOKEN, DISCORD_TOKEN):
        assert token not in printed
    assert "Traceback" not in printed
    return status, said.decode().splitlines(), stage.errors.splitlines()


def changed(tables, changes):
    """A configuration with other values at some dotted places."""
    tables = {**tables}
    for path, value in changes.items():
        *way, last = path.split(".")
        table = tables
        for step in way:
            table[step] = table = dict(table.get(step, {}))
        table[last] = value
    return tables


def tokens(bot):
    """The tokens of a bot's platforms."""
    return [section["token"] for section in bot.values() if isinstance(section, dict)]


async def test_all_well(stage):
    """Where all is well, every line says so, nothing else is said, and the status is 0."""
    outcome = await checked(stage)

    assert (0, WELL, []) == outcome


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_wrong_is_said_in_one_line(stage, name):
    """What does not work says so in its own line, the others are asked all the same; status 2."""
    changes, expected = ASKED[name]
    status, lines, errors = await checked(stage, changes)
    wrong = [line for line in lines if line not in WELL]

    assert 2 == status
    assert len(lines) == 4
    assert 1 == len(wrong)
    assert re.fullmatch(expected, wrong[0])
    assert [] == errors


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_said_in_one_line(stage, name):
    """A configuration that cannot be used is one line that names the key; status 2."""
    changes, expected = UNREADABLE[name]
    outcome = await checked(stage, changes)

    assert (2, [], [f"coze-bridge: {expected}"]) == outcome


async def test_unknown_platform(stage):
    """A misspelled platform is told the nearest one."""
    section = dict(stage.sections["telegram"])
    status, lines, _ = await checked(stage, {"bots.helper.telegramm": section})

    assert 2 == status
    assert [
        *WELL,
        "wrong bots.helper.telegramm: no such platform; did you mean telegram?",
    ] == lines


@pytest.mark.parametrize("code", [4100, 4101, 4200, 700012006])
async def test_wrong_region(stage, code):
    """However Coze says that it knows neither token nor agent, the line says where to look."""
    for path in (AGENT, ACCOUNT):
        stage.coze.fail(path, faults.refusal(code, status=401 if code > 10_000 else 200))
    status, lines, _ = await checked(stage)

    assert 2 == status
    assert re.search(r"coze\.com and coze\.cn|from the same site", lines[1])


async def test_unpublished_agent(stage):
    """An agent that the API cannot reach has to be published to it."""
    stage.coze.publish(is_published=False)
    status, lines, _ = await checked(stage)

    assert 2 == status
    assert lines[1].endswith(f"publish the agent {BOT_ID} to the channel API")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(404, "text/plain", ""), "answers HTTP 404: no JSON; this is not the address of a"),
        (Reply(200, "text/html", faults.HTML), "does not serve (HTTP 200: a page of HTML"),
        (Reply(200, "application/json", "[1]"), "does not serve (HTTP 200"),
    ],
)
async def test_another_server(stage, reply, expected):
    """A base URL where something else lives is named."""
    stage.coze.fail(AGENT, reply)
    status, lines, _ = await checked(stage)

    assert 2 == status
    assert expected in lines[1]


async def test_several_things_at_once(stage):
    """Each has its own line."""
    stage.coze.publish(is_published=False)
    changes = {"bots.helper.telegram.token": TELEGRAM_TOKEN, "redis.url": "redis://127.0.0.1:1"}
    status, lines, errors = await checked(stage, changes)

    assert 2 == status
    assert ["wrong", "wrong", "wrong", "ok"] == [line.split()[0] for line in lines]
    assert [] == errors


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("content", [None, b"[coze\n", b"\xff\xfe"], ids=["none", "TOML", "UTF-8"])
async def test_unreadable_file(stage, command, content):
    """A file that cannot be read is one line with its name; status 2."""
    file = stage.home / "other.toml"
    if content is not None:
        file.write_bytes(content)
    async with stage.process(command, "--config", str(file), environment={}) as child:
        assert 2 == await child.wait()
    [line] = stage.errors.splitlines()

    assert line.startswith(f"coze-bridge: {file}: ")


async def test_nothing_configured(stage):
    """Without a file and without an environment, the line says what to write."""
    async with stage.process("check", environment={}) as child:
        assert 2 == await child.wait()

    [line] = stage.errors.splitlines()

    assert line.startswith("coze-bridge: config: write a config.toml")
    assert line.endswith("TELEGRAM_TOKEN or DISCORD_TOKEN")


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"redis.url": "redis://127.0.0.1:1"}, 1, "redis.url: nobody answers; "),
        ({"coze.base_url": "nonsense"}, 2, "coze.base_url: 'nonsense' is no URL"),
        ({"media.bind": "nonsense"}, 2, "media.bind: 'nonsense' is no address"),
        (BOTH_REFUSED, 2, ".token: "),
    ],
)
async def test_run_that_cannot_go_on(stage, changes, status, expected):
    """What cannot run says so in one line, and ends with 2 where a setting is wrong."""
    async with stage.process("run", **changed(stage.tables(), changes)) as child:
        ended = await asyncio.wait_for(child.wait(), 20)
    [said] = [line for line in stage.errors.splitlines() if not line.startswith("{")]

    assert status == ended
    assert said.startswith("coze-bridge: ")
    assert expected in said
