"""What the emulated account holds: conversations, chats, messages, files, and how ids look."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.clock import Clock
from bridge.coze.emulator.asked import Asked, EnterMessage, type_of
from bridge.coze.emulator.steps import ToolCall
from bridge.errors import BackendRejected

RUNNING = frozenset({"created", "in_progress"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    id: str
    conversation_id: str
    section_id: str
    chat_id: str
    bot_id: str
    role: str
    type: str
    content: str
    content_type: str
    created_at: int
    meta_data: Mapping[str, str] = field(default_factory=dict)
    reasoning: str = ""
    is_asked: bool = False  # came with a request


@dataclass(frozen=True, slots=True)
class Chat:
    """One run of the agent, as it stands."""

    id: str
    conversation_id: str
    section_id: str
    asked: Asked
    created_at: int
    status: str = "created"
    ended_at: int | None = None
    code: int = 0
    reason: str = ""
    usage: tuple[int, int] = (0, 0)  # tokens in, tokens out
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread of chats; clearing it begins a new section."""

    id: str
    section_id: str
    created_at: int
    bot_id: str = ""
    name: str = ""
    connector_id: str = "1024"
    meta_data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was uploaded."""

    id: str
    name: str
    content: bytes
    created_at: int


class Ids:
    """Mints 19-digit ids that are unique but, like the real ones, not in order of time."""

    def __init__(self) -> None:
        self._count = 0
        self._salt = secrets.randbelow(1_000_000)  # two emulators do not share ids

    def mint(self) -> str:
        """A new id."""
        self._count += 1
        scattered = self._count * 618_033_989 % 1_000_000_007
        return str(7_380_000_000_000_000_000 + scattered * 1_000_000 + self._salt)


class Account:
    """Everything the emulator remembers; its values are frozen and replaced."""

    def __init__(self, bot_id: str, clock: Clock) -> None:
        self._clock = clock
        self._ids = Ids()
        self.owner = self.new_id()
        self.bots = {bot_id}
        self.is_published = True
        self.tells_occupied_in_stream = False
        self.conversations: dict[str, Conversation] = {}
        self.chats: dict[str, Chat] = {}
        self.messages: list[Message] = []
        self.uploads: dict[str, Upload] = {}
        self._latest: dict[str, str] = {}  # the newest chat of each conversation

    def new_id(self) -> str:
        """An id like Coze's."""
        return self._ids.mint()

    def now(self) -> int:
        """Seconds since 1970, whole as Coze tells them."""
        return int(self._clock.now())

    def check_bot(self, bot_id: str) -> None:
        """Raise BackendRejected unless the bot exists here and is published."""
        if bot_id not in self.bots:
            if not re.fullmatch(r"[0-9]+", bot_id):
                raise BackendRejected(4006, "invalid bot")
            reason = f"Requested resource bot_id={bot_id} does not exist"
            raise BackendRejected(4200, reason)
        if not self.is_published:
            raise BackendRejected(4015, "The bot is not published to the API channel")

    def open_conversation(self, bot_id: str = "") -> Conversation:
        """Begin a conversation."""
        opened = Conversation(self.new_id(), self.new_id(), self.now(), bot_id)
        self.conversations[opened.id] = opened
        return opened

    def open_chat(self, conversation: Conversation, asked: Asked) -> Chat:
        """Begin a chat, its questions in place."""
        chat = Chat(self.new_id(), conversation.id, conversation.section_id, asked, self.now())
        self.chats[chat.id] = chat
        self._latest[conversation.id] = chat.id
        for entered in asked.messages:
            self.enter(conversation, entered, chat)
        return chat

    def enter(self, conversation: Conversation, entered: EnterMessage, chat: Chat | None) -> None:
        """Keep a message that came with a request."""
        message = Message(
            id=self.new_id(),
            conversation_id=conversation.id,
            section_id=conversation.section_id,
            chat_id=chat.id if chat else "",
            bot_id=chat.asked.bot_id if chat else conversation.bot_id,
            role=entered.role,
            type=type_of(entered),
            content=entered.content or "",
            content_type=entered.content_type or "text",
            created_at=self.now(),
            meta_data=entered.meta_data or {},
            is_asked=True,
        )
        self.messages.append(message)

    def is_occupied(self, conversation_id: str) -> bool:
        """Whether a chat of the conversation is running: only its newest one can be."""
        latest = self._latest.get(conversation_id)
        return latest is not None and self.chats[latest].status in RUNNING

    def answers_of(self, chat: Chat) -> list[Message]:
        """What the agent produced in a chat; the verbose ones come first, as they may at Coze."""
        own = [m for m in self.messages if m.chat_id == chat.id and not m.is_asked]
        return sorted(own, key=lambda message: message.type != "verbose")

    def history_of(self, conversation: Conversation) -> list[Message]:
        """The saved messages of a conversation, oldest first."""
        return [
            message
            for message in self.messages
            if message.conversation_id == conversation.id
            and (not message.chat_id or self.chats[message.chat_id].asked.is_saved)
        ]
