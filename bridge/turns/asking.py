"""One turn's talk with Coze: from the session to the end of the chat, over any crash between."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from bridge.clock import Clock
from bridge.coze.errors import is_gone
from bridge.errors import BackendRejected, StreamInterrupted
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
            log.info("taking over", turn=self.turn, chat=ref.chat)
            await self._started(ref)
            await self._recover(ref)
        else:
            await self._ask()

    async def cancel(self) -> None:
        """Tell Coze that nobody waits for the answer any more."""
        if self.state.ref is not None:
            await self.bot.backend.cancel(self.state.ref)

    async def _begun(self) -> ChatRef | None:
        """The chat that an earlier holder began, as the journal or Coze knows it."""
        record = self._record
        session = record.session
        if record.asked_at is None or session is None or session.conversation_id is None:
            return None
        if record.chat is not None:
            return ChatRef(session.conversation_id, record.chat)
        return await self.bot.backend.find(session.conversation_id, self.turn)

    async def _ask(self) -> None:
        contents = await self.handover.contents(
            self.message.parts, self.adapter, self.bot.backend, self.bot.account
        )
        try:
            await self._listen(await self._session(), contents)
        except BackendRejected as error:
            if not is_gone(error.code, error.reason):
                raise
            log.info("conversation gone", turn=self.turn, code=error.code, log_id=error.log_id)
            await self.sessions.forget(self.key)
            await self._listen(await self._session(), contents)

    async def _session(self) -> Session:
        """The session of this conversation; a new one is stored before it is used."""
        known = await self.sessions.load(self.key)
        if known is not None:
            return known
        session = Session(self.user, await self.bot.backend.create_conversation())
        await self.sessions.save(self.key, session)
        return session

    async def _listen(self, session: Session, contents: tuple[Content, ...]) -> None:
        asked_at = self.clock.now()
        await self.journal.write(replace(self._record, session=session, asked_at=asked_at))
        try:
            async with self.bot.backend.ask(Question(self.turn, session, contents)) as events:
                await self._follow(events)
        except StreamInterrupted:
            if self.state.ref is None:
                raise
            log.info("stream interrupted", turn=self.turn, chat=self.state.ref.chat)
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
        session = self._record.session or Session(self.user)
        if session.conversation_id != ref.conversation:
            session = replace(session, conversation_id=ref.conversation)
            await self.sessions.save(self.key, session)
        await self.journal.write(replace(self._record, session=session, chat=ref.chat))

    @property
    def _record(self) -> TurnRecord:
        return self.journal.latest or TurnRecord(turn=self.turn)
