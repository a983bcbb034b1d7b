"""Coze's other endpoints fail: opening a conversation, looking at a chat, reading it back."""

import pytest

from bridge.coze.emulator import End, Play, Reply, faults
from bridge.coze.settings import Patience
from bridge.turns.words import ENGLISH as W

ANSWER = "It will rain tomorrow, so take an umbrella."
NEXT = "You are welcome."
HASTE = Patience(backoff=0.05, busy=8.0, settle=0.2, recovery=1.5, silence=3.0)

CREATE = "/v1/conversation/create"
LOOK_UP = "/v1/conversation/message/list"
RETRIEVE = "/v3/chat/retrieve"
LIST = "/v3/chat/message/list"

INVALID = faults.refusal(700012006, "access token invalid", status=401)
HTML = Reply(504, "text/html", faults.HTML)
TEXT = Reply(500, "text/plain", "conversation not found")
RESET = End("reset")

CUT = faults.ends(after=1)
UNSEEN = faults.http_error(504, is_started=True)

ROWS = {
    # endpoint, what it answers, how often, the fault of the chat, what the person reads, requests
    "create, once": (CREATE, faults.refusal(5000), 1, None, ANSWER, 1),
    "create, 504 once": (CREATE, HTML, 1, None, ANSWER, 1),
    "create, reset once": (CREATE, RESET, 1, None, ANSWER, 1),
    "create, 504": (CREATE, HTML, 3, None, W.unavailable, 0),
    "create, refused": (CREATE, faults.refusal(4101), 1, None, ANSWER, 1),
    "create, 401": (CREATE, INVALID, 1, None, ANSWER, 1),
    "retrieve, 500": (RETRIEVE, TEXT, 1, CUT, ANSWER, 1),
    "retrieve, 504": (RETRIEVE, HTML, 1, CUT, ANSWER, 1),
    "retrieve, reset": (RETRIEVE, RESET, 1, CUT, ANSWER, 1),
    "retrieve, too often": (RETRIEVE, faults.refusal(4009), 1, CUT, ANSWER, 1),
    "retrieve, 401": (RETRIEVE, INVALID, 1, CUT, W.misconfigured, 1),
    "retrieve, no such chat": (RETRIEVE, faults.refusal(4001), 1, CUT, W.failed, 1),
    "retrieve, down": (RETRIEVE, HTML, 2, CUT, W.broken_off, 1),
    "list, 500": (LIST, TEXT, 1, CUT, ANSWER, 1),
    "list, reset": (LIST, RESET, 1, CUT, ANSWER, 1),
    "list, refused": (LIST, faults.refusal(4000), 1, CUT, W.refused, 1),
    "look-up, once": (LOOK_UP, HTML, 1, UNSEEN, ANSWER, 1),
    "look-up, down": (LOOK_UP, HTML, 3, UNSEEN, W.broken_off, 1),
}


@pytest.mark.parametrize("platform", ["telegram", "discord"])
@pytest.mark.parametrize("name", ROWS)
async def test_failure_beside_the_chat(stage, platform, name):
    """The answer or one sentence, never both; Coze is asked once, and the next turn is well."""
    path, reply, times, fault, expected, asked = ROWS[name]
    stage.coze.otherwise(lambda _: Play(answers=(NEXT,)))
    stage.coze.play(*([Play(answers=(ANSWER,), fault=fault)] * asked))
    stage.coze.fail(path, reply, times)
    talk = stage.talk(platform)
    async with stage.bridge(patience=HASTE):
        await talk.say("question")
        await stage.until(lambda: talk.replies)
        await talk.say("Thank you!")
        await stage.until(lambda: NEXT in talk.replies)
    questions = [one.body["additional_messages"][0]["content"] for one in stage.asked()]

    assert [expected, NEXT] == talk.replies
    assert ["question"] * asked + ["Thank you!"] == questions


@pytest.mark.parametrize("platform", ["telegram", "discord"])
async def test_forgotten_conversation(stage, platform):
    """A conversation that Coze has lost is replaced by a new one, and the person sees nothing."""
    stage.coze.otherwise(lambda question: Play(answers=(f"On {question.text}.",)))
    talk = stage.talk(platform)
    async with stage.bridge(patience=HASTE):
        await talk.say("one")
        await stage.until(lambda: ["On one."] == talk.replies)
        stage.coze.forget(next(iter(stage.coze.conversations)))
        await talk.say("two")
        await stage.until(lambda: ["On one.", "On two."] == talk.replies)


@pytest.mark.parametrize("platform", ["telegram", "discord"])
async def test_chat_that_outlasts_our_patience(stage, platform):
    """What was written stays, with one sentence; the next question waits for the chat's end."""
    stage.coze.otherwise(lambda _: Play(answers=(NEXT,)))
    stage.coze.play(Play(answers=(ANSWER,), fault=faults.ends(after=4), pace=0.4))
    talk = stage.talk(platform)
    async with stage.bridge(patience=HASTE):
        await talk.say("question")
        await stage.until(lambda: any(W.broken_off in reply for reply in talk.replies))
        await talk.say("Thank you!")
        await stage.until(lambda: NEXT in talk.replies)
    [answered, thanked] = talk.replies

    assert f"{ANSWER[:7]}\n\n{W.broken_off}" == answered
    assert NEXT == thanked
    assert 2 == len(stage.coze.chats)
