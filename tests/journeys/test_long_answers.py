"""Long answers arrive whole: nothing lost, nothing added, every message within its limit.

All answers of a platform are given at once, each to a person of its own.
"""

import asyncio

import pytest

from bridge.coze.emulator import Answer, Play
from bridge.reply.visible import visible
from bridge.sandbox.plays import long_answer
from bridge.turns.words import ENGLISH

LIMITS = {"telegram": 4096, "discord": 2000}
RICH = long_answer()
PLAIN = "".join(
    f"Sentence {number} of a plain text, 第{number}句没有任何标记, with a smile 😀 at its end. "
    for number in range(250)
)[:12_000].strip()
SHORTER = RICH[: RICH.index("### Part 9\n")].strip()
OTHER_BEGINNING = RICH.replace("This is paragraph 1 of", "Here begins, anew and at length,")


def completed(text, instead):
    """An answer whose end corrects what was seen of it."""
    return Play(answers=(Answer(text, completed=instead),), cut=100, pace=0.02)


PLAYS = {
    "fast": (Play(answers=(RICH,), cut=60), RICH),
    "slow": (Play(answers=(RICH,), cut=150, pace=0.06), RICH),
    "in one piece": (Play(answers=(Answer(RICH, deltas=()),)), RICH),
    "without Markdown": (Play(answers=(PLAIN,), cut=7), PLAIN),
    "without Markdown, slow": (Play(answers=(PLAIN,), cut=120, pace=0.06), PLAIN),
    "without a space": (Play(answers=("字" * 12_000,), cut=50), "字" * 12_000),
    "completed shorter": (completed(RICH, SHORTER), SHORTER),
    "completed with another beginning": (completed(RICH, OTHER_BEGINNING), OTHER_BEGINNING),
    "completed as something else": (completed(RICH, PLAIN), PLAIN),
}


def seen(platform, replies):
    """What a reader sees of all messages together; Telegram's are text already."""
    if platform == "telegram":
        return "".join("".join(replies).split())
    return "".join(map(visible, replies))


async def answered(stage, platform):
    """The messages of every reply, once the person has been answered a second time."""
    stage.coze.otherwise(lambda asked: PLAYS[asked.text][0])
    talks = {name: stage.talk(platform) for name in PLAYS}
    async with stage.open(), stage.bridge():
        await asyncio.gather(*(listen(stage, talk, name) for name, talk in talks.items()))
    assert len(PLAYS) == len(stage.asked())
    return {name: talk.replies for name, talk in talks.items()}


async def listen(stage, talk, question):
    """Ask for the long answer, and for help after it: that comes when the answer is whole."""
    await talk.say(question)
    await talk.say("/help")
    await stage.until(lambda: talk.replies and talk.replies[-1] == ENGLISH.help, patience=60)


@pytest.fixture(scope="module", params=LIMITS)
def replies(request, new_stage, tmp_path_factory):
    """The platform, and what it shows of each answer."""
    stage = new_stage(tmp_path_factory.mktemp("long"))
    return request.param, asyncio.run(answered(stage, request.param))


@pytest.mark.parametrize("name", PLAYS)
def test_long_answer_arrives_whole(replies, name):
    """All messages together show what Coze completed; none is longer than it may be."""
    platform, texts = replies
    expected = PLAYS[name][1]
    *messages, _ = texts[name]

    assert visible(expected) == seen(platform, messages)
    assert max(map(len, messages)) <= LIMITS[platform]
    assert len(messages) <= len(expected) / LIMITS[platform] + 2


@pytest.mark.parametrize("name", [name for name in PLAYS if PLAYS[name][1] == PLAIN])
def test_plain_text_is_the_same_to_the_letter(replies, name):
    """Only white space where a message ends is left out."""
    _, texts = replies
    rest = PLAIN
    for message in texts[name][:-1]:
        assert rest.startswith(message)
        rest = rest.removeprefix(message).lstrip()

    assert "" == rest
