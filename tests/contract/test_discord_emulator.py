"""The emulated Discord over HTTP, driven by a plain client: what works, and what is shown."""

import json
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest

from adapters.discord.emulator import DiscordEmulator, Rate, RateRules

PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0" + b"\0" * 4
)  # 3 by 2, as far as its header goes
START = 1_800_000_000.0


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Room:
    """A guild with a channel and a person, and a bot's HTTP client."""

    def __init__(self, emulator, hand, http, section):
        self.emulator, self.hand, self.http, self.section = emulator, hand, http, section
        self.ann = emulator.person("Ann", "de")
        self.guild = emulator.guild("Home", [self.ann])
        self.channel = emulator.channel(self.guild, "general")
        self.path = f"/channels/{self.channel.id}/messages"

    async def post(self, content="hello", **more):
        answer = await self.http.post(self.path, json={"content": content, **more})
        return answer.json()


@asynccontextmanager
async def opened(**more):
    hand = Hand()
    emulator = DiscordEmulator(clock=hand, **more)
    async with (
        emulator.open() as section,
        httpx.AsyncClient(
            base_url=section["api_url"],
            headers={"Authorization": f"Bot {section['token']}"},
            trust_env=False,
        ) as http,
    ):
        yield Room(emulator, hand, http, section)


@pytest.fixture
async def room():
    async with opened() as made:
        yield made


class TestMessages:
    async def test_is_posted_as_the_documentation_shows(self, room):
        """The example of Discord's own documentation is posted, and shown in the channel."""
        body = {
            "content": "Hello, World!",
            "tts": False,
            "embeds": [{"title": "Hello, Embed!", "description": "This is an embedded message."}],
        }
        answer = await room.http.post(room.path, json=body)
        shown = room.emulator.messages(room.channel)[0]

        assert 200 == answer.status_code
        assert "application/json" == answer.headers["Content-Type"]
        assert "Via" in answer.headers
        assert "Hello, World!" == answer.json()["content"]
        assert "rich" == answer.json()["embeds"][0]["type"]
        assert ("Hello, World!", True, 0) == (shown.content, shown.is_bot, shown.edits)

    async def test_is_edited_and_deleted(self, room):
        """An edit replaces the text and counts; a deleted message is gone."""
        message = (await room.post("one"))["id"]
        edited = await room.http.patch(f"{room.path}/{message}", json={"content": "two"})
        shown = room.emulator.messages(room.channel)[0]
        deleted = await room.http.delete(f"{room.path}/{message}")

        assert "two" == edited.json()["content"]
        assert edited.json()["edited_timestamp"] is not None
        assert ("two", 1) == (shown.content, shown.edits)
        assert (204, b"") == (deleted.status_code, deleted.content)
        assert () == room.emulator.messages(room.channel)

    async def test_the_same_nonce_makes_no_second_message(self, room):
        """With `enforce_nonce` a repeated post returns the first message, for some minutes."""
        first = await room.post("one", nonce="n1", enforce_nonce=True)
        second = await room.post("two", nonce="n1", enforce_nonce=True)
        unforced = await room.post("three", nonce="n1")
        room.hand.at += 400
        late = await room.post("four", nonce="n1", enforce_nonce=True)

        assert "n1" == first["nonce"]
        assert (first["id"], "one") == (second["id"], second["content"])
        assert "three" == unforced["content"]
        assert "four" == late["content"]
        assert 3 == len(room.emulator.messages(room.channel))

    async def test_replies(self, room):
        """A reply shows what it answers, and pings its author only where that is allowed."""
        question = await room.emulator.send(room.channel, room.ann, "why?")
        reference = {"message_id": int(question)}  # some clients send numbers
        loud = await room.post("so", message_reference=reference)
        silent = {"parse": [], "replied_user": False}
        quiet = await room.post("so", message_reference=reference, allowed_mentions=silent)

        assert 19 == loud["type"]
        assert "why?" == loud["referenced_message"]["content"]
        assert room.channel.id == loud["message_reference"]["channel_id"]
        assert [room.ann.id] == [one["id"] for one in loud["mentions"]]
        assert [] == quiet["mentions"]
        assert question == room.emulator.messages(room.channel)[1].reply_to

    async def test_a_reply_to_nothing(self, room):
        """A missing message is refused, or with `fail_if_not_exists` off just not referred to."""
        reference = {"message_id": "1"}
        refused = await room.http.post(
            room.path, json={"content": "x", "message_reference": reference}
        )
        lenient = {**reference, "fail_if_not_exists": False}
        posted = await room.post("x", message_reference=lenient)

        assert 400 == refused.status_code
        assert "MESSAGE_REFERENCE_UNKNOWN_MESSAGE" in refused.text
        assert "message_reference" not in posted
        assert 0 == posted["type"]

    async def test_a_reply_to_what_was_deleted(self, room):
        """The message stays a reply, to null."""
        question = await room.emulator.send(room.channel, room.ann, "why?")
        posted = await room.post("so", message_reference={"message_id": question})
        await room.emulator.delete(room.channel, question)
        read = (await room.http.get(f"{room.path}/{posted['id']}")).json()

        assert read["referenced_message"] is None
        assert question == read["message_reference"]["message_id"]

    async def test_mentions_follow_what_is_allowed(self, room):
        """Whom a text mentions depends on `allowed_mentions`, in an edit anew."""
        text = f"<@{room.ann.id}> @everyone `<@{room.ann.id}>`"
        free = await room.post(text)
        bound = await room.post(text, allowed_mentions={"users": [room.ann.id]})
        edit = {"content": text, "allowed_mentions": {"parse": []}}
        edited = await room.http.patch(f"{room.path}/{free['id']}", json=edit)

        assert ([room.ann.id], True) == (
            [one["id"] for one in free["mentions"]],
            free["mention_everyone"],
        )
        assert ([room.ann.id], False) == (
            [one["id"] for one in bound["mentions"]],
            bound["mention_everyone"],
        )
        assert [] == edited.json()["mentions"]

    async def test_text_is_trimmed(self, room):
        """White space around a text is dropped, as the service does it."""
        posted = await room.post("\n a\n b \n")

        assert "a\n b" == posted["content"]

    async def test_the_limit_is_of_code_points(self, room):
        """2000 of whatever Python counts fit."""
        answer = await room.http.post(room.path, json={"content": "😀" * 2000})

        assert 200 == answer.status_code

    async def test_files(self, room):
        """A form brings files, those that `attachments` describes or all; they can be fetched."""
        described = [{"id": 0, "filename": "a b.png", "description": "a dot"}]
        form = {"payload_json": json.dumps({"content": "see", "attachments": described})}
        files = {"files[0]": ("x.png", PIXEL, "image/png")}
        posted = (await room.http.post(room.path, data=form, files=files)).json()
        plain = {"files[7]": ("notes.md", b"# Notes", "application/octet-stream")}
        alone = (await room.http.post(room.path, files=plain)).json()
        picture, notes = posted["attachments"][0], alone["attachments"][0]
        fetched = await room.http.get(picture["url"])

        assert ("a_b.png", "a dot", 3, 2) == tuple(
            picture[one] for one in ("filename", "description", "width", "height")
        )
        assert len(PIXEL) == picture["size"]
        assert ("notes.md", "text/markdown") == (notes["filename"], notes["content_type"])
        assert (PIXEL, "image/png") == (fetched.content, fetched.headers["Content-Type"])

    async def test_an_edit_keeps_and_adds_files(self, room):
        """Files stay but for those that `attachments` leaves out; new ones are added."""
        files = {f"files[{n}]": (f"{n}.txt", b"x", "text/plain") for n in range(2)}
        posted = (await room.http.post(room.path, files=files)).json()
        one = f"{room.path}/{posted['id']}"
        more = {"files[0]": ("new.txt", b"y", "text/plain")}
        added = (await room.http.patch(one, files=more)).json()
        kept = {"attachments": [{"id": added["attachments"][1]["id"]}]}
        left = (await room.http.patch(one, json=kept)).json()

        assert ["0.txt", "1.txt", "new.txt"] == [two["filename"] for two in added["attachments"]]
        assert ["1.txt"] == [two["filename"] for two in left["attachments"]]

    async def test_history(self, room):
        """Parts of the history come newest first, on either side of a message or around it."""
        ids = [await room.emulator.send(room.channel, room.ann, str(n)) for n in range(6)]

        async def part(**query):
            answer = await room.http.get(room.path, params=query)
            return [one["content"] for one in answer.json()]

        assert ["5", "4", "3", "2", "1", "0"] == await part()
        assert ["5", "4"] == await part(limit=2)
        assert ["2", "1"] == await part(limit=2, before=ids[3])
        assert ["3", "2"] == await part(limit=2, after=ids[1])
        assert ["4", "3", "2"] == await part(limit=3, around=ids[3])

    async def test_history_without_the_content_intent(self):
        """What others wrote is empty in the history, too, unless it was meant for the bot."""
        async with opened(privileged=0) as room:
            await room.emulator.send(room.channel, room.ann, "secret")
            await room.emulator.send(room.channel, room.ann, "named", mention_bot=True)
            read = (await room.http.get(room.path)).json()

            assert [f"<@{room.emulator.bot.id}> named", ""] == [one["content"] for one in read]

    async def test_reactions(self, room):
        """A reaction is seen on the message until taken back."""
        place = quote("👀")
        message = await room.emulator.send(room.channel, room.ann, "hm")
        one = f"{room.path}/{message}/reactions/{place}/@me"
        added = await room.http.put(one)
        seen = (await room.http.get(f"{room.path}/{message}")).json()["reactions"]
        room.hand.at += 1
        removed = await room.http.delete(one)
        after = (await room.http.get(f"{room.path}/{message}")).json()

        assert [204, 204] == [added.status_code, removed.status_code]
        assert [("👀", 1, True)] == [
            (two["emoji"]["name"], two["count"], two["me"]) for two in seen
        ]
        assert "reactions" not in after


class TestForeignForms:
    async def test_form_without_files(self, room):
        """A body may come as `payload_json` in a plain form, as it does where there is no file."""
        form = {"payload_json": json.dumps({"content": "hello"})}
        posted = await room.http.post(room.path, data=form)

        assert (200, "hello") == (posted.status_code, posted.json()["content"])

    async def test_reply_of_no_stated_type(self, room):
        """A reference whose type is null is a reply; one of a nonsensical type is refused."""
        first = await room.post()
        reference = {"message_id": first["id"], "type": None}
        reply = await room.post(message_reference=reference)
        refused = await room.post(message_reference={**reference, "type": []})

        assert (19, first["id"]) == (reply["type"], reply["message_reference"]["message_id"])
        assert 50035 == refused["code"]

    async def test_components_are_numbered(self, room):
        """Components without an id get one that no other has."""
        button = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
        buttons = [button, {**button, "custom_id": "stop", "id": 2}]
        posted = await room.post(components=[{"type": 1, "components": buttons}])
        (row,) = posted["components"]

        assert [1, 3, 2] == [row["id"], *(one["id"] for one in row["components"])]

    async def test_counts_and_limits_that_libraries_read(self, room):
        """The application and the guild have the fields that some libraries do not do without."""
        application = (await room.http.get("/applications/@me")).json()
        guild = (await room.http.get(f"/guilds/{room.guild.id}")).json()

        assert 0 == application["approximate_user_install_count"]
        assert 0 == application["approximate_user_authorization_count"]
        assert guild["max_presences"] is None


class TestPlaces:
    async def test_who_and_where(self, room):
        """What a client asks for at its start is all there."""
        paths = {
            "/users/@me": room.emulator.bot.id,
            f"/users/{room.ann.id}": room.ann.id,
            "/applications/@me": room.emulator.bot.id,
            "/oauth2/applications/@me": room.emulator.bot.id,
            f"/channels/{room.channel.id}": room.channel.id,
            f"/guilds/{room.guild.id}": room.guild.id,
        }
        found = {path: (await room.http.get(path)).json()["id"] for path in paths}
        channels = (await room.http.get(f"/guilds/{room.guild.id}/channels")).json()
        member = (await room.http.get(f"/guilds/{room.guild.id}/members/{room.ann.id}")).json()
        gateway = (await room.http.get("/gateway/bot")).json()

        assert paths == found
        assert ["general"] == [one["name"] for one in channels]
        assert "Ann" == member["user"]["global_name"]
        assert room.section["gateway_url"] == gateway["url"]
        assert 1 == gateway["session_start_limit"]["max_concurrency"]

    async def test_direct_messages(self, room):
        """They are opened once; who has blocked the bot gets none."""
        body = {"recipient_id": room.ann.id}
        first = (await room.http.post("/users/@me/channels", json=body)).json()
        again = (await room.http.post("/users/@me/channels", json=body)).json()
        path = f"/channels/{first['id']}/messages"
        posted = await room.http.post(path, json={"content": "psst"})
        room.emulator.block(room.ann)
        refused = await room.http.post(path, json={"content": "psst"})

        assert (first["id"], 1) == (again["id"], again["type"])
        assert 200 == posted.status_code
        assert (403, 50007) == (refused.status_code, refused.json()["code"])

    async def test_threads(self, room):
        """A thread has the id of the message it hangs on, and there is but one."""
        message = await room.emulator.send(room.channel, room.ann, "topic")
        path = f"{room.path}/{message}/threads"
        made = await room.http.post(path, json={"name": "Topic"})
        again = await room.http.post(path, json={"name": "Topic"})
        posted = await room.http.post(f"/channels/{message}/messages", json={"content": "in"})

        assert (201, message, 11) == (made.status_code, made.json()["id"], made.json()["type"])
        assert 160004 == again.json()["code"]
        assert message == posted.json()["channel_id"]


class TestFiles:
    async def test_links_expire_and_cannot_be_forged(self, room):
        """A link is good for a day and for one file; refreshed, it is good again."""
        sent = [("dot.png", "image/png", PIXEL)]
        message = await room.emulator.send(room.channel, room.ann, "", attachments=sent)
        read = (await room.http.get(f"{room.path}/{message}")).json()
        url = read["attachments"][0]["url"]
        forged = await room.http.get(url.replace("is=", "is=0"))
        room.hand.at += 86_401
        late = await room.http.get(url)
        body = {"attachment_urls": [url]}
        answer = (await room.http.post("/attachments/refresh-urls", json=body)).json()
        fresh = await room.http.get(answer["refreshed_urls"][0]["refreshed"])

        assert [(404, "This content is no longer available.")] * 2 == [
            (one.status_code, one.text) for one in (forged, late)
        ]
        assert PIXEL == fresh.content

    async def test_a_deleted_message_takes_its_files_along(self, room):
        """A link to a file of a deleted message leads nowhere."""
        sent = [("dot.png", "image/png", PIXEL)]
        message = await room.emulator.send(room.channel, room.ann, "", attachments=sent)
        read = (await room.http.get(f"{room.path}/{message}")).json()
        await room.emulator.delete(room.channel, message)
        answer = await room.http.get(read["attachments"][0]["url"])

        assert 404 == answer.status_code


class TestRates:
    async def test_sending_and_editing_share_a_name_and_not_a_count(self, room):
        """Both allow five in five seconds, under one bucket's name, each on its own."""
        sent = [await room.http.post(room.path, json={"content": "x"}) for _ in range(6)]
        message = sent[0].json()["id"]
        edited = await room.http.patch(f"{room.path}/{message}", json={"content": "y"})
        limited = sent[5]
        room.hand.at += 5
        after = await room.http.post(room.path, json={"content": "x"})

        assert ["4", "3", "2", "1", "0", "0"] == [
            one.headers["X-RateLimit-Remaining"] for one in sent
        ]
        assert 429 == limited.status_code
        assert {
            "message": "You are being rate limited.",
            "retry_after": 5.0,
            "global": False,
        } == limited.json()
        assert ("5", "user", "5.000", f"{START + 5:.3f}") == tuple(
            limited.headers[one]
            for one in (
                "Retry-After",
                "X-RateLimit-Scope",
                "X-RateLimit-Reset-After",
                "X-RateLimit-Reset",
            )
        )
        assert "Via" in limited.headers
        assert "4" == edited.headers["X-RateLimit-Remaining"]
        assert sent[0].headers["X-RateLimit-Bucket"] == edited.headers["X-RateLimit-Bucket"]
        assert 200 == after.status_code

    async def test_channels_are_counted_apart(self, room):
        """Another channel has the same bucket's name and its own count."""
        other = room.emulator.channel(room.guild, "other")
        first = await room.http.post(room.path, json={"content": "x"})
        second = await room.http.post(f"/channels/{other.id}/messages", json={"content": "x"})

        assert "4" == second.headers["X-RateLimit-Remaining"]
        assert first.headers["X-RateLimit-Bucket"] == second.headers["X-RateLimit-Bucket"]

    async def test_a_bot_has_fifty_a_second(self, room):
        """The fifty-first request of a second is refused everywhere, as global."""
        answers = [await room.http.get(f"/users/{n}") for n in range(51)]
        last = answers[-1]

        assert 404 == answers[-2].status_code
        assert (429, True) == (last.status_code, last.json()["global"])
        assert ("true", "global") == (
            last.headers["X-RateLimit-Global"],
            last.headers["X-RateLimit-Scope"],
        )

    async def test_a_flood_from_elsewhere(self, room):
        """A flooded channel answers 20028 while its bucket still has room; a global one, all."""
        room.emulator.flood(room.channel, 7)
        shared = await room.http.post(room.path, json={"content": "x"})
        room.hand.at += 7
        room.emulator.flood(room.channel, 9, is_global=True)
        everywhere = await room.http.get("/users/@me")

        assert (429, 20028, 7.0) == (
            shared.status_code,
            shared.json()["code"],
            shared.json()["retry_after"],
        )
        assert ("shared", "4") == (
            shared.headers["X-RateLimit-Scope"],
            shared.headers["X-RateLimit-Remaining"],
        )
        assert (429, 9.0, True) == (
            everywhere.status_code,
            everywhere.json()["retry_after"],
            everywhere.json()["global"],
        )

    async def test_an_exhausted_channel(self, room):
        """What another process has used up is not there any more."""
        room.emulator.exhaust(room.channel)
        answer = await room.http.post(room.path, json={"content": "x"})

        assert 429 == answer.status_code

    async def test_old_messages_are_edited_rarely(self, room):
        """After an hour a channel takes three edits in twenty seconds; then it is 30046."""
        message = (await room.post())["id"]
        room.hand.at += 3601
        path, body = f"{room.path}/{message}", {"content": "x"}
        answers = [await room.http.patch(path, json=body) for _ in range(4)]

        assert [200, 200, 200, 429] == [one.status_code for one in answers]
        assert (30046, 20.0) == (
            answers[3].json()["code"],
            answers[3].json()["retry_after"],
        )

    async def test_too_many_refusals_are_a_ban(self):
        """Requests answered 401, 403 or 429 are counted, and at the limit nothing answers."""
        async with opened(rates=RateRules(invalid=Rate(3, 600.0))) as room:
            wrong = {"Authorization": "Bot nobody"}
            for _ in range(3):
                await room.http.get("/users/@me", headers=wrong)
            counted = room.emulator.invalid_requests
            banned = await room.http.get("/users/@me")

            assert 3 == counted
            assert (429, "error code: 1015") == (banned.status_code, banned.text)
            assert "Via" not in banned.headers

    async def test_can_be_switched_off(self):
        """Without rules nothing is limited, and no header speaks of it."""
        async with opened(rates=None) as room:
            answers = [await room.http.post(room.path, json={"content": "x"}) for _ in range(60)]

            assert {200} == {one.status_code for one in answers}
            assert "X-RateLimit-Limit" not in answers[0].headers


class TestFaults:
    async def test_a_failure_before_and_after(self, room):
        """A planned failure happens so many times; after success only the answer is lost."""
        route = "/channels/{id}/messages"
        room.emulator.fail("POST", route, times=2, status=503)
        room.emulator.fail("POST", route, status=502, after_success=True)
        answers = [await room.http.post(room.path, json={"content": "x"}) for _ in range(4)]

        assert [503, 503, 502, 200] == [one.status_code for one in answers]
        assert {"message": "502: Bad Gateway", "code": 0} == answers[2].json()
        assert 2 == len(room.emulator.messages(room.channel))

    async def test_a_failure_meets_its_route_alone(self, room):
        """Other methods and longer paths are left in peace."""
        room.emulator.fail("POST", "/channels/*/messages", status=403, code=50001)
        typing = await room.http.post(f"/channels/{room.channel.id}/typing")
        refused = await room.http.post(room.path, json={"content": "x"})

        assert 204 == typing.status_code
        assert (403, 50001) == (refused.status_code, refused.json()["code"])

    async def test_a_delay(self, room):
        """A delayed request is seen at once and answered late."""
        room.emulator.delay("GET", "/users/@me", 0.5)
        with pytest.raises(httpx.ReadTimeout):
            await room.http.get("/users/@me", timeout=0.2)

        assert [None] == [call.status for call in room.emulator.calls]

    async def test_calls_are_recorded(self, room):
        """Every request is kept with what it said and how it was answered."""
        await room.post("hello")
        await room.http.get(room.path, params={"limit": 1})
        first, second = room.emulator.calls

        assert ("POST", room.path, {"content": "hello"}, START, 200) == (
            first.method,
            first.path,
            first.body,
            first.at,
            first.status,
        )
        assert {"limit": "1"} == second.query
