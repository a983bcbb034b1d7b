"""The platforms fail: floods, outages, lost answers, deleted messages, a bot shown the door."""

import asyncio
import json

import httpx
import pytest

from bridge.coze.emulator import Play, faults
from bridge.turns.words import ENGLISH as W

ANSWER = "It will rain tomorrow, so take an umbrella with you wherever you go."
SHORT = "You are welcome."
POST = {"telegram": ("sendMessage",), "discord": ("POST", "/channels/*/messages")}
EDIT = {"telegram": ("editMessageText",), "discord": ("PATCH", "/channels/*/messages/*")}


@pytest.fixture(params=["telegram", "discord"])
def platform(request):
    """Each platform in turn."""
    return request.param


@pytest.fixture
def talk(stage, platform):
    """Somebody who asks a long question; anything else has a short answer."""

    def play_for(asked):
        if asked.text == "question":
            return Play(answers=(ANSWER,), cut=8, pace=0.15)
        return Play(answers=(SHORT,))

    stage.coze.otherwise(play_for)
    return stage.talk(platform)


@pytest.mark.parametrize("seconds", [1, 3], ids=["in the middle", "at the final text"])
async def test_flood(stage, platform, talk, seconds):
    """A 429 holds its own chat for as long as it says, others go on, and the final text comes."""
    other = stage.talk(platform)
    async with stage.bridge():
        await talk.say("question")
        await stage.until(lambda: talk.shown)
        talk.emulator.flood(talk.chat, seconds)
        await other.say("Thank you!")
        await stage.until(lambda: [SHORT] == other.replies)
        is_first = [ANSWER] != talk.replies
        await stage.until(lambda: [ANSWER] == talk.replies)
        await talk.say("Thank you!")
        await stage.until(lambda: [ANSWER, SHORT] == talk.replies)

    assert is_first


@pytest.mark.parametrize(("routes", "status"), [(POST, 500), (EDIT, 504)], ids=["posts", "edits"])
async def test_outage(stage, platform, talk, routes, status):
    """What a platform does not carry out is tried again, until the reply is whole."""
    talk.emulator.fail(*routes[platform], times=2, status=status)
    async with stage.bridge():
        await talk.say("question")
        await stage.until(lambda: [ANSWER] == talk.replies)
        await talk.say("Thank you!")
        await stage.until(lambda: [ANSWER, SHORT] == talk.replies)

    assert 2 == len(stage.asked())


async def test_lost_answer_to_a_post_on_discord(stage):
    """A post whose answer is lost is not repeated: the nonce gives one message."""
    talk = stage.talk("discord")
    stage.coze.otherwise(lambda _: Play(answers=(ANSWER,), pace=0.02))
    stage.discord.fail(*POST["discord"], status=504, after_success=True)
    async with stage.bridge():
        await talk.say("question")
        await stage.until(lambda: [ANSWER] == talk.replies)

    assert 1 == len(talk.shown)


async def test_lost_answer_to_an_edit(stage, platform, talk):
    """An edit whose answer is lost does no harm."""
    talk.emulator.fail(*EDIT[platform], times=2, status=502, after_success=True)
    async with stage.bridge():
        await talk.say("question")
        await stage.until(lambda: [ANSWER] == talk.replies)
        await talk.say("Thank you!")
        await stage.until(lambda: [ANSWER, SHORT] == talk.replies)


async def test_deleted_while_it_is_written(stage, platform, talk):
    """A reply that the person deletes is written anew, whole, and only once."""
    async with stage.bridge():
        await talk.say("question")
        await stage.until(lambda: talk.shown)
        await delete(stage, platform, talk)
        await stage.until(lambda: [ANSWER] == talk.replies)
        await talk.say("Thank you!")
        await stage.until(lambda: [ANSWER, SHORT] == talk.replies)


async def delete(stage, platform, talk):
    """Take the bot's message away."""
    [message] = talk.shown
    if platform == "discord":
        await stage.discord.delete(talk.chat, message.id)
        return
    section = stage.sections["telegram"]
    url = f"{section['api_url']}/bot{section['token']}/deleteMessage"
    async with httpx.AsyncClient() as client:
        await client.post(url, json={"chat_id": talk.chat, "message_id": message.id})


@pytest.mark.parametrize("is_begun", [False, True], ids=["before", "during"])
async def test_blocked(stage, platform, talk, is_begun):
    """Who blocks the bot gets nothing more, and holds nobody up."""
    other = stage.talk(platform)
    async with stage.bridge():
        await talk.say("question")
        if is_begun:
            await stage.until(lambda: talk.shown)
        talk.emulator.block(talk.chat if platform == "telegram" else talk.person)
        await other.say("Thank you!")
        await stage.until(lambda: [SHORT] == other.replies)
        await asyncio.wait_for(stage.coze.idle(), 10)

    assert len(talk.replies) == int(is_begun)


async def test_unblocked_on_telegram(stage):
    """Who comes back is answered again."""
    talk = stage.talk("telegram")
    stage.coze.otherwise(lambda _: Play(answers=(SHORT,)))
    async with stage.bridge():
        await talk.say("one")
        stage.telegram.block(talk.chat)
        await stage.until(lambda: len(stage.coze.chats) == 1)
        await stage.coze.idle()
        stage.telegram.unblock(talk.chat)
        await talk.say("two")
        await stage.until(lambda: SHORT in talk.replies)


@pytest.mark.parametrize(
    "fault", [faults.json_error(4028), faults.failed(4028)], ids=["no", "failed"]
)
async def test_operator_finds_code_and_log_id(stage, talk, logged, fault):
    """The person reads a sentence; code and log id are in the log, where nobody's words are."""
    stage.coze.play(Play(fault=fault))
    async with stage.bridge():
        await talk.say("a secret question")
        await stage.until(lambda: [W.used_up] == talk.replies)
    lines = [json.loads(line) for line in logged().splitlines()]
    [line] = [line for line in lines if line.get("code") == 4028]

    assert "warning" == line["level"]
    assert 32 == len(line["log_id"])
    assert line["turn"]
    assert "a secret question" not in logged()
