"""What people do in a chat, on both platforms, from the first word to the finished reply."""

import pytest

from bridge.coze.emulator import Answer, Play

WEDNESDAY = "2024 年 10 月 1 日是星期三。"
FOREST = "这是一幅非常漂亮的森林图片,里面有小溪、石头和青苔覆盖的树木。"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


@pytest.fixture(params=["telegram", "discord"])
def emulator(request, stage):
    """Each platform in turn."""
    return getattr(stage, request.param)


async def test_text_is_answered(stage, emulator):
    """A text is answered with exactly what Coze completed, in one message."""
    async with stage.bridge():
        await emulator.say("2024年10月1日是星期几")
        await stage.until(lambda: [WEDNESDAY] == stage.replies(emulator))

    body = stage.asked()[0].body

    assert "2024年10月1日是星期几" == body["additional_messages"][0]["content"]
    assert body["stream"]


async def test_answer_grows_in_place(stage, emulator):
    """A slow answer is seen while it is written, and edited at least three times."""
    stage.coze.play(Play(answers=("word " * 60,), cut=5, pace=0.1))
    async with stage.bridge():
        await emulator.say("tell me")
        await stage.until(lambda: ["word " * 59 + "word"] == stage.replies(emulator))
    reply = emulator.transcript()[-1]

    assert reply.edits >= 3


async def test_photo_reaches_coze(stage, emulator):
    """A photo becomes an image part whose file_url Coze can fetch, byte by byte the same."""
    async with stage.bridge():
        await emulator.say("帮我看看这张图片里都有什么", PIXEL)
        await stage.until(lambda: [FOREST] == stage.replies(emulator))
    message = stage.asked()[0].body["additional_messages"][-1]

    assert "object_string" == message["content_type"]
    assert '"type":"image"' in message["content"]
    assert [PIXEL] == [download.content for download in stage.coze.downloads]


async def test_photo_without_words(stage, emulator):
    """A photo needs no caption."""
    async with stage.bridge():
        await emulator.say("", PIXEL)
        await stage.until(lambda: [FOREST] == stage.replies(emulator))

    assert [PIXEL] == [download.content for download in stage.coze.downloads]


async def test_photo_behind_a_router(stage, emulator):
    """Without a public URL, Telegram's photos are uploaded and Discord's fetched from Discord."""
    async with stage.bridge(media={}):
        await emulator.say("what is this?", PIXEL)
        await stage.until(lambda: [FOREST] == stage.replies(emulator))
    uploaded = [file.content for file in stage.coze.uploads]
    fetched = [file.content for file in stage.coze.downloads]
    is_telegram = emulator is stage.telegram

    assert ([PIXEL], []) == ((uploaded, fetched) if is_telegram else (fetched, uploaded))


async def test_conversation_is_remembered_over_a_restart(stage, emulator):
    """The same conversation goes on after the process has ended and begun again."""
    for number in (1, 2):
        async with stage.bridge():
            await emulator.say("hello")
            await stage.until(lambda: [WEDNESDAY] * number == stage.replies(emulator))  # noqa: B023
    first, second = stage.asked()

    assert first.query["conversation_id"] == second.query["conversation_id"]
    assert first.body["user_id"] == second.body["user_id"]


async def test_new_begins_another_conversation(stage, emulator):
    """After /new, Coze is asked in a conversation of its own."""
    async with stage.bridge():
        for text in ("hello", "/new", "hello"):
            count = len(stage.replies(emulator))
            await emulator.say(text)
            await stage.until(lambda: len(stage.replies(emulator)) > count)  # noqa: B023
        await stage.until(lambda: WEDNESDAY == stage.replies(emulator)[-1])
    first, second = stage.asked()

    assert first.query["conversation_id"] != second.query["conversation_id"]


async def test_stop_ends_the_answer(stage, emulator):
    """/stop keeps what is written, says so, and tells Coze."""
    stage.coze.play(Play(answers=("word " * 400,), cut=5, pace=0.1))
    async with stage.bridge():
        await emulator.say("tell me all")
        await stage.until(lambda: any("word" in text for text in stage.replies(emulator)))
        await emulator.say("/stop")
        await stage.until(lambda: "Stopped" in stage.replies(emulator)[-1])
        await stage.until(
            lambda: "/v3/chat/cancel" in [request.path for request in stage.coze.requests]
        )
    final = stage.replies(emulator)

    assert 1 == len(final)
    assert final[0].startswith("word word")


async def test_commands_explain_themselves(stage, emulator):
    """/start, /help and a needless /stop are answered with a sentence."""
    async with stage.bridge():
        for text, word in (("/start", "Hello"), ("/help", "/new"), ("/stop", "no answer")):
            await emulator.say(text)
            await stage.until(
                lambda: any(word in reply for reply in stage.replies(emulator))  # noqa: B023
            )

    assert [] == stage.asked()


async def test_several_answers_are_several_replies(stage, emulator):
    """Each answer of a chat is a message of its own."""
    stage.coze.play(Play(answers=("First.", "Second.")))
    async with stage.bridge():
        await emulator.say("both, please")
        await stage.until(lambda: ["First.", "Second."] == stage.replies(emulator))


async def test_messages_are_answered_in_order(stage, emulator):
    """What is said during an answer waits, and is answered after it."""
    stage.coze.play(*(Play(answers=(Answer(f"Answer {n}."),), pace=0.05) for n in range(3)))
    async with stage.bridge():
        for number in range(3):
            await emulator.say(f"question {number}")
        expected = [f"Answer {n}." for n in range(3)]
        await stage.until(lambda: expected == stage.replies(emulator))
    texts = [ask.body["additional_messages"][0]["content"] for ask in stage.asked()]

    assert [f"question {n}" for n in range(3)] == texts
