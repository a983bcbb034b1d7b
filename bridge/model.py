"""The words of the project, as values.

What crosses the wire or the store is a frozen `msgspec.Struct` that tolerates unknown fields and
defaults every field added later, so that old and new workers can run side by side. What stays
inside a process is a frozen dataclass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NewType

import msgspec

BotName = NewType("BotName", str)  # the NAME of [bots.NAME]
Platform = NewType("Platform", str)  # "telegram", "discord", …: the folder's name in adapters/
ChatId = NewType("ChatId", str)
ThreadId = NewType("ThreadId", str)
MessageId = NewType("MessageId", str)
PersonId = NewType("PersonId", str)
Key = NewType("Key", str)  # one conversation: what is answered in order
TurnId = NewType("TurnId", str)  # one run of the agent, minted by us

CozeUserId = NewType("CozeUserId", str)
ConversationId = NewType("ConversationId", str)
CozeChatId = NewType("CozeChatId", str)  # Coze's name for one run
CozeMessageId = NewType("CozeMessageId", str)


# --- what a person sends -------------------------------------------------------------------


class Address(msgspec.Struct, frozen=True):
    """Where a message came from, and where its reply goes."""

    bot: BotName
    platform: Platform
    chat: ChatId
    thread: ThreadId | None = None


class Sender(msgspec.Struct, frozen=True):
    """Who wrote a message."""

    id: PersonId
    name: str
    locale: str | None = None  # an IETF language tag, where the platform tells


class MediaRef(msgspec.Struct, frozen=True):
    """A file on a platform; only the adapter that minted `handle` can open it."""

    platform: Platform
    bot: BotName
    handle: str
    mime_type: str
    name: str  # with the extension that fits the type: Coze refuses others with 4000
    size: int | None = None  # bytes, as the platform states


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A photo, or an image sent as a document."""

    ref: MediaRef


class File(msgspec.Struct, frozen=True, tag="file"):
    """Any other file."""

    ref: MediaRef


Part = Text | Image | File


class Message(msgspec.Struct, frozen=True, tag="message", kw_only=True):
    """One message from a chat, the same whatever the platform."""

    version: int = 1
    id: MessageId
    address: Address
    sender: Sender
    parts: tuple[Part, ...]
    is_private: bool
    is_addressed: bool  # a private message, a mention, a reply to the bot or a command for it
    order: int  # milliseconds, then the platform's own sequence: sorts late arrivals in


# --- what Coze is asked --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linked:
    """A file that Coze fetches itself; https://www.coze.com/docs/developer_guides/chat_v3."""

    kind: Literal["image", "file", "audio"]
    url: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was uploaded to Coze before."""

    kind: Literal["image", "file", "audio"]
    file_id: str


Content = Text | Linked | Uploaded


class Session(msgspec.Struct, frozen=True):
    """Who a conversation is to Coze; without an id, Coze opens a conversation when asked."""

    user_id: CozeUserId
    conversation_id: ConversationId | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What one turn asks: `turn` travels along so that a lost chat can be found again."""

    turn: TurnId
    session: Session
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class ChatRef:
    """One run of the agent, as Coze names it."""

    conversation: ConversationId
    chat: CozeChatId


# --- what Coze answers ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChatStarted:
    """Coze has the question: from here on it must never be asked again."""

    ref: ChatRef


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer."""

    message: CozeMessageId
    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of what a deep-thinking model thinks before it answers."""

    message: CozeMessageId
    text: str


@dataclass(frozen=True, slots=True)
class AnswerCompleted:
    """The whole of one answer; it overrules the deltas."""

    message: CozeMessageId
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The agent uses a tool."""

    name: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question the person might ask next."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswersFinished:
    """No more answers come in this chat; suggestions may."""


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """The agent waits: for local plugins (`tools`) or, with none, for the person's reply."""

    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatCompleted:
    """The run is over; token counts where Coze tells them."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChatFailed:
    """The run failed at Coze."""

    code: int
    reason: str
    log_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChatCancelled:
    """The run was cancelled."""


ChatEvent = (
    ChatStarted
    | Delta
    | Reasoning
    | AnswerCompleted
    | ToolCalled
    | FollowUp
    | AnswersFinished
    | ActionRequired
    | ChatCompleted
    | ChatFailed
    | ChatCancelled
)


# --- what a turn has done so far ------------------------------------------------------------

Replies = tuple[tuple[MessageId, ...], ...]
"""The platform messages of a turn: one reply for each answer, one message for each chunk."""


class TurnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's entry of a turn: what whoever takes it over has to know."""

    version: int = 1
    turn: TurnId
    session: Session | None = None  # with which Coze is, or was, asked
    asked_at: float | None = None  # seconds since 1970, written before the request leaves
    chat: CozeChatId | None = None  # from `chat.created` on; never ask again
    replies: Replies = ()


# --- what a platform can do ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """One flood limit: `burst` calls at once, then one every `interval` seconds.

    `scope` names what shares the limit within a bot: a chat ("chat:123"), or "" for the whole bot.
    """

    scope: str
    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a surface can show and how often it may be written."""

    max_length: int  # code points of a message
    fits: Callable[[str], bool]  # whether a chunk of Markdown fits into one message
    edit_interval: float  # seconds between two edits of one reply that the platform bears for long
    typing_lasts: float  # seconds that one `typing` call is shown
    limits: tuple[Limit, ...]
