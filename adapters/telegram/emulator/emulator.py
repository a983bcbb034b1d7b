"""A stand-in for Telegram: the Bot API on loopback, people who write, faults on demand."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.telegram.emulator import formatted, people, show
from adapters.telegram.emulator.api import Api, Call
from adapters.telegram.emulator.faults import Fault
from adapters.telegram.emulator.flood import FloodRules
from adapters.telegram.emulator.post import Chat, Json, Media, Person, Post
from adapters.telegram.emulator.world import World
from bridge.clock import Clock, SystemClock
from bridge.model import MessageId
from bridge.ports import Shown
from bridge.serving import serving

TOKEN = "123456789:AAE-3xampleT0ken_of-an_Emulated8ot4u"  # noqa: S105 - opens nothing but this
TYPING = 5.0  # seconds that a chat action is shown

File = tuple[str, str, bytes]
"""Name, MIME type and content of a document."""


class TelegramEmulator:
    """One bot's Telegram, with one person and a private chat for the sandbox."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        flood: FloodRules | None = FloodRules(),  # noqa: B008 - a frozen value
        token: str = TOKEN,
        has_privacy: bool = True,
    ) -> None:
        """Without flood rules the service bears anything; privacy mode is for groups."""
        self._world = World(
            clock=clock or SystemClock(), token=token, rules=flood, has_privacy=has_privacy
        )
        self._api = Api(self._world)
        self.visitor = self.person("Alex")
        self.home = self.private(self.visitor)

    @property
    def bot(self) -> Person:
        """The bot's own account."""
        return self._world.bot

    @property
    def calls(self) -> Sequence[Call]:
        """The calls so far, refused ones too; the oldest are forgotten some day."""
        return tuple(self._api.calls)

    @asynccontextmanager
    async def open(self, bind: str = "127.0.0.1:0") -> AsyncIterator[Mapping[str, object]]:
        """Serve; yields the section that leads an adapter here. What happened is kept after."""
        courier = asyncio.create_task(self._world.courier.run())
        try:
            async with serving(self._api.application(), bind) as url:
                yield {"token": self._world.token, "api_url": url}
        finally:
            courier.cancel()
            await asyncio.wait([courier])
            if not courier.cancelled():
                courier.result()

    def person(
        self, first_name: str, username: str | None = None, language_code: str | None = "en"
    ) -> Person:
        """Make up a person."""
        person = Person(next(self._world.person_ids), first_name, username, language_code)
        self._world.people[person.id] = person
        return person

    def private(self, person: Person) -> int:
        """Open a person's chat with the bot."""
        chat = Chat(id=person.id, kind="private", members=(person,))
        return self._world.chats.setdefault(person.id, chat).id

    def group(
        self,
        title: str,
        members: Sequence[Person],
        topics: Sequence[str] = (),
        *,
        is_basic: bool = False,
    ) -> int:
        """Open a group with the bot in it, a supergroup unless it is basic; the first owns it."""
        return people.create_group(self._world, title, members, topics, is_basic=is_basic).id

    def topics(self, chat: int) -> Mapping[str, int]:
        """The threads of a group's topics, by name."""
        return dict(self._chat(chat).topics)

    async def send(
        self,
        chat: int,
        person: Person,
        text: str | None = None,
        *,
        photo: bytes | None = None,
        document: File | None = None,
        media_group: Sequence[bytes | File] = (),
        caption: str | None = None,
        reply_to: int | None = None,
        thread: int | None = None,
    ) -> int:
        """Write as a person and return the (first) message's id.

        As in an app, a text too long becomes several messages, and a caption stands at the first
        item of a media group.
        """
        items = media_group or [item for item in (photo, document) if item is not None]
        media = [self._keep(item) for item in items]
        words = captioned(media, caption or "") if media else pieces(text or "")
        album = str(next(self._world.album_ids)) if media_group else None
        posts = [
            people.write(
                self._world,
                self._chat(chat),
                person,
                formatted.trimmed(each),
                medium=medium,
                reply_to=reply_to,
                thread=thread,
                album=album,
            )
            for each, medium in words
        ]
        return posts[0].id

    async def edit(self, chat: int, message: int, text: str) -> None:
        """Change a person's message, as its author."""
        where = self._chat(chat)
        people.rewrite(self._world, where, where.posts[message], text)

    async def press(
        self, chat: int, message: int, button: str, person: Person | None = None
    ) -> str:
        """Press the button with that label and return the callback query's id."""
        where = self._chat(chat)
        return people.press(
            self._world, where, where.posts[message], person or where.members[0], button
        )

    def block(self, chat: int) -> None:
        """Let the person of a private chat block the bot."""
        people.change_standing(self._world, self._chat(chat), "blocked")

    def unblock(self, chat: int) -> None:
        """Let the person of a private chat unblock the bot."""
        people.change_standing(self._world, self._chat(chat), "member")

    def kick(self, chat: int) -> None:
        """Put the bot out of a group."""
        people.change_standing(self._world, self._chat(chat), "kicked")

    def upgrade(self, chat: int) -> int:
        """Turn a basic group into a supergroup and return its new id."""
        return people.upgrade(self._world, self._chat(chat)).id

    def messages(self, chat: int, *, with_deleted: bool = False) -> tuple[Post, ...]:
        """What a chat shows now, oldest first."""
        posts = self._chat(chat).posts.values()
        return tuple(post for post in posts if with_deleted or not post.is_deleted)

    def flood(self, chat: int, retry_after: int) -> None:
        """Refuse all sends and edits in a chat for so many seconds of the clock."""
        self._world.floods.hold(chat, self._world.clock.monotonic() + retry_after)

    def fail(
        self,
        method: str,
        times: int = 1,
        *,
        status: int = 502,
        description: str = "Bad Gateway",
        after_success: bool = False,
    ) -> None:
        """Let the next calls of a method fail; status 0 cuts the connection without an answer.

        With `after_success` the call is carried out, and only its answer is lost.
        """
        fault = Fault(status, description, is_after_success=after_success)
        self._world.faults.plan(method, fault, times)

    def delay(self, method: str, seconds: float, times: int = 1) -> None:
        """Let the next calls of a method take so much longer."""
        self._world.faults.plan_delay(method, seconds, times)

    def redeliver(self, update_id: int) -> None:
        """Deliver an update once more, confirmed or not."""
        self._world.updates.redeliver(update_id)

    def push_raw(self, body: Json) -> int:
        """Deliver whatever this is as an update and return its id."""
        return self._world.updates.push_raw(body)

    async def say(self, text: str, image: bytes | None = None) -> MessageId:
        """Write into the chat of the sandbox as its person."""
        number = await self.send(self.home, self.visitor, text, photo=image, caption=text)
        return MessageId(str(number))

    def transcript(self) -> tuple[Shown, ...]:
        """The chat of the sandbox as its person sees it now, oldest first."""
        return tuple(show.shown(post) for post in self.messages(self.home))

    async def changed(self) -> None:
        """Return when what a chat shows has changed since this was called."""
        await self._world.changed()

    @property
    def is_attended(self) -> bool:
        """Telegram keeps what is said until a bot asks for it."""
        return True

    @property
    def is_typing(self) -> bool:
        """Whether the chat of the sandbox shows that the bot is writing."""
        acted = self._chat(self.home).acted
        return acted is not None and self._world.clock.monotonic() < acted + TYPING

    def _chat(self, chat: int) -> Chat:
        return self._world.chats[chat]

    def _keep(self, item: bytes | File) -> Media:
        if isinstance(item, bytes):
            return self._world.files.photo(item)
        return self._world.files.document(*item)


def captioned(media: Sequence[Media], caption: str) -> list[tuple[str, Media | None]]:
    """Media, the first with the caption."""
    return [("" if number else caption, medium) for number, medium in enumerate(media)]


def pieces(text: str) -> list[tuple[str, Media | None]]:
    """Cut a text as an app does before it sends it."""
    step = formatted.TEXT
    return [(text[start : start + step], None) for start in range(0, len(text) or 1, step)]
