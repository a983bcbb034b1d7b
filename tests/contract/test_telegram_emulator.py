"""The Telegram emulator, driven by python-telegram-bot, by aiogram, and by bare requests."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import telegram
import telegram.error
from aiogram import Bot as AiogramBot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramMigrateToChat, TelegramRetryAfter
from aiogram.types import BufferedInputFile
from aiohttp import web
from PIL import Image
from telegram.request import HTTPXRequest

from adapters.telegram.emulator import FloodRules, TelegramEmulator
from bridge.serving import serving

SPLIT = "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 0"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TAKEN_OVER = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


class SetClock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def picture(width: int = 640, height: int = 480, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return file.getvalue()


async def called(emulator: TelegramEmulator, method: str, times: int = 1) -> None:
    """Wait until a method was called so often."""
    # The service tells no one of a call.
    while [call.method.lower() for call in emulator.calls].count(method.lower()) < times:
        await asyncio.sleep(0.001)


class Raw:
    """Bare calls; answers are (status, body)."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self.client = client
        self.base = base

    async def __call__(self, method: str, **params) -> tuple[int, dict]:
        answer = await self.client.post(f"{self.base}/{method}", json=params)
        return answer.status_code, answer.json()

    async def result(self, method: str, **params):
        status, body = await self(method, **params)

        assert (200, True) == (status, body["ok"]), body
        return body["result"]

    async def refused(self, method: str, **params) -> str:
        status, body = await self(method, **params)

        assert (status, False) == (body["error_code"], body["ok"])
        return body["description"]


@asynccontextmanager
async def raw_of(emulator: TelegramEmulator) -> AsyncIterator[Raw]:
    async with emulator.open() as section, httpx.AsyncClient(timeout=20, verify=False) as client:
        yield Raw(client, f"{section['api_url']}/bot{section['token']}")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def emulator(clock: SetClock) -> TelegramEmulator:
    return TelegramEmulator(clock=clock, flood=None)


@pytest.fixture
async def api(emulator: TelegramEmulator) -> AsyncIterator[Raw]:
    async with raw_of(emulator) as raw:
        yield raw


@asynccontextmanager
async def ptb_of(emulator: TelegramEmulator) -> AsyncIterator[telegram.Bot]:
    async with emulator.open() as section:
        url = section["api_url"]
        async with telegram.Bot(
            str(section["token"]),
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=HTTPXRequest(read_timeout=10),
        ) as bot:
            yield bot


@asynccontextmanager
async def aiogram_of(emulator: TelegramEmulator) -> AsyncIterator[AiogramBot]:
    async with emulator.open() as section:
        session = AiohttpSession(api=TelegramAPIServer.from_base(str(section["api_url"])))
        async with AiogramBot(str(section["token"]), session=session) as bot:
            yield bot


# --- python-telegram-bot ---------------------------------------------------------------------


async def test_ptb_conversation(emulator):
    """The typed client hears a person, answers, edits, and the chat shows it."""
    async with ptb_of(emulator) as bot:
        asked = await emulator.send(emulator.home, emulator.visitor, "🏟 /ask@bridge_bot hello")
        update = (await bot.get_updates(timeout=5))[0]
        heard = update.message

        assert "bridge_bot" == bot.username
        assert (asked, "🏟 /ask@bridge_bot hello") == (heard.message_id, heard.text)
        assert ("Alex", "en", "private") == (
            heard.from_user.first_name,
            heard.from_user.language_code,
            heard.chat.type,
        )
        assert ["/ask@bridge_bot"] == list(heard.parse_entities().values())

        sent = await bot.send_message(
            emulator.home,
            "half <b>",
            entities=[telegram.MessageEntity("bold", 0, 4)],
            reply_parameters=telegram.ReplyParameters(asked),
        )

        assert asked == sent.reply_to_message.message_id
        assert emulator.bot.id == sent.from_user.id

        await emulator.edit(emulator.home, asked, "changed")
        edited = await bot.edit_message_text("whole", emulator.home, sent.message_id)

        assert "whole" == edited.text
        assert edited.edit_date is not None
        assert await bot.get_updates(offset=update.update_id) != ()
        assert "changed" == (await bot.get_updates(offset=-1))[0].edited_message.text
        assert [("changed", False, 1), ("whole", True, 1)] == [
            (shown.text, shown.is_bot, shown.edits) for shown in emulator.transcript()
        ]
        assert await bot.delete_message(emulator.home, sent.message_id)
        assert 1 == len(emulator.messages(emulator.home))
        assert [False, True] == [
            post.is_deleted for post in emulator.messages(emulator.home, with_deleted=True)
        ]


async def test_ptb_errors(emulator, clock):
    """Every refusal arrives as the typed client's own exception."""
    emulator = TelegramEmulator(clock=clock)
    basic = emulator.group("Old", [emulator.visitor], is_basic=True)
    new = emulator.upgrade(basic)
    async with ptb_of(emulator) as bot:
        with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
            await bot.send_message(7, "x")
        with pytest.raises(telegram.error.ChatMigrated) as migrated:
            await bot.send_message(basic, "x")

        assert new == migrated.value.new_chat_id

        emulator.flood(emulator.home, 7)
        with pytest.raises(telegram.error.RetryAfter) as flooded:
            await bot.send_message(emulator.home, "x")

        assert 7 == flooded.value._retry_after.total_seconds()

        emulator.block(emulator.home)
        with pytest.raises(telegram.error.Forbidden, match="bot was blocked by the user"):
            await bot.send_message(emulator.home, "x")
        emulator.fail("getMe", status=502)
        with pytest.raises(telegram.error.NetworkError):
            await bot.get_me()
        emulator.fail("getMe", status=0)
        with pytest.raises(telegram.error.NetworkError):
            await bot.get_me()
        with pytest.raises(telegram.error.EndPointNotFound):
            await bot.do_api_request("sendRichMessage")


async def test_ptb_files(emulator):
    """Photos and documents of a person are described, found and downloaded."""
    async with ptb_of(emulator) as bot:
        content = picture(1000, 500)
        await emulator.send(emulator.home, emulator.visitor, photo=content, caption="look")
        await emulator.send(
            emulator.home, emulator.visitor, document=("a.pdf", "application/pdf", b"%PDF")
        )
        photo, document = (update.message for update in await bot.get_updates())

        assert [(90, 45), (320, 160), (800, 400), (1000, 500)] == [
            (size.width, size.height) for size in photo.photo
        ]
        assert ("look", None) == (photo.caption, photo.text)
        assert 4 == len({size.file_unique_id for size in photo.photo})
        file = await bot.get_file(photo.photo[-1].file_id)
        assert content == bytes(await file.download_as_bytearray())
        assert (len(content), "png") == (file.file_size, file.file_path.rpartition(".")[2])
        assert ("a.pdf", "application/pdf", 4) == (
            document.document.file_name,
            document.document.mime_type,
            document.document.file_size,
        )
        file = await bot.get_file(document.document.file_id)
        assert b"%PDF" == bytes(await file.download_as_bytearray())


async def test_ptb_media_out(emulator):
    """The bot sends photos, files and albums, new ones and known ones."""
    async with ptb_of(emulator) as bot:
        home = emulator.home
        sent = await bot.send_photo(home, picture(), caption="<i>c</i>", parse_mode="HTML")
        await bot.send_photo(home, sent.photo[-1].file_id)
        with pytest.raises(telegram.error.BadRequest, match="use file of type photo as document"):
            await bot.send_document(home, sent.photo[-1].file_id)
        await bot.send_document(home, b"whole answer", filename="answer.md")
        album = await bot.send_media_group(
            home,
            [telegram.InputMediaPhoto(picture()), telegram.InputMediaPhoto(picture(9, 9))],
            caption="two",
        )

        assert 1 == len({message.media_group_id for message in album})
        assert [picture(), picture(), picture(), picture(9, 9)] == [
            photo for post in emulator.messages(home) for photo in post.photos
        ]
        assert ["<i>c</i>", "", "", "two", ""] == [shown.html for shown in emulator.transcript()]
        assert emulator.transcript()[0].images[0].startswith("data:image/png;base64,iVBOR")
        with pytest.raises(telegram.error.BadRequest, match="Image_process_failed"):
            await bot.send_photo(home, b"no picture")


async def test_ptb_profile(emulator):
    """Commands and descriptions are kept."""
    async with ptb_of(emulator) as bot:
        await bot.set_my_commands([("stop", "Stop"), ("new", "Start over")])
        await bot.set_my_commands([("stop", "停止")], language_code="zh")
        await bot.set_my_description("I answer.")

        assert ["stop", "new"] == [each.command for each in await bot.get_my_commands()]
        assert "停止" == (await bot.get_my_commands(language_code="zh"))[0].description
        assert await bot.delete_my_commands()
        assert () == await bot.get_my_commands()
        assert "I answer." == (await bot.get_my_description()).description
        assert "" == (await bot.get_my_short_description("de")).short_description
        assert "Bridge" == (await bot.get_my_name()).name
        with pytest.raises(telegram.error.BadRequest, match="Bot_command_invalid"):
            await bot.set_my_commands([("Stop it", "Stop")])


async def test_ptb_group(emulator):
    """A group with topics: members, threads and implicit replies are as in the service."""
    anna = emulator.person("Anna", "anna")
    group = emulator.group("Team", [anna, emulator.visitor], topics=["News"])
    news = emulator.topics(group)["News"]
    async with ptb_of(emulator) as bot:
        await emulator.send(group, anna, "/ask what", thread=news)
        heard = (await bot.get_updates())[-1].message

        assert (news, True) == (heard.message_thread_id, heard.is_topic_message)
        assert "News" == heard.reply_to_message.forum_topic_created.name
        assert heard.chat.is_forum
        sent = await bot.send_message(group, "x", message_thread_id=news)
        assert (news, True) == (sent.message_thread_id, sent.is_topic_message)
        assert "Team" == (await bot.get_chat(group)).title
        assert "creator" == (await bot.get_chat_member(group, anna.id)).status
        assert "member" == (await bot.get_chat_member(group, emulator.visitor.id)).status
        assert 3 == await bot.get_chat_member_count(group)
        assert ["Anna"] == [
            each.user.first_name for each in await bot.get_chat_administrators(group)
        ]
        emulator.kick(group)
        assert "kicked" == (await bot.get_updates())[-1].my_chat_member.new_chat_member.status
        with pytest.raises(telegram.error.Forbidden, match="kicked from the supergroup chat"):
            await bot.send_message(group, "x")


async def test_ptb_buttons(emulator):
    """A pressed button reaches the bot once and is answered once."""
    markup = telegram.InlineKeyboardMarkup.from_button(
        telegram.InlineKeyboardButton("Stop", callback_data="stop:1")
    )
    async with ptb_of(emulator) as bot:
        sent = await bot.send_message(emulator.home, "x", reply_markup=markup)
        await emulator.press(emulator.home, sent.message_id, "Stop")
        query = (await bot.get_updates())[0].callback_query

        assert ("stop:1", sent.message_id) == (query.data, query.message.message_id)
        assert await bot.answer_callback_query(query.id)
        with pytest.raises(telegram.error.BadRequest, match="Query is too old"):
            await bot.answer_callback_query(query.id)
        edited = await bot.edit_message_reply_markup(emulator.home, sent.message_id)
        assert edited.reply_markup is None
        assert 0 == emulator.messages(emulator.home)[0].edits


# --- aiogram ---------------------------------------------------------------------------------


async def test_aiogram(emulator, clock):
    """Another client, which sends multipart forms, is understood as well."""
    emulator = TelegramEmulator(clock=clock)
    basic = emulator.group("Old", [emulator.visitor], is_basic=True)
    emulator.upgrade(basic)
    async with aiogram_of(emulator) as bot:
        assert "bridge_bot" == (await bot.me()).username
        await emulator.send(emulator.home, emulator.visitor, "hi", photo=None)
        update = (await bot.get_updates(allowed_updates=["message"]))[-1]
        assert "hi" == update.message.text
        sent = await bot.send_message(emulator.home, "<b>hey</b>", parse_mode="HTML")
        assert ("hey", "bold") == (sent.text, sent.entities[0].type)
        with pytest.raises(TelegramBadRequest, match="message is not modified: specified new"):
            await bot.edit_message_text(
                "<b>hey</b>", chat_id=emulator.home, message_id=sent.message_id, parse_mode="HTML"
            )
        file = BufferedInputFile(picture(), "p.png")
        photo = await bot.send_photo(emulator.home, file)
        assert picture() == (await bot.download(photo.photo[-1].file_id)).read()
        with pytest.raises(TelegramMigrateToChat):
            await bot.send_message(basic, "x")
        with pytest.raises(TelegramRetryAfter) as flooded:
            await bot.send_message(emulator.home, "too much")
        assert 1 == flooded.value.retry_after
        assert await bot.send_chat_action(emulator.home, "typing")
        assert emulator.is_typing
        assert await bot.send_message_draft(emulator.home, 5, text="thinking")


async def test_aiogram_polling(emulator):
    """Long polling hands out each update as it comes."""
    heard: list[tuple[int, str]] = []
    async with aiogram_of(emulator) as bot:
        for text in ("a", "b", "c"):
            poll = asyncio.create_task(
                bot.get_updates(offset=heard[-1][0] + 1 if heard else None, timeout=10)
            )
            await called(emulator, "getUpdates", len(heard) + 1)
            await emulator.send(emulator.home, emulator.visitor, text)
            heard += [(update.update_id, update.message.text) for update in await poll]

        assert ["a", "b", "c"] == [text for _, text in heard]


# --- how requests are made -------------------------------------------------------------------


async def test_forms(emulator, api):
    """Query, form, JSON and multipart mean the same; methods ignore case."""
    url = f"{api.base}/SENDMESSAGE"
    entities = [{"type": "bold", "offset": 0, "length": 1}]
    nested = json.dumps(entities)
    plain = {"chat_id": str(emulator.home), "text": "x", "entities": nested}
    answers = [
        await api.client.get(url, params=plain),
        await api.client.post(url, params=plain),
        await api.client.post(url, data=plain),
        await api.client.request("GET", url, data=plain),
        await api.client.post(url, json=plain),
        await api.client.post(url, json=plain | {"chat_id": emulator.home, "entities": entities}),
        await api.client.post(url, files={name: (None, value) for name, value in plain.items()}),
    ]

    assert [entities] * 7 == [answer.json()["result"]["entities"] for answer in answers]
    assert [nested] * 7 == [call.params["entities"] for call in emulator.calls]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/bot123456789:AAwrong/getMe", 401),
        ("/botnonsense/getMe", 404),
        ("/bot{token}/getEverything", 404),
        ("/bot{token}", 404),
        ("/", 404),
        ("/file/bot{token}/photos/file_0.jpg", 404),
        ("/file/bot123456789:AAwrong/photos/file_0.jpg", 401),
    ],
)
async def test_wrong_addresses(emulator, path, code):
    """A wrong token is 401, a malformed one, a wrong method or path 404; the body says so too."""
    async with emulator.open() as section, httpx.AsyncClient(verify=False) as client:
        answer = await client.get(section["api_url"] + path.format(token=section["token"]))

        assert (code, code, False) == (
            answer.status_code,
            answer.json()["error_code"],
            answer.json()["ok"],
        )


HOME = 8_100_200_301
BOLD = {"type": "bold", "offset": 0, "length": 1}


def inline(**button) -> dict:
    return {"inline_keyboard": [[{"text": "b"} | button]]}


@pytest.mark.parametrize(
    ("description", "params"),
    [
        ("message text is empty", {"text": ""}),
        ("message text is empty", {}),
        ("text must be non-empty", {"text": " \n\u200b "}),
        ("message is too long", {"text": "x" * 4097}),
        ("message is too long", {"text": "😀" * 4097}),
        ("chat_id is empty", {"chat_id": "", "text": "x"}),
        ("chat not found", {"chat_id": 0, "text": "x"}),
        ("chat not found", {"chat_id": "@nobody_here", "text": "x"}),
        ("chat not found", {"chat_id": "nonsense", "text": "x"}),
        ("unsupported parse_mode", {"text": "x", "parse_mode": "BBCode"}),
        (
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
            {"text": "<b>x", "parse_mode": "HTML"},
        ),
        (
            "can't parse entities: Can't find end of Bold entity at byte offset 0",
            {"text": "*x", "parse_mode": "MarkdownV2"},
        ),
        (
            "can't parse entities: Can't find end of the entity starting at byte offset 0",
            {"text": "*x", "parse_mode": "Markdown"},
        ),
        ("can't parse entities JSON object", {"text": "x", "entities": "[{"}),
        (
            "can't parse MessageEntity: Unsupported type specified",
            {"text": "x", "entities": [BOLD | {"type": "loud"}]},
        ),
        (
            "receive an entity with incorrect offset -1",
            {"text": "x", "entities": [BOLD | {"offset": -1}]},
        ),
        (
            "entity begins after the end of the text at UTF-16 offset 9",
            {"text": "x", "entities": [BOLD | {"offset": 9}]},
        ),
        (
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 9",
            {"text": "x", "entities": [BOLD | {"length": 9}]},
        ),
        (
            "entity begins in a middle of a UTF-16 symbol at byte offset 2",
            {"text": "é😀x", "entities": [BOLD | {"offset": 2, "length": 2}]},
        ),
        (
            SPLIT,
            {"text": "😀x", "entities": [BOLD]},
        ),
        (
            "ENTITY_BOUNDS_INVALID",
            {"text": "abc", "entities": [BOLD | {"length": 2}, {**BOLD, "offset": 1, "length": 2}]},
        ),
        (
            "ENTITY_BOUNDS_INVALID",
            {"text": "abc", "entities": [BOLD | {"type": "pre", "length": 2}, BOLD]},
        ),
        (
            "ENTITY_BOUNDS_INVALID",
            {
                "text": "abc",
                "entities": [
                    BOLD | {"type": "blockquote", "length": 3},
                    BOLD | {"type": "expandable_blockquote", "length": 2},
                ],
            },
        ),
        (
            "entity URL 'http://localhost:3000' is invalid: Wrong HTTP URL",
            {
                "text": "x",
                "entities": [BOLD | {"type": "text_link", "url": "http://localhost:3000"}],
            },
        ),
        (
            "user not found",
            {"text": "x", "entities": [BOLD | {"type": "text_mention", "user": {"id": 1}}]},
        ),
        ("message thread not found", {"text": "x", "message_thread_id": 99}),
        ("message to be replied not found", {"text": "x", "reply_parameters": {"message_id": 9}}),
        ("message to be replied not found", {"text": "x", "reply_to_message_id": 9}),
        ('can\'t find field "message_id"', {"text": "x", "reply_parameters": {"quote": "y"}}),
        ("BUTTON_DATA_INVALID", {"text": "x", "reply_markup": inline(callback_data="é" * 33)}),
        (
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            {"text": "x", "reply_markup": inline(callback_data="")},
        ),
        (
            "inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL",
            {"text": "x", "reply_markup": inline(url="not-a-url")},
        ),
        (
            'field "inline_keyboard" must be of type Array',
            {"text": "x", "reply_markup": {"inline_keyboard": "bad"}},
        ),
        ("object expected as reply markup", {"text": "x", "reply_markup": [1]}),
        ("can't parse reply_markup JSON object", {"text": "x", "reply_markup": "{"}),
        (
            'field "remove_keyboard" must be of type Boolean',
            {"text": "x", "reply_markup": {"remove_keyboard": "yes"}},
        ),
    ],
)
async def test_refused_messages(api, description, params):
    """What the service refuses to send is refused in its words."""
    refused = await api.refused("sendMessage", **{"chat_id": HOME, **params})

    assert f"Bad Request: {description}" == refused


async def test_limits_of_a_text(api):
    """4096 code points pass, of any plane, and surrounding space does not count."""
    text = "😀" * 4096
    sent = await api.result("sendMessage", chat_id=HOME, text=f" \n{text}\r\n")

    assert text == sent["text"]


async def test_hundred_entities(api):
    """What is more than a hundred entities is dropped without a word."""
    entities = [{"type": "bold", "offset": at, "length": 1} for at in range(0, 240, 2)]
    sent = await api.result("sendMessage", chat_id=HOME, text="x" * 240, entities=entities)

    assert entities[:100] == sent["entities"]


async def test_entities_are_moved_and_found(api):
    """Trimming moves entities; URLs are found; links come back as the service writes them."""
    entities = [{"type": "text_link", "offset": 3, "length": 2, "url": "example.com"}]
    sent = await api.result("sendMessage", chat_id=HOME, text=" \r\n😀 www.a.io", entities=entities)

    assert "😀 www.a.io" == sent["text"]
    assert [
        {"type": "text_link", "offset": 0, "length": 2, "url": "http://example.com/"},
        {"type": "url", "offset": 3, "length": 8},
    ] == sent["entities"]


async def test_replies(emulator, api):
    """A reply shows what it replies to; one to nothing passes where that is allowed."""
    asked = await emulator.send(HOME, emulator.visitor, "question")
    reply = {"message_id": asked, "allow_sending_without_reply": True}
    sent = await api.result("sendMessage", chat_id=HOME, text="x", reply_parameters=reply)
    lost = await api.result(
        "sendMessage", chat_id=HOME, text="x", reply_parameters=reply | {"message_id": 99}
    )

    assert "question" == sent["reply_to_message"]["text"]
    assert "reply_to_message" not in lost
    assert [None, asked, None] == [post.reply_to for post in emulator.messages(HOME)]


async def test_refused_edits(emulator, api):
    """What cannot be edited is refused in the service's words."""
    theirs = await emulator.send(HOME, emulator.visitor, "mine")
    own = (await api.result("sendMessage", chat_id=HOME, text="x"))["message_id"]
    photo = await api.client.post(
        f"{api.base}/sendPhoto", data={"chat_id": HOME}, files={"photo": picture()}
    )
    cases = [
        ("message text is empty", {"message_id": own, "text": ""}),
        ("MESSAGE_TOO_LONG", {"message_id": own, "text": "x" * 4097}),
        (
            NOT_MODIFIED,
            {"message_id": own, "text": "x "},
        ),
        ("message to edit not found", {"message_id": 99, "text": "y"}),
        ("message can't be edited", {"message_id": theirs, "text": "y"}),
        ("message identifier is not specified", {"text": "y"}),
        (
            "there is no text in the message to edit",
            {"message_id": photo.json()["result"]["message_id"], "text": "y"},
        ),
    ]
    refused = [await api.refused("editMessageText", chat_id=HOME, **each) for _, each in cases]

    assert [f"Bad Request: {description}" for description, _ in cases] == refused
    assert "Bad Request: MESSAGE_ID_INVALID" == await api.refused(
        "editMessageText", inline_message_id="a", text="y"
    )


async def test_captions(emulator, api):
    """A caption has 1024 characters and can be edited."""
    data = {"chat_id": HOME, "caption": "c" * 1025}
    url = f"{api.base}/sendDocument"
    files = {"document": ("a.md", b"# a", "text/markdown")}
    refused = await api.client.post(url, data=data, files=files)

    assert "Bad Request: message caption is too long" == refused.json()["description"]

    sent = (await api.client.post(url, data={"chat_id": HOME}, files=files)).json()["result"]

    assert ("a.md", "text/markdown") == (
        sent["document"]["file_name"],
        sent["document"]["mime_type"],
    )

    edited = await api.result(
        "editMessageCaption", chat_id=HOME, message_id=sent["message_id"], caption="c"
    )

    assert ("c", 1) == (edited["caption"], emulator.messages(HOME)[0].edits)


async def test_deleting(emulator, api):
    """Own messages go, in private also a person's; of several, those already gone are skipped."""
    group = emulator.group("Team", [emulator.visitor])
    theirs = await emulator.send(group, emulator.visitor, "mine")
    private = await emulator.send(HOME, emulator.visitor, "hi")
    own = (await api.result("sendMessage", chat_id=HOME, text="x"))["message_id"]

    assert "Bad Request: message to delete not found" == await api.refused(
        "deleteMessage", chat_id=HOME, message_id=99
    )
    assert "Bad Request: message can't be deleted" == await api.refused(
        "deleteMessage", chat_id=group, message_id=theirs
    )
    assert await api.result("deleteMessage", chat_id=HOME, message_id=private)
    assert await api.result("deleteMessages", chat_id=HOME, message_ids=[own, private, 99])
    assert () == emulator.messages(HOME)
    assert "Bad Request: message to edit not found" == await api.refused(
        "editMessageText", chat_id=HOME, message_id=own, text="y"
    )


@pytest.mark.parametrize(
    ("description", "method", "params"),
    [
        ("wrong parameter action in request", "sendChatAction", {"action": "dancing"}),
        ("RANDOM_ID_INVALID", "sendMessageDraft", {"text": "x"}),
        ("message is too long", "sendMessageDraft", {"text": "x" * 4097, "draft_id": 1}),
        ("wrong file_id or the file is temporarily unavailable", "getFile", {"file_id": "x"}),
        ("wrong file identifier/HTTP URL specified", "sendPhoto", {"photo": "AgACunknown"}),
        ("failed to get HTTP URL content", "sendPhoto", {"photo": "https://a.io/b.png"}),
        ("there is no photo in the request", "sendPhoto", {}),
        ("expected an Array of 2-10 InputMedia", "sendMediaGroup", {"media": []}),
        ("user not found", "getChatMember", {"user_id": 1}),
        ("expected an Array of BotCommand", "setMyCommands", {"commands": "{}"}),
        (
            "query is too old and response timeout expired or query ID is invalid",
            "answerCallbackQuery",
            {"callback_query_id": "1"},
        ),
        (
            "bad webhook: An HTTPS URL must be provided for webhook",
            "setWebhook",
            {"url": "http://example.com"},
        ),
        (
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
            "setWebhook",
            {"url": "https://example.com:5000"},
        ),
        (
            "secret token contains unallowed characters",
            "setWebhook",
            {"url": "https://example.com", "secret_token": "a b"},
        ),
    ],
)
async def test_refused_calls(api, description, method, params):
    """Other refusals."""
    refused = await api.refused(method, chat_id=HOME, **params)

    assert f"Bad Request: {description}" == refused


async def test_drafts_are_private(emulator, api):
    """A draft goes to a private chat only."""
    group = emulator.group("Team", [emulator.visitor])

    assert "Bad Request: TEXTDRAFT_PEER_INVALID" == await api.refused(
        "sendMessageDraft", chat_id=group, draft_id=1, text="x"
    )
    assert await api.result("sendMessageDraft", chat_id=HOME, draft_id=1, text="")


async def test_standing(emulator, api):
    """Blocked, kicked, moved away, never met: each is told apart."""
    stranger = emulator.person("Eve")
    group = emulator.group("Team", [emulator.visitor], is_basic=True)
    moved = emulator.group("Old", [emulator.visitor], is_basic=True)
    new = emulator.upgrade(moved)
    emulator.kick(group)
    emulator.block(HOME)

    assert "Forbidden: bot was blocked by the user" == await api.refused(
        "sendMessage", chat_id=HOME, text="x"
    )
    assert "Forbidden: bot was kicked from the group chat" == await api.refused(
        "sendChatAction", chat_id=group, action="typing"
    )
    assert "Forbidden: bot can't initiate conversation with a user" == await api.refused(
        "sendMessage", chat_id=stranger.id, text="x"
    )
    status, body = await api("sendMessage", chat_id=moved, text="x")
    assert (400, {"migrate_to_chat_id": new}) == (status, body["parameters"])
    emulator.unblock(HOME)
    assert await api.result("sendMessage", chat_id=HOME, text="x")
    events = await api.result("getUpdates")
    assert ["message", "message", "my_chat_member", "my_chat_member", "my_chat_member"] == [
        next(key for key in event if key != "update_id") for event in events
    ]
    assert new == events[0]["message"]["migrate_to_chat_id"]
    assert moved == events[1]["message"]["migrate_from_chat_id"]


async def test_file_too_big(emulator, api):
    """More than 20 MB cannot be fetched; a path is served only after getFile."""
    await emulator.send(HOME, emulator.visitor, document=("a.bin", "x/y", bytes((20 << 20) + 1)))
    await emulator.send(HOME, emulator.visitor, photo=b"broken")
    big, photo = (each["message"] for each in await api.result("getUpdates"))

    assert "Bad Request: file is too big" == await api.refused(
        "getFile", file_id=big["document"]["file_id"]
    )
    assert (1280, 720) == (photo["photo"][-1]["width"], photo["photo"][-1]["height"])

    files = api.base.replace("/bot", "/file/bot")

    assert 404 == (await api.client.get(f"{files}/photos/file_4.jpg")).status_code

    told = await api.result("getFile", file_id=photo["photo"][-1]["file_id"])
    answer = await api.client.get(f"{files}/{told['file_path']}")

    assert (200, b"broken", 6) == (answer.status_code, answer.content, told["file_size"])


async def test_request_too_large(api):
    """A request past the upload limit is 413."""
    url = f"{api.base}/sendDocument"
    answer = await api.client.post(url, files={"document": bytes(52 << 20)})

    assert (413, 413) == (answer.status_code, answer.json()["error_code"])


# --- updates ---------------------------------------------------------------------------------


async def write(emulator, *texts: str) -> None:
    for text in texts:
        await emulator.send(HOME, emulator.visitor, text)


def texts(updates: list[dict]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def test_offset(emulator, api):
    """An offset confirms what is before it; a negative one counts from the end."""
    await write(emulator, "a", "b", "c", "d")
    first = await api.result("getUpdates")

    assert ["a", "b", "c", "d"] == texts(first)
    assert ["a", "b"] == texts(await api.result("getUpdates", limit=2))
    second = first[1]["update_id"]
    assert ["b", "c", "d"] == texts(await api.result("getUpdates", offset=second))
    assert ["c", "d"] == texts(await api.result("getUpdates", offset=-2))
    assert ["c", "d"] == texts(await api.result("getUpdates"))
    assert [] == await api.result("getUpdates", offset=first[-1]["update_id"] + 1)
    assert [] == await api.result("getUpdates")


async def test_long_poll(emulator, api):
    """A poll waits for what comes, and ends with nothing when its time is up."""
    poll = asyncio.create_task(api.result("getUpdates", timeout=30))
    await called(emulator, "getUpdates")
    await write(emulator, "a")
    update = (await poll)[0]

    assert ["a"] == texts([update])
    assert [] == await api.result("getUpdates", offset=update["update_id"] + 1, timeout=1)


async def test_two_pollers(emulator, api):
    """The older of two polls gets a conflict."""
    older = asyncio.create_task(api("getUpdates", timeout=30))
    await called(emulator, "getUpdates")
    younger = asyncio.create_task(api.result("getUpdates", timeout=30))
    status, body = await older
    await write(emulator, "a")

    assert ["a"] == texts(await younger)
    assert (
        409,
        TAKEN_OVER,
    ) == (status, body["description"])


async def test_allowed_updates(emulator, api):
    """The kinds that are wanted are remembered until others are named."""
    asked = await emulator.send(HOME, emulator.visitor, "a")
    await api.result("getUpdates", allowed_updates=["edited_message"])
    await write(emulator, "b")
    await emulator.edit(HOME, asked, "c")
    kinds = [min(update) for update in await api.result("getUpdates")]

    assert ["message", "edited_message"] == kinds

    await api.result("getUpdates", allowed_updates=[], offset=-1)
    await write(emulator, "d")

    assert "d" == (await api.result("getUpdates"))[-1]["message"]["text"]


async def test_redelivery(emulator, api):
    """A confirmed update can come once more, under the same id; anything can be an update."""
    await write(emulator, "a")
    first = (await api.result("getUpdates"))[0]["update_id"]
    raw = emulator.push_raw({"message": {"nonsense": True}})

    assert [raw] == [u["update_id"] for u in await api.result("getUpdates", offset=first + 1)]

    emulator.redeliver(first)
    again = await api.result("getUpdates", offset=raw + 1)

    assert ["a"] == texts(again)
    assert first == again[0]["update_id"]
    assert [] == await api.result("getUpdates", offset=raw + 1)


async def test_albums_and_long_texts(emulator, api):
    """An album is several messages of one group; a text too long becomes several."""
    await emulator.send(
        HOME, emulator.visitor, media_group=[picture(), ("a.txt", "text/plain", b"a")], caption="c"
    )
    await emulator.send(HOME, emulator.visitor, "x" * 5000)
    one, two, *long = [each["message"] for each in await api.result("getUpdates")]

    assert one["media_group_id"] == two["media_group_id"]
    assert ("c", None) == (one.get("caption"), two.get("caption"))
    assert [4096, 904] == [len(message["text"]) for message in long]


@pytest.mark.parametrize("has_privacy", [True, False])
async def test_privacy(clock, has_privacy):
    """With privacy mode a bot in a group gets only what is meant for it."""
    emulator = TelegramEmulator(clock=clock, flood=None, has_privacy=has_privacy)
    anna = emulator.person("Anna", "anna")
    group = emulator.group("Team", [anna])
    async with raw_of(emulator) as api:
        own = (await api.result("sendMessage", chat_id=group, text="x"))["message_id"]
        other = await emulator.send(group, anna, "between us")
        await emulator.send(group, anna, "@anna too", reply_to=other)
        await emulator.send(group, anna, "/ask@other_bot this")
        meant = ["/ask this", "/ask@Bridge_Bot this", "so @bridge_bot?"]
        for text in meant:
            await emulator.send(group, anna, text)
        await emulator.send(group, anna, "a reply", reply_to=own)
        await emulator.send(group, anna, photo=picture(), caption="@bridge_bot look")
        heard = [each["message"] for each in await api.result("getUpdates")]
        unmeant = [] if has_privacy else ["between us", "@anna too", "/ask@other_bot this"]

        assert [*unmeant, *meant, "a reply", None] == [each.get("text") for each in heard]
        assert has_privacy != (await api.result("getMe"))["can_read_all_group_messages"]


# --- webhooks --------------------------------------------------------------------------------


@asynccontextmanager
async def listening(statuses: list[int]) -> AsyncIterator[tuple[str, asyncio.Queue]]:
    """A webhook that answers with these statuses, then with 200."""
    heard: asyncio.Queue = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        heard.put_nowait((secret, await request.json()))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.router.add_post("/hook", hear)
    async with serving(app, "127.0.0.1:0") as url:
        yield f"{url}/hook", heard


async def test_webhook(emulator, api):
    """Updates are posted with the secret, in order within a chat, again until accepted."""
    anna = emulator.person("Anna")
    other = emulator.private(anna)
    async with listening([500]) as (url, heard):
        await write(emulator, "a", "b")
        assert await api.result("setWebhook", url=url, secret_token="s3cret-_", max_connections=9)
        refused = await heard.get()
        await emulator.send(other, anna, "elsewhere")
        others = await heard.get()
        info = await api.result("getWebhookInfo")
        again, last = await heard.get(), await heard.get()

        assert ("s3cret-_", "a") == (refused[0], refused[1]["message"]["text"])
        assert "elsewhere" == others[1]["message"]["text"]
        assert refused == again
        assert "b" == last[1]["message"]["text"]
        assert (url, 9) == (info["url"], info["max_connections"])
        assert (
            "Wrong response from the webhook: 500 Internal Server Error"
            == (info["last_error_message"])
        )
        status, body = await api("getUpdates")
        assert (
            409,
            WEBHOOK_ACTIVE,
        ) == (status, body["description"])
        assert await api.result("deleteWebhook")
        assert "" == (await api.result("getWebhookInfo"))["url"]


async def test_webhook_takes_over(emulator, api):
    """Setting a webhook ends a poll with a conflict; dropping forgets what waits."""
    poll = asyncio.create_task(api("getUpdates", timeout=30))
    await called(emulator, "getUpdates")
    await api.result("setWebhook", url="https://127.0.0.1:9/hook")

    assert "Conflict: terminated by setWebhook request" == (await poll)[1]["description"]

    await api.result("deleteWebhook")
    await write(emulator, "a")
    await api.result("deleteWebhook", drop_pending_updates=True)

    assert [] == await api.result("getUpdates")


# --- limits and faults -----------------------------------------------------------------------


async def test_flood(clock):
    """Sends and edits share a chat's limit; a 429 says how long, and patience is enough."""
    emulator = TelegramEmulator(clock=clock)
    async with raw_of(emulator) as api:
        own = (await api.result("sendMessage", chat_id=HOME, text="0"))["message_id"]
        edit = {"chat_id": HOME, "message_id": own}
        await api.result("editMessageText", **edit, text="1")
        await api("editMessageText", **edit, text="1")
        answer = await api.client.post(f"{api.base}/editMessageText", json=edit | {"text": "2"})

        assert (429, "1") == (answer.status_code, answer.headers["Retry-After"])
        assert {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        } == answer.json()

        status, body = await api("sendMessage", chat_id=HOME, text="impatient")

        assert (429, 2) == (status, body["parameters"]["retry_after"])

        clock.time += 2

        assert await api.result("editMessageText", **edit, text="2")


async def test_flood_of_a_group_and_of_actions(clock):
    """A group has its own limit, and chat actions theirs."""
    emulator = TelegramEmulator(clock=clock, flood=FloodRules(group=(2, 60.0), actions=((1, 5.0),)))
    group = emulator.group("Team", [emulator.visitor])
    action = {"chat_id": group, "action": "typing"}
    draft = {"chat_id": HOME, "draft_id": 1}
    async with raw_of(emulator) as api:
        answers = [(await api("sendMessage", chat_id=group, text="x"))[0] for _ in range(3)]
        actions = [(await api("sendChatAction", **action))[0] for _ in range(2)]
        drafts = [(await api("sendMessageDraft", **draft))[0] for _ in range(2)]

        assert [[200, 200, 429], [200, 429], [200, 429]] == [answers, actions, drafts]

        clock.time += 60

        assert 200 == (await api("sendMessage", chat_id=group, text="x"))[0]


async def test_faults(emulator, api):
    """A fault answers instead of the call, or after it was carried out; delays pass."""
    emulator.fail("sendMessage", 2)
    emulator.fail(
        "sendMessage", status=500, description="Internal Server Error", after_success=True
    )
    emulator.fail("sendMessage", status=0, after_success=True)
    emulator.delay("sendMessage", 0.01)
    params = {"chat_id": HOME, "text": "x"}
    statuses = [(await api("sendMessage", **params))[0] for _ in range(3)]

    assert [502, 502, 500] == statuses
    assert 1 == len(emulator.messages(HOME))
    with pytest.raises(httpx.TransportError):
        await api("sendMessage", **params)
    assert 2 == len(emulator.messages(HOME))
    assert (200, 5) == ((await api("sendMessage", **params))[0], len(emulator.calls))


async def test_end_does_not_wait(emulator):
    """Polls and delayed calls that are under way end with the service."""
    emulator.delay("getMe", 100)
    async with httpx.AsyncClient(timeout=20, verify=False) as client:
        async with emulator.open() as section:
            raw = Raw(client, f"{section['api_url']}/bot{section['token']}")
            poll = asyncio.create_task(raw("getUpdates", timeout=50))
            slow = asyncio.create_task(raw("getMe"))
            await called(emulator, "getUpdates")
            await called(emulator, "getMe")

        assert [200, 200] == [(await poll)[0], (await slow)[0]]


# --- the sandbox -----------------------------------------------------------------------------


async def test_sandbox(emulator, api, clock):
    """The page writes as the person, sees the chat, hears of changes and of typing."""
    change = asyncio.create_task(emulator.changed())
    await asyncio.sleep(0)
    number = await emulator.say("look", picture())
    await change

    assert not emulator.is_typing

    await api.result("sendChatAction", chat_id=HOME, action="typing")

    assert emulator.is_typing

    clock.time += 5

    assert not emulator.is_typing

    await api.result("sendChatAction", chat_id=HOME, action="typing")
    sent = await api.result(
        "sendMessage", chat_id=HOME, text="<pre><code class='language-py'>1<2</code></pre>"
    )
    entities = [{"type": "pre", "offset": 0, "length": 3, "language": "py"}]
    await api.result(
        "editMessageText",
        chat_id=HOME,
        message_id=sent["message_id"],
        text="1<2",
        entities=entities,
    )
    asked, answered = emulator.transcript()

    assert not emulator.is_typing
    assert (number, False, "look", 1) == (asked.id, asked.is_bot, asked.html, len(asked.images))
    assert (True, '<pre><code class="language-py">1&lt;2</code></pre>', "1<2", 1) == (
        answered.is_bot,
        answered.html,
        answered.text,
        answered.edits,
    )


async def test_open_again(emulator):
    """What happened is kept when the service is away for a while."""
    async with raw_of(emulator) as api:
        await api.result("sendMessage", chat_id=HOME, text="before")
    await write(emulator, "meanwhile")
    async with raw_of(emulator) as api:
        assert ["meanwhile"] == texts(await api.result("getUpdates"))
    assert ["before", "meanwhile"] == [post.text for post in emulator.messages(HOME)]
