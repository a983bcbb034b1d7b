"""One turn: a message in, its finished reply out."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.errors import (
    BackendError,
    BackendRejected,
    BackendUnavailable,
    MediaError,
    MediaTooLarge,
    NotPermitted,
    Refused,
    StoreError,
)
from bridge.log import bound, get_logger
from bridge.media.handover import Handover
from bridge.model import BotName, ChatFailed, Message, TurnRecord
from bridge.ports import PlatformAdapter
from bridge.reply.editor import ReplyEditor
from bridge.store import Stores
from bridge.store.journal import LeaseJournal
from bridge.store.lease import Lease
from bridge.turns.asking import Asking, Bot
from bridge.turns.closing import closing, with_sentence
from bridge.turns.commands import Command, command_of
from bridge.turns.identity import coze_user_of, turn_of
from bridge.turns.state import TurnState
from bridge.turns.words import Words, on_code, words_for

log = get_logger(__name__)

CANCELLING = 10.0  # seconds that Coze gets to take a cancellation


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs turns for all bots of this process."""

    bots: Mapping[BotName, Bot]
    stores: Stores
    handover: Handover
    secret: str
    clock: Clock

    async def run(self, lease: Lease, stop: asyncio.Event) -> None:
        """Answer the message in work until its reply is complete on the platform.

        Raises StoreError, LeaseLost among them, and PlatformUnavailable after a long outage: then
        the turn is not over, and whoever takes it next goes on with it.
        """
        message = lease.taken[0]
        bot = self.bots.get(message.address.bot)
        adapter = bot.adapters.get(message.address.platform) if bot else None
        if bot is None or adapter is None:
            self._decline(lease, message)
            return
        with bound(turn=turn_of(message), key=lease.key):
            try:
                await self._reply(lease, message, bot, adapter, stop)
            except (NotPermitted, Refused) as error:
                # Blocked, removed, or no word of ours is taken: there is nowhere to say so.
                log.warning("reply given up", reason=repr(error))

    def _decline(self, lease: Lease, message: Message) -> None:
        """Leave a turn to a process that has its platform; StoreError until nobody was found."""
        where = f"[bots.{message.address.bot}.{message.address.platform}]"
        log.warning("not served here", key=lease.key, advice=f"give every process {where}")
        if not lease.is_poisoned:
            raise StoreError(f"this process has no {where}")

    async def _reply(
        self,
        lease: Lease,
        message: Message,
        bot: Bot,
        adapter: PlatformAdapter,
        stop: asyncio.Event,
    ) -> None:
        turn = turn_of(message)
        words = words_for(message.sender.locale)
        journal = self.stores.leases.journal(lease)
        record = journal.latest or TurnRecord(turn=turn)
        await journal.write(record)
        editor = ReplyEditor(
            adapter.surface(message.address, message.id),
            self.stores.leases.permits(lease, bot.name, adapter.platform),
            journal,
            self.clock,
            turn,
            record.replies,
            is_resumed=lease.attempt > 1,
        )
        async with editor:
            if lease.is_poisoned:
                log.error("turn given up", attempts=lease.attempt)
                await editor.finish((words.failed,))
                return
            if not message.parts:
                await editor.finish((words.nothing_readable,))
                return
            if command := command_of(message):
                texts: tuple[str, ...] = (await self._obey(command, lease, words),)
                await editor.finish(await self._closed(journal, texts, words))
                return
            asking = Asking(
                bot=bot,
                adapter=adapter,
                key=lease.key,
                turn=turn,
                message=message,
                user=coze_user_of(self.secret, adapter.platform, message.sender.id),
                sessions=self.stores.sessions,
                journal=journal,
                handover=self.handover,
                clock=self.clock,
                show=editor.show,
            )
            await self._talk(asking, editor, words, stop)

    async def _talk(
        self, asking: Asking, editor: ReplyEditor, words: Words, stop: asyncio.Event
    ) -> None:
        """Ask Coze and finish the reply with what came of it."""
        texts, is_stopped = await self._answer(asking, words, stop)
        if not is_stopped:
            texts = await self._closed(asking.journal, texts, words)
        try:
            await editor.finish(texts)
        except Refused:
            await editor.finish((words.failed,))
        if is_stopped:
            await self._cancel(asking)

    async def _closed(
        self, journal: LeaseJournal, texts: tuple[str, ...], words: Words
    ) -> tuple[str, ...]:
        """The final texts; a stop that came too late for them is answered, too."""
        return (*texts, words.nothing_to_stop) if await journal.close() else texts

    async def _obey(self, command: Command, lease: Lease, words: Words) -> str:
        """Do what a command says, and tell so."""
        match command:
            case Command.START:
                return words.start
            case Command.HELP:
                return words.help
            case Command.NEW:
                await self.stores.sessions.forget(lease.key)
                return words.new
            case Command.STOP:
                # A running turn is stopped at intake: this one waited its turn, so none is running.
                return words.nothing_to_stop

    async def _answer(
        self, asking: Asking, words: Words, stop: asyncio.Event
    ) -> tuple[tuple[str, ...], bool]:
        """Ask, and return the final texts and whether they were stopped.

        What fails becomes a sentence.
        """
        try:
            if not await ended_before(stop, asking.run()):
                log.info("stopped")
                return with_sentence(asking.state.texts, words.stopped), True
            ending = asking.state.ending
            if isinstance(ending, ChatFailed):
                log.warning("not answered", **fields_of(ending))
            else:
                log.info("answered", chat=chat_of(asking.state), ending=type(ending).__name__)
            return closing(asking.state, words), False
        except (BackendError, MediaError) as error:
            log.warning("not answered", **fields_of(error))
            return with_sentence(asking.state.texts, sentence_for(error, words)), False

    async def _cancel(self, asking: Asking) -> None:
        """Let Coze stop, too; the next question would meet a conversation that is still busy."""
        try:
            async with asyncio.timeout(CANCELLING):
                await asking.cancel()
        except (BackendError, TimeoutError) as error:
            log.warning("not cancelled at coze", reason=repr(error))


async def ended_before(stop: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Run `work` to its end; or, once `stop` is set, cancel it and return False."""
    running, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        has_ended = running.done()
    finally:
        running.cancel()
        stopping.cancel()
        await asyncio.wait({running, stopping})
    if not running.cancelled():
        running.result()  # raises what the work did
    return has_ended


def chat_of(state: TurnState) -> str | None:
    """Coze's name for the chat, to find it in Coze's own console."""
    return state.ref.chat if state.ref else None


def sentence_for(error: BackendError | MediaError, words: Words) -> str:
    """What the person is told of a failure."""
    match error:
        case BackendRejected():
            return on_code(words, error.code)
        case BackendUnavailable():
            return words.unavailable
        case MediaTooLarge():
            return words.too_large
        case MediaError():
            return words.file_gone
        case _:
            return words.broken_off


def fields_of(error: BackendError | MediaError | ChatFailed) -> dict[str, object]:
    """What the operator finds in the log: Coze's support asks for the log id."""
    names = ("code", "reason", "log_id")
    found = {name: getattr(error, name) for name in names if getattr(error, name, None) is not None}
    return found or {"reason": repr(error)}
