"""The command as a process: started, asked to end, killed, and started again."""

import asyncio
import signal

import pytest

from bridge.coze.emulator import Play, faults
from bridge.sandbox.world import BOT_ID

TOKEN = "pat_journeys_Xy7"
BOTH = ("telegram", "discord")
WRONG = {
    "telegram": "987654321:AAE-an0therT0ken_of-another_8ot4u5v6",
    "discord": "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.an0therT0ken_of-another_8ot4u5v6",
}


def answer_to(question):
    """Four lines that take a while, and tell what was asked."""
    return "\n".join(f"{number}: this is what I say to {question}." for number in range(4))


@pytest.mark.parametrize("platform", BOTH)
async def test_restart_keeps_the_conversation(stage, platform):
    """What is asked after a restart belongs to the conversation of before."""
    stage.coze.otherwise(lambda asked: Play(answers=(f"On {asked.text}.",)))
    talk = stage.talk(platform)
    for said, expected in (("one", ["On one."]), ("two", ["On one.", "On two."])):
        async with stage.process("run") as child:
            await stage.until_running()
            await talk.say(said)
            await stage.until(lambda: expected == talk.replies)  # noqa: B023
            child.terminate()

            assert 0 == await child.wait()
    first, second = stage.asked()

    assert first.query["conversation_id"] == second.query["conversation_id"]
    assert first.body["user_id"] == second.body["user_id"]


async def test_said_while_nobody_listens(stage):
    """What Telegram kept for us while the process was away is answered when it is back."""
    stage.coze.otherwise(lambda asked: Play(answers=(f"On {asked.text}.",)))
    talk = stage.talk("telegram")
    await talk.say("one")
    async with stage.process("run"):
        await stage.until(lambda: ["On one."] == talk.replies)


async def test_sigterm_amid_ten_answers(stage):
    """Each answer is finished in time or by the next process, in the same messages, asked once."""
    paces = {f"q{number}": 0.02 if number < 4 else 0.25 for number in range(10)}
    stage.coze.otherwise(
        lambda asked: Play(answers=(answer_to(asked.text),), cut=8, pace=paces[asked.text])
    )
    talks = {question: stage.talk(BOTH[number % 2]) for number, question in enumerate(paces)}
    async with stage.process("run", bridge={"grace": 2.0}) as child:
        await stage.until_running()
        await asyncio.gather(*(talk.say(question) for question, talk in talks.items()))
        await stage.until(lambda: all(talk.shown for talk in talks.values()))
        begun = [one.id for talk in talks.values() for one in talk.shown]
        child.terminate()

        assert 0 == await child.wait()
    finished = [
        question for question, talk in talks.items() if [answer_to(question)] == talk.replies
    ]
    async with stage.process("run") as child:
        await stage.until(
            lambda: all([answer_to(question)] == talk.replies for question, talk in talks.items())
        )
        child.terminate()
        await child.wait()

    assert 4 <= len(finished) < 10
    assert begun == [one.id for talk in talks.values() for one in talk.shown]
    assert sorted(paces) == sorted(chat.asked.text for chat in stage.coze.chats.values())
    assert 10 == len(stage.asked())


async def test_kill_9_in_the_middle(stage):
    """A killed process leaves its turns to the next one: same message, whole text, asked once."""
    harms = {
        "plain": Play(answers=(answer_to("plain"),), cut=8, pace=0.3),
        # The first event never comes: nobody has seen that there is a chat.
        "unseen": Play(answers=(answer_to("unseen"),), pace=0.05, fault=faults.hangs(60, after=0)),
        "ended": Play(answers=(answer_to("ended"),), pace=0.05, fault=faults.hangs(60, after=20)),
    }
    stage.coze.otherwise(lambda asked: harms[asked.text.split()[0]])
    talks = {(question, platform): stage.talk(platform) for question in harms for platform in BOTH}
    async with stage.process("run") as child:
        await stage.until_running()
        await asyncio.gather(*(talk.say(question) for (question, _), talk in talks.items()))
        seen = [talk for (question, _), talk in talks.items() if question != "unseen"]
        await stage.until(lambda: len(stage.coze.chats) == 6 and all(talk.shown for talk in seen))
        begun = [one.id for talk in seen for one in talk.shown]
        child.kill()
        await child.wait()
    async with stage.process("run") as child:
        await stage.until(
            lambda: all(
                [answer_to(question)] == talk.replies for (question, _), talk in talks.items()
            )
        )
        child.terminate()

        assert 0 == await child.wait()
    assert begun == [one.id for talk in seen for one in talk.shown]
    assert 6 == len(stage.coze.chats) == len(stage.asked())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_it(stage, number):
    """A signal ends it in order: status 0, and not a word of Python's."""
    async with stage.process("run") as child:
        await stage.until_running()
        child.send_signal(number)

        assert 0 == await child.wait()
    assert "Traceback" not in stage.errors


@pytest.mark.parametrize(("refused", "other"), [BOTH, BOTH[::-1]], ids=BOTH)
async def test_refused_bot_ends_no_other(stage, refused, other):
    """A platform that does not take its bot is named in the log; the other one goes on."""
    stage.coze.otherwise(lambda asked: Play(answers=(f"On {asked.text}.",)))
    key, talk = f"bots.helper.{refused}.token", stage.talk(other)
    wrong = {**stage.sections[refused], "token": WRONG[refused]}
    bot = {"bot_id": BOT_ID, **stage.sections, refused: wrong}
    async with stage.process("run", bots={"helper": bot}) as child:
        await stage.until(lambda: f'"key": "{key}"' in stage.errors)
        await stage.until(lambda: getattr(stage, other).is_attended)
        await talk.say("one")
        await stage.until(lambda: ["On one."] == talk.replies)
        child.terminate()

        assert 0 == await child.wait()
    assert WRONG[refused] not in stage.errors


async def test_second_signal_ends_it_at_once(stage):
    """Who cannot wait sends the signal twice."""
    stage.coze.otherwise(lambda _: Play(answers=("word " * 99,), pace=0.2))
    talk = stage.talk("telegram")
    async with stage.process("run", bridge={"grace": 60.0}) as child:
        await stage.until_running()
        await talk.say("question")
        await stage.until(lambda: talk.shown)
        child.send_signal(signal.SIGINT)
        await stage.until(lambda: "finishing turns" in stage.errors)
        child.send_signal(signal.SIGINT)

        assert 130 == await child.wait()
    assert "Traceback" not in stage.errors


async def test_signal_while_starting(stage):
    """Even before it runs, a signal ends it without a word of Python's."""
    async with stage.process("run") as child:
        await stage.until(lambda: "embedded store started" in stage.errors)
        child.send_signal(signal.SIGINT)
        await child.wait()

    assert "Traceback" not in stage.errors


async def test_environment_alone(stage):
    """No file is needed."""
    telegram, discord = stage.sections["telegram"], stage.sections["discord"]
    stage.coze.otherwise(lambda asked: Play(answers=(f"On {asked.text}.",)))
    talks = [stage.talk(platform) for platform in BOTH]
    environment = {
        "COZE_TOKEN": TOKEN,
        "COZE_BOT_ID": BOT_ID,
        "COZE_BASE_URL": stage.coze_url,
        "COZE_BRIDGE_DATA_DIR": str(stage.home / "data"),
        "TELEGRAM_TOKEN": telegram["token"],
        "TELEGRAM_API_URL": telegram["api_url"],
        "DISCORD_TOKEN": discord["token"],
        "DISCORD_API_URL": discord["api_url"],
        "DISCORD_GATEWAY_URL": discord["gateway_url"],
    }
    async with stage.process("run", environment=environment) as child:
        await stage.until_running()
        for talk in talks:
            await talk.say("one")
        await stage.until(lambda: all(["On one."] == talk.replies for talk in talks))
        child.terminate()

        assert 0 == await child.wait()
