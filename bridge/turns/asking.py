"""One turn's talk with Coze: from the session to the end of the chat, over any crash between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from bridge.clock import Clock
from bridge.coze.errors import is_gone
from bridge.errors import BackendRejected, LeaseLost, StoreError, StreamInterrupted
from bridge.log import get_logger
from bridge.media.handover import Handover
from bridge.model import (
    BotName,
    ChatEvent,
    ChatRef,
    ChatStarted,
    Content,
    CozeUserId,
    Key,
    Message,
    Platform,
    Question,
    Session,
    TurnId,
    TurnRecord,
)
from bridge.ports import ChatBackend, PlatformAdapter
from bridge.store.journal import LeaseJournal
from bridge.store.sessions import Sessions
from bridge.turns.state import TurnState, fold

log = get_logger(__name__)

SETTLE = 5.0  # seconds after which a question that Coze has is in its list of messages
PAUSE = 1.0  # seconds before Redis is tried again


@dataclass(frozen=True, slots=True)
class Bot:
    """One agent, and the platforms where it appears."""

    name: BotName
    backend: ChatBackend
    account: str  # whose uploads are whose at Coze
    adapters: dict[Platform, PlatformAdapter]


@dataclass(slots=True)
class Asking:
    """What has become of a question; `state` holds the answers so far."""

    bot: Bot
    adapter: PlatformAdapter
    key: Key
    turn: TurnId
    message: Message
    user: CozeUserId
    sessions: Sessions
    journal: LeaseJournal
    handover: Handover
    clock: Clock
    show: Callable[[tuple[str, ...]], None]
    state: TurnState = field(default_factory=TurnState)

    async def run(self) -> None:
        """Go on until the chat has ended; raises BackendError, MediaError and StoreError."""
        ref = await self._begun()
        if ref is not None:
            log.info("taking over", chat=ref.chat)
            self.state = fold(self.state, ChatStarted(ref))
            await self._started(ref)
            await self._recover(ref)
        else:
            await self._ask()

    async def cancel(self) -> None:
        """Tell Coze that nobody waits for the answer any more; raises BackendError."""
        ref = self.state.ref or await self._begun()
        if ref is not None:
            await self.bot.backend.cancel(ref)

    async def _begun(self) -> ChatRef | None:
        """The chat of a question that has left already, as the journal or Coze knows it.

        Raises StreamInterrupted where nobody can tell: asking again might ask twice.
        """
        record = self._record
        if record.asked_at is None or record.session is None:
            return None
        conversation = record.session.conversation_id
        if conversation is None:
            raise StreamInterrupted("the question left for a conversation that has no name yet")
        if record.chat is not None:
            return ChatRef(conversation, record.chat)
        since = self.clock.now() - record.asked_at
        await asyncio.sleep(min(SETTLE, max(0.0, SETTLE - since)))
        return await self.bot.backend.find(conversation, self.turn)

    async def _ask(self) -> None:
        contents = await self.handover.contents(
            self.message.parts, self.adapter, self.bot.backend, self.bot.account
        )
        try:
            await self._listen(await self._session(), contents)
        except BackendRejected as error:
            if self.state.ref is not None or not is_gone(error.code, error.reason):
                raise
            log.info("conversation gone", code=error.code, log_id=error.log_id)
            await self.sessions.forget(self.key)
            await self._listen(await self._session(), contents)

    async def _session(self) -> Session:
        """The session of this conversation; a new one is stored before it is used."""
        known = await self.sessions.load(self.key)
        if known is not None:
            return known
        try:
            session = Session(self.user, await self.bot.backend.create_conversation())
        except BackendRejected as error:
            # The token may lack this one permission; Coze opens a conversation when asked, too.
            log.warning("no conversation beforehand", code=error.code, log_id=error.log_id)
            return Session(self.user)
        await self.sessions.save(self.key, session)
        return session

    async def _listen(self, session: Session, contents: tuple[Content, ...]) -> None:
        await self._write(session=session, asked_at=self.clock.now())
        try:
            async with self.bot.backend.ask(Question(self.turn, session, contents)) as events:
                await self._follow(events)
        except StreamInterrupted:
            if self.state.ref is None:
                raise
            log.info("stream interrupted", chat=self.state.ref.chat)
            await self._recover(self.state.ref)

    async def _recover(self, ref: ChatRef) -> None:
        async with self.bot.backend.recover(ref) as events:
            await self._follow(events)

    async def _follow(self, events: AsyncIterator[ChatEvent]) -> None:
        async for event in events:
            self.state = fold(self.state, event)
            if isinstance(event, ChatStarted):
                await self._started(event.ref)
            self.show(self.state.texts)

    async def _started(self, ref: ChatRef) -> None:
        """Write down that Coze has the question; it may have put it into another conversation."""
        session = Session(self.user, ref.conversation)
        await self._write(session=session, chat=ref.chat)
        if await self.sessions.load(self.key) != session:
            await self.sessions.save(self.key, session)

    async def _write(self, **changes: object) -> None:
        """Write the journal, however long Redis is away; raises LeaseLost."""
        while True:
            try:
                await self.journal.write(replace(self._record, **changes))
            except LeaseLost:
                raise
            except StoreError as error:
                log.warning("journal waits", reason=str(error))
                await asyncio.sleep(PAUSE)
            else:
                return

    @property
    def _record(self) -> TurnRecord:
        return self.journal.latest or TurnRecord(turn=self.turn)
