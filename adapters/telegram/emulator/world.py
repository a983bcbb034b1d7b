"""The state of an emulated service with one bot: people, chats, files, what is due."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from adapters.telegram.emulator import wire
from adapters.telegram.emulator.faults import Faults
from adapters.telegram.emulator.files import Files
from adapters.telegram.emulator.flood import FloodLedger, FloodRules
from adapters.telegram.emulator.post import Chat, Json, Person, Post
from adapters.telegram.emulator.refusal import Refusal, bad, forbidden, too_many
from adapters.telegram.emulator.updates import Updates
from adapters.telegram.emulator.webhook import Courier
from bridge.clock import Clock

FIRST_PERSON = 8_100_200_301  # past 32 bits, as the ids of today's accounts are


@dataclass(slots=True)
class Profile:
    """What the bot says of itself; keys are scopes and languages."""

    commands: dict[tuple[str, str], list[object]] = field(default_factory=dict)
    words: dict[tuple[str, str], str] = field(default_factory=dict)


class World:
    """Everything there is; the methods of the Bot API read and change it."""

    def __init__(
        self, *, clock: Clock, token: str, rules: FloodRules | None, has_privacy: bool
    ) -> None:
        self.clock = clock
        self.token = token
        self.has_privacy = has_privacy
        self.bot = Person(int(token.partition(":")[0]), "Bridge", "bridge_bot", is_bot=True)
        self.people: dict[int, Person] = {self.bot.id: self.bot}
        self.chats: dict[int, Chat] = {}
        self.files = Files()
        self.updates = Updates()
        self.courier = Courier(self.updates, clock)
        self.floods = FloodLedger(rules)
        self.faults = Faults()
        self.profile = Profile()
        self.queries: set[str] = set()  # pressed buttons that wait for an answer
        self.person_ids = count(FIRST_PERSON)
        self.album_ids = count(13_900_000_000_000_001)
        self._account_messages = count(1)  # private chats and basic groups share their numbers
        self._own_messages: dict[int, count[int]] = {}
        self._change = asyncio.Event()

    @property
    def date(self) -> int:
        """Now, as the service tells it."""
        return int(self.clock.now())

    def next_message(self, chat: Chat) -> int:
        """Take a new message id."""
        if chat.kind == "supergroup":
            # The number 1 is the general topic's, and never that of a message.
            return next(self._own_messages.setdefault(chat.id, count(2)))
        return next(self._account_messages)

    def put(self, chat: Chat, post: Post) -> Post:
        """Put a post into a chat, or in place of what it was."""
        if post.is_bot and post.id not in chat.posts:
            chat.acted = None
        chat.posts[post.id] = post
        change, self._change = self._change, asyncio.Event()
        change.set()
        return post

    async def changed(self) -> None:
        """Wait until some chat shows something else."""
        await self._change.wait()

    def known_people(self) -> dict[int, Json]:
        """Everyone, as the Bot API shows them."""
        return {number: wire.user(person) for number, person in self.people.items()}

    def find(self, reference: str) -> Chat:
        """The chat that a chat_id means; raises Refusal."""
        if not reference:
            raise bad("chat_id is empty")
        for chat in self.chats.values():
            person = chat.members[0] if chat.is_private else None
            username = person.username if person else None
            if reference == str(chat.id) or (username and reference == f"@{username}"):
                return chat
        if reference.isdecimal() and int(reference) in self.people:
            raise forbidden("bot can't initiate conversation with a user")
        raise bad("chat not found")

    def writable(self, reference: str) -> Chat:
        """The chat that a chat_id means, where the bot may write; raises Refusal."""
        chat = self.find(reference)
        if chat.upgraded_to is not None:
            problem = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, problem, migrate_to=chat.upgraded_to)
        if chat.standing == "blocked":
            raise forbidden("bot was blocked by the user")
        if chat.standing == "kicked":
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        return chat

    def charge(self, chat: Chat, messages: int = 1) -> None:
        """Count a send or an edit; raises Refusal when it comes too early."""
        now = self.clock.monotonic()
        wait = self.floods.write(chat.id, now, is_private=chat.is_private, count=messages)
        if wait:
            raise too_many(wait)

    def charge_action(self, chat: Chat) -> None:
        """Count a chat action or a draft; raises Refusal when it comes too early."""
        now = self.clock.monotonic()
        if wait := self.floods.act(chat.id, now):
            raise too_many(wait)
        chat.acted = now
