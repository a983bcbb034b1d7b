"""Tokens stay where they belong, in a run with photos and with every kind of failure."""

from urllib.parse import quote

import httpx
import pytest
from redis import Redis

from bridge.coze.emulator import End, Play, Reply, faults
from bridge.coze.settings import Patience
from bridge.store.embedded import socket_of

COZE_TOKEN = "pat_journeys_Xy7"
HASTE = Patience(backoff=0.05, busy=1.0, settle=0.1, recovery=2.0, silence=3.0)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
HARMS = (
    faults.json_error(4100),
    faults.json_error(4028),
    faults.http_error(504),
    faults.reset(is_started=True),
    faults.ends(after=3, how="reset"),
    faults.failed(5000, after=2),
    faults.hangs(5.0, after=0),
)


def forms(*tokens):
    """How a token might be written: as it is, in a URL, and its secret part alone."""
    whole = [form for token in tokens for form in (token, quote(token, safe=""))]
    parts = [part for token in tokens for part in token.replace(".", ":").split(":")[1:]]
    return [form.encode() for form in (*whole, *parts) if len(form) > 10]


def found(tokens, places):
    """Where any form of a token stands."""
    return [place for place, content in places for form in forms(*tokens) if form in content]


@pytest.fixture
def platform_tokens(stage):
    """The bots' own tokens."""
    return [section["token"] for section in stage.sections.values()]


def sent_to_coze(stage):
    """Every byte of every request, and what was fetched because of it."""
    for one in stage.coze.requests:
        head = f"{one.method} {one.path} {dict(one.query)} {dict(one.headers)}"
        yield one.path, head.encode() + one.raw
    for one in stage.coze.downloads:
        yield "download", one.url.encode() + one.content
    for one in stage.coze.messages:
        yield "message", repr(one).encode()


def stored(stage):
    """Every key and value in Redis, and every byte of its files."""
    home = (stage.home / "data").resolve()
    with Redis(unix_socket_path=str(socket_of(home))) as client:
        for key in client.scan_iter():
            yield key.decode(), key + readable(client, key)
    for file in home.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()


def readable(client, key):
    """A value, by its type; a dump may be compressed."""
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"hash":
            return repr(client.hgetall(key)).encode()
        case b"zset":
            return repr(client.zrange(key, 0, -1)).encode()
        case b"stream":
            return repr(client.xrange(key)).encode()
        case b"set":
            return repr(client.smembers(key)).encode()
        case b"list":
            return repr(client.lrange(key, 0, -1)).encode()
    raise AssertionError(client.type(key))


def sent_to_platforms(stage):
    """Every call of the bot."""
    for one in stage.telegram.calls:
        yield one.method, repr(one.params).encode()
    for one in stage.discord.calls:
        yield one.path, repr((one.query, one.body)).encode()


def shown(talks):
    """What people read."""
    return [("reply", text.encode()) for talk in talks for text in talk.replies]


async def live_through_it(stage, platform):
    """Text, photos, commands, and everything that goes wrong; returns whom it happened to."""
    talks = [stage.talk(platform) for _ in range(4 + len(HARMS))]
    emulator = talks[0].emulator
    await picture(talks[0])
    await talks[1].say("/help")
    await stage.until(lambda: talks[0].replies and talks[1].replies)
    for talk, harm in zip(talks[4:], HARMS, strict=True):
        stage.coze.play(Play(fault=harm))
        await talk.say("question")
        await stage.until(lambda: talk.replies)  # noqa: B023
    harm_platform(stage, platform)
    await picture(talks[2])
    await stage.until(lambda: talks[2].replies)
    emulator.block(talks[3].chat if platform == "telegram" else talks[3].person)
    await talks[3].say("question")
    await talks[0].say("question")
    await stage.until(lambda: len(talks[0].replies) > 1)
    return talks


def harm_platform(stage, platform):
    """Lose connections and answers, those for files among them."""
    stage.coze.fail("/v1/files/upload", Reply(504, "text/html", faults.HTML))
    stage.coze.fail("/v1/conversation/create", End("reset"))
    if platform == "discord":
        stage.discord.fail("POST", "/channels/*/messages", status=500)
        stage.discord.fail("PATCH", "/channels/*/messages/*", status=502)
        stage.discord.drop_gateway(1006)
        return
    for method in ("getUpdates", "getFile", "sendMessage", "editMessageText"):
        stage.telegram.fail(method, status=0)
        stage.telegram.fail(method, status=502, description="Bad Gateway")


async def picture(talk):
    """Send a photo."""
    if hasattr(talk.emulator, "private"):
        await talk.say(None, photo=PIXEL, caption="what is this?")
    else:
        await talk.say("what is this?", attachments=[("photo.png", "image/png", PIXEL)])


@pytest.mark.parametrize("platform", ["telegram", "discord"])
@pytest.mark.parametrize("tables", [{}, {"media": {"mode": "upload"}}], ids=["relay", "upload"])
async def test_no_token_leaves(stage, logged, platform_tokens, platform, tables):
    """Not to Coze, nor into the log or the store, nor to a platform, nor to a person."""
    async with stage.bridge(patience=HASTE, **tables):
        talks = await live_through_it(stage, platform)
        kept = list(stored(stage))
    # The log is configured without any secret here: what hides them had nothing to do.
    written = [("log", logged().encode())]
    photos = [*stage.coze.uploads, *stage.coze.downloads]

    assert PIXEL in [photo.content for photo in photos]
    assert [] == found(platform_tokens, sent_to_coze(stage))
    assert [] == found([*platform_tokens, COZE_TOKEN], written)
    assert [] == found([*platform_tokens, COZE_TOKEN], kept)
    assert [] == found([*platform_tokens, COZE_TOKEN], stored_files(stage))
    assert [] == found([*platform_tokens, COZE_TOKEN], sent_to_platforms(stage))
    assert [] == found([*platform_tokens, COZE_TOKEN], shown(talks))
    assert "[hidden]" not in logged()


def stored_files(stage):
    """Every byte that the store has left on the disk."""
    files = [file for file in (stage.home / "data").rglob("*") if file.is_file()]
    assert any("aof" in file.name for file in files)
    return [(file.name, file.read_bytes()) for file in files]


async def test_search_finds_what_is_there(stage):
    """The search itself works: the Coze token goes to Coze, and is found there."""
    talk = stage.talk("telegram")
    async with stage.bridge():
        await talk.say("hello")
        await stage.until(lambda: talk.replies)

    assert found([COZE_TOKEN], sent_to_coze(stage))
    assert found([talk.replies[0]], shown([talk]))


async def test_relay_tells_nothing(stage, platform_tokens):
    """The link that Coze gets holds no token, and neither does anything it answers."""
    talk = stage.talk("telegram")
    async with stage.bridge():
        await picture(talk)
        await stage.until(lambda: talk.replies)
        [download] = stage.coze.downloads
        async with httpx.AsyncClient() as client:
            forged = "x/".join(download.url.rsplit("/", 1))
            answers = [await client.get(url) for url in (download.url, forged)]

    assert [200, 404] == [answer.status_code for answer in answers]
    places = [("answer", repr(answer.headers).encode() + answer.content) for answer in answers]

    assert [] == found(platform_tokens, places)
