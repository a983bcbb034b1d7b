"""What the core expects of everything that can be exchanged."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.model import (
    Address,
    BotName,
    Capabilities,
    ChatEvent,
    ChatRef,
    ConversationId,
    Limit,
    MediaRef,
    Message,
    MessageId,
    Platform,
    Question,
    Replies,
    TurnId,
    Uploaded,
)

Deliver = Callable[[Message], Awaitable[None]]
"""Takes a message into the mailbox; when it returns, the message is durable."""


# --- platforms -----------------------------------------------------------------------------


class ReplySurface(Protocol):
    """Where one reply is written. Every call is one request: no hidden queue, no hidden retry.

    All raise `PlatformError`: RateLimited, MessageGone, NotPermitted, Refused, PlatformUnavailable.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this chat can show, and how often."""

    async def post(self, markdown: str, *, nonce: str) -> MessageId:
        """Send a new message; the platform drops a second one of the same nonce, where it can."""

    async def edit(self, message: MessageId, markdown: str) -> None:
        """Replace a message's text; an edit that changes nothing succeeds."""

    async def delete(self, message: MessageId) -> None:
        """Remove a message; one already gone counts as removed."""

    async def typing(self) -> None:
        """Show for some seconds that a reply is being written; best effort."""


class PlatformAdapter(Protocol):
    """One bot on one platform."""

    @property
    def platform(self) -> Platform:
        """The folder's name."""

    @property
    def bot(self) -> BotName:
        """Whose account this is."""

    async def check(self) -> str:
        """Ask the platform who the bot is and return that name; `ConfigError` if it refuses."""

    async def receive(self, deliver: Deliver) -> None:
        """Deliver messages until cancelled; the platform hears 'received' only after `deliver`."""

    def surface(self, address: Address, reply_to: MessageId | None) -> ReplySurface:
        """Where the reply to that message is written."""

    def open_media(self, ref: MediaRef) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream a file's bytes; raises `MediaError`. No size cap here: the reader has one."""

    async def public_url(self, ref: MediaRef) -> str | None:
        """Return a URL that carries no secret and that anyone can fetch for a while, or None."""


class Plugin(Protocol):
    """A platform's folder: `adapters.<name>` has one as its attribute `plugin`."""

    def open(
        self, bot: BotName, section: Mapping[str, object]
    ) -> AbstractAsyncContextManager[PlatformAdapter]:
        """Connect a bot described by `[bots.<bot>.<name>]`; `ConfigError` names a wrong key.

        `section` comes with secrets resolved and environment names applied.
        """

    def from_environment(self, environment: Mapping[str, str]) -> Mapping[str, object] | None:
        """Return the section that the environment alone describes, or None."""

    def emulator(self) -> "Emulator":
        """A stand-in for the platform itself."""


# --- what a running turn may do, and remembers -----------------------------------------------


class Permits(Protocol):
    """Leave to write for one holder of a conversation: flood limits first, then the fence."""

    async def ask(self, limits: tuple[Limit, ...], *, is_final: bool) -> float:
        """Take a slot in all limits at once and return 0.0, or return the seconds to wait.

        A call that is not final leaves a share of each burst untouched. A permit is used at once.
        Raises LeaseLost when the conversation has another holder.
        """

    async def hold(self, limit: Limit, seconds: float) -> None:
        """Grant nothing under this limit for so long: the platform answered 429."""


class Journal(Protocol):
    """Where a turn writes what it has done; fenced like everything else."""

    async def record(self, replies: Replies) -> None:
        """Remember the platform messages so far; raises LeaseLost."""


# --- the agent -----------------------------------------------------------------------------


class ChatBackend(Protocol):
    """The agent of one bot. All raise `BackendError`."""

    async def create_conversation(self) -> ConversationId:
        """Open a conversation."""

    def ask(self, question: Question) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """Ask, and yield what happens; leaving the block closes the stream.

        Raises `BackendUnavailable` and `BackendRejected` before the first event only; later,
        failures are `ChatFailed`, and a stream that just ends is `StreamInterrupted`.
        """

    def recover(self, ref: ChatRef) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """Wait for the end of a chat that was begun before, and yield its answers, whole."""

    async def find(self, conversation: ConversationId, turn: TurnId) -> ChatRef | None:
        """Look up the chat of a turn whose `ChatStarted` was never seen."""

    async def cancel(self, ref: ChatRef) -> None:
        """Tell Coze to stop; a chat that has ended already is no error."""

    async def upload(self, ref: MediaRef, content: bytes) -> Uploaded:
        """Hand a file to Coze."""


# --- stand-ins -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as a person sees it in an emulated chat."""

    id: MessageId
    is_bot: bool
    html: str  # as the platform would show it; safe to put into a page
    text: str  # what was sent, as it stands
    edits: int
    images: tuple[str, ...] = ()  # data: URLs


class Emulator(Protocol):
    """A platform's stand-in, with one person and one chat for the sandbox."""

    def open(self) -> AbstractAsyncContextManager[Mapping[str, object]]:
        """Serve on loopback; yields the configuration section that leads an adapter here."""

    async def say(self, text: str, image: bytes | None = None) -> MessageId:
        """Write into the chat as its person."""

    def transcript(self) -> tuple[Shown, ...]:
        """The chat as its person sees it now, oldest first."""

    async def changed(self) -> None:
        """Return when the transcript has changed since this was called."""

    @property
    def is_attended(self) -> bool:
        """Whether what is said now will reach the bot, now or later."""

    @property
    def is_typing(self) -> bool:
        """Whether the chat shows that the bot is writing."""
