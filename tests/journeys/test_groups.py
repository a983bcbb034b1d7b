"""Groups and channels: who is answered there, and in whose conversation."""

from dataclasses import replace

import pytest

from adapters.telegram.emulator import TelegramEmulator
from bridge.coze.emulator import Play
from bridge.turns.words import ENGLISH


@pytest.fixture(params=["telegram", "discord"])
def platform(request):
    """Each platform in turn."""
    return request.param


@pytest.fixture
async def stage(new_stage, tmp_path):
    """Platforms that tell the bot everything that is said."""
    stage = new_stage(tmp_path)
    stage.telegram = TelegramEmulator(has_privacy=False)
    stage.coze.otherwise(lambda asked: Play(answers=(f"On {asked.text}.",)))
    async with stage.open():
        stage.sections["discord"] = {**stage.sections["discord"], "message_content": True}
        yield stage


@pytest.fixture
def people(stage, platform):
    """Two people in one group."""
    kim, lee = stage.talk(platform, "Kim"), stage.talk(platform, "Lee")
    persons = [kim.person, lee.person]
    if platform == "telegram":
        place = stage.telegram.group("Garden", persons)
    else:
        place = stage.discord.channel(stage.discord.guild("Garden", persons), "general")
    return replace(kim, chat=place), replace(lee, chat=place)


def called(stage, platform, text):
    """A text that begins with the bot's name."""
    if platform == "telegram":
        return f"@{stage.telegram.bot.username} {text}"
    return f"<@{stage.discord.bot.id}> {text}"


def command(stage, platform, name):
    """A command for this bot, as one writes it in a group."""
    if platform == "telegram":
        return f"/{name}@{stage.telegram.bot.username}"
    return called(stage, platform, f"/{name}")


def questions(stage):
    """What Coze was asked, in order."""
    return [one.body["additional_messages"][0]["content"] for one in stage.asked()]


async def test_only_what_is_addressed_is_answered(stage, platform, people):
    """A mention, a reply to the bot and a command are answered; talk among people is not."""
    kim, lee = people
    async with stage.bridge():
        said = await lee.say("lovely weather")
        await kim.say("indeed", reply_to=said)
        first = await kim.say(called(stage, platform, "one"))
        await stage.until(lambda: ["On one."] == kim.replies)
        answer = kim.shown[0].id
        second = await lee.say("two", reply_to=answer)
        await stage.until(lambda: ["On one.", "On two."] == kim.replies)
        await kim.say("so it goes")
        await kim.say(command(stage, platform, "help"))
        await stage.until(lambda: ["On one.", "On two.", ENGLISH.help] == kim.replies)

    assert ["one", "two"] == questions(stage)
    assert [first, second] == [shown.reply_to for shown in kim.shown[:2]]


async def test_two_people_have_conversations_of_their_own(stage, platform, people):
    """In one group each person is somebody else to Coze, and has a conversation that goes on."""
    kim, lee = people
    async with stage.bridge():
        for number, talk in enumerate((kim, lee, kim, lee), start=1):
            await talk.say(called(stage, platform, str(number)))
            await stage.until(lambda: number == len(kim.replies))  # noqa: B023
    of_kim, of_lee, again_kim, again_lee = [
        (one.body["user_id"], one.query["conversation_id"]) for one in stage.asked()
    ]

    assert of_kim == again_kim
    assert of_lee == again_lee
    assert not set(of_kim) & set(of_lee)


async def test_new_forgets_for_one_person_alone(stage, platform, people):
    """/new in a group begins another conversation for whoever said it, and for nobody else."""
    kim, lee = people
    async with stage.bridge():
        for talk, text in (
            (kim, called(stage, platform, "one")),
            (lee, called(stage, platform, "two")),
            (kim, command(stage, platform, "new")),
            (kim, called(stage, platform, "three")),
            (lee, called(stage, platform, "four")),
        ):
            count = len(kim.replies)
            await talk.say(text)
            await stage.until(lambda: len(kim.replies) > count)  # noqa: B023
    one, two, three, four = [ask.query["conversation_id"] for ask in stage.asked()]

    assert one != three
    assert two == four


async def test_private_chat_is_another_conversation(stage, platform, people):
    """What is said in private is not known in the group."""
    kim, _ = people
    private = (stage.telegram.private if platform == "telegram" else stage.discord.direct)(
        kim.person
    )
    alone = replace(kim, chat=private)
    async with stage.bridge():
        await alone.say("one")
        await stage.until(lambda: ["On one."] == alone.replies)
        await kim.say(called(stage, platform, "two"))
        await stage.until(lambda: ["On two."] == kim.replies)
    one, two = stage.asked()

    assert one.query["conversation_id"] != two.query["conversation_id"]
    assert one.body["user_id"] == two.body["user_id"]


async def test_threads_are_answered_where_they_are(stage, platform, people):
    """A forum topic or a thread is a place of its own, with a conversation of its own."""
    kim, lee = people
    async with stage.bridge():
        if platform == "telegram":
            group = stage.telegram.group("Forum", [kim.person, lee.person], ["Roses", "Trees"])
            threads = stage.telegram.topics(group).values()
            places = [(replace(kim, chat=group), {"thread": thread}) for thread in threads]
        else:
            names = ("roses", "trees")
            threads = [stage.discord.thread(kim.chat, kim.person, name) for name in names]
            places = [(replace(kim, chat=thread), {}) for thread in threads]
        for number, (talk, more) in enumerate(places, start=1):
            await talk.say(called(stage, platform, str(number)), **more)
            await stage.until(lambda: f"On {number}." in talk.replies)  # noqa: B023
    one, two = stage.asked()

    assert one.query["conversation_id"] != two.query["conversation_id"]
    if platform == "telegram":
        assert list(threads) == [shown.thread for shown in places[0][0].shown]
    else:
        assert [["On 1."], ["On 2."]] == [talk.replies for talk, _ in places]


async def test_command_for_another_bot(stage):
    """Where several bots are, only the one that is named obeys."""
    kim = stage.talk("telegram")
    group = replace(kim, chat=stage.telegram.group("Garden", [kim.person]))
    async with stage.bridge():
        await group.say("/help@another_bot")
        await group.say(command(stage, "telegram", "start"))
        await stage.until(lambda: [ENGLISH.start] == group.replies)
