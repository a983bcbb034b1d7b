"""Who and what exists on the emulated Discord, as values, and the place that holds them."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from bridge.clock import Clock

EPOCH = 1_420_070_400.0  # https://discord.com/developers/docs/reference#snowflakes
EPHEMERAL = (
    1 << 6
)  # https://discord.com/developers/docs/resources/message#message-object-message-flags

Json = Mapping[str, object]


class ChannelKind(IntEnum):
    """https://discord.com/developers/docs/resources/channel#channel-object-channel-types."""

    TEXT = 0
    DIRECT = 1
    THREAD = 11


class MessageKind(IntEnum):
    """https://discord.com/developers/docs/resources/message#message-object-message-types."""

    DEFAULT = 0
    REPLY = 19
    COMMAND = 20


class Permission(IntFlag):
    """https://discord.com/developers/docs/topics/permissions."""

    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    USE_APPLICATION_COMMANDS = 1 << 31
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


NOTHING = Permission(0)
GRANTED = Permission(sum(Permission))


@dataclass(frozen=True, slots=True)
class Person:
    """An account, a bot's included."""

    id: str
    name: str
    locale: str | None = None
    is_bot: bool = False
    takes_direct: bool = True


@dataclass(frozen=True, slots=True)
class Guild:
    """A server; the bot is always a member, and has the role that was made for it."""

    id: str
    name: str
    members: tuple[str, ...]
    bot_role: str
    at: float


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages are: a channel of a guild, a thread of a channel, or a direct message."""

    id: str
    kind: ChannelKind
    at: float
    name: str = ""
    guild: str | None = None
    parent: str | None = None
    recipient: str | None = None
    denied: Permission = NOTHING
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a message."""

    id: str
    channel: str
    name: str
    mime: str
    content: bytes = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """What a message replies to (kind 0) or forwards (kind 1)."""

    message: str
    channel: str
    guild: str | None
    kind: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What stands in a channel."""

    id: str
    channel: str
    author: Person
    at: float
    content: str = ""
    kind: MessageKind = MessageKind.DEFAULT
    edited_at: float | None = None
    edits: int = 0
    nonce: str | int | None = None
    reference: Reference | None = None
    snapshot: "Message | None" = None  # of what is forwarded
    attachments: tuple[Attachment, ...] = ()
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    flags: int = 0
    tts: bool = False
    mentions: tuple[str, ...] = ()
    mention_roles: tuple[str, ...] = ()
    mentions_everyone: bool = False
    reactions: tuple[tuple[str, str], ...] = ()  # emoji, person
    thread: str | None = None
    interaction: Json | None = None  # the metadata of what it answers

    @property
    def is_bot(self) -> bool:
        """Whether a bot wrote it."""
        return self.author.is_bot

    @property
    def is_ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def reply_to(self) -> str | None:
        """The message it replies to."""
        return self.reference.message if self.reference and self.reference.kind == 0 else None


@dataclass(frozen=True, slots=True)
class Application:
    """The bot's application, as the Developer Portal has it."""

    bot: Person
    token: str = field(repr=False)
    privileged: int  # the privileged intents that are switched on

    @property
    def id(self) -> str:
        """The application's id, which its bot user shares."""
        return self.bot.id


class World:
    """Everything that exists, by id."""

    def __init__(self, clock: Clock, *, token: str | None, privileged: int) -> None:
        self.clock = clock
        self._last = 0
        bot = Person(self.mint(), "Helper", is_bot=True)
        self.application = Application(bot, token or made_token(bot.id), privileged)
        self.persons: dict[str, Person] = {bot.id: bot}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}

    @property
    def bot(self) -> Person:
        """The bot's account."""
        return self.application.bot

    def mint(self) -> str:
        """Make an id; each is greater than all before, whatever the clock does."""
        milliseconds = int((self.clock.now() - EPOCH) * 1000)
        self._last = max(milliseconds << 22, self._last + 1)
        return str(self._last)

    def shown(self, channel: str) -> tuple[Message, ...]:
        """The messages of a channel, oldest first."""
        return tuple(self.messages.get(channel, {}).values())

    def find(self, channel: str, message: str) -> Message | None:
        """Look up a message."""
        return self.messages.get(channel, {}).get(message)

    def keep(self, message: Message) -> None:
        """Add a message, or put its new state in place of the old."""
        self.messages.setdefault(message.channel, {})[message.id] = message

    def allowed(self, channel: Channel) -> Permission:
        """What the bot may do in a channel; a thread has its parent's permissions."""
        parent = self.channels.get(channel.parent or "")
        return GRANTED & ~(channel.denied | (parent.denied if parent else NOTHING))

    def allows(self, channel: Channel, permission: Permission) -> bool:
        """Whether the bot may do this in the channel."""
        return bool(self.allowed(channel) & permission)

    def direct_with(self, person: str) -> Channel | None:
        """Look up the direct messages with a person."""
        return next((one for one in self.channels.values() if one.recipient == person), None)


def made_token(bot: str) -> str:
    """Make a token of the service's own shape: the bot's id, a time and a signature."""
    first = base64.urlsafe_b64encode(bot.encode()).decode().rstrip("=")
    return f"{first}.G{secrets.token_urlsafe(4)[:5]}.{secrets.token_urlsafe(29)[:38]}"
