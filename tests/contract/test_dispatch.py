"""Dispatching: bots apart, slots shared, turns handed off, and no stop for a wrong one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.model import (
    Address,
    BotName,
    ChatId,
    Message,
    MessageId,
    PersonId,
    Platform,
    Sender,
    Text,
)
from bridge.store import Stores, open_stores
from bridge.store.lease import Lease
from bridge.turns.dispatch import Dispatcher

HELPER, OTHER = BotName("helper"), BotName("other")


def said(order: int, text: str = "words", bot: BotName = HELPER, chat: str = "7") -> Message:
    return Message(
        id=MessageId(str(order)),
        address=Address(bot, Platform("telegram"), ChatId(chat)),
        sender=Sender(PersonId("1"), "Ann"),
        parts=(Text(text),),
        is_private=True,
        is_addressed=True,
        order=order,
    )


@dataclass
class Turns:
    """Runs turns that end when they may, or when they are stopped."""

    names: tuple[BotName, ...] = (HELPER,)
    run_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[Message] = field(default_factory=list)
    ended: list[Message] = field(default_factory=list)
    stopped: list[Message] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    @property
    def bots(self) -> dict[BotName, None]:
        return dict.fromkeys(self.names)

    async def run(self, lease: Lease, stop: asyncio.Event) -> None:
        (message,) = lease.taken
        self.begun.append(message)
        self.attempts.append(lease.attempt)
        waits = {asyncio.ensure_future(event.wait()) for event in (self.run_on, stop)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        (self.stopped if stop.is_set() else self.ended).append(message)


Start = Callable[..., Awaitable[Dispatcher]]


@pytest.fixture
async def processes(redis_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts processes on one store: each with its own connections and turns."""

    @asynccontextmanager
    async def start(turns: Turns, concurrency: int = 10, kind: type = Dispatcher):
        async with open_stores(redis_url, tmp_path, clock) as stores:
            dispatcher = kind(stores, turns, clock, concurrency)
            work = asyncio.create_task(dispatcher.work())
            try:
                yield dispatcher
            finally:
                work.cancel()
                await asyncio.wait([work])
                await dispatcher.drain(0)

    return start


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so, for less than a lease would take to run out."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_processes_with_different_bots_share_a_store(processes):
    """Each works on the messages of its own bots, wherever they came in, and none is lost."""
    one, other = Turns((HELPER,)), Turns((OTHER,))
    one.run_on.set()
    other.run_on.set()
    async with processes(one) as first, processes(other) as second:
        for order in range(10):
            for taker in (first, second):
                for bot in (HELPER, OTHER):
                    chat = f"{order}-{taker is first}"
                    await taker.receive(said(order, bot=bot, chat=chat))
        await until(lambda: (20, 20) == (len(one.ended), len(other.ended)))

    assert {HELPER} == {message.address.bot for message in one.ended}
    assert {OTHER} == {message.address.bot for message in other.ended}


async def test_all_bots_of_a_process_share_its_slots(processes):
    """No more turns run at once than the process may, and in the end all have run."""
    turns = Turns((HELPER, OTHER))
    async with processes(turns, concurrency=2) as dispatcher:
        for order in range(4):
            for bot in (HELPER, OTHER):
                await dispatcher.receive(said(order, bot=bot, chat=str(order)))
        await until(lambda: len(turns.begun) == 2)
        await asyncio.sleep(0.2)
        running = len(turns.begun)
        turns.run_on.set()
        await until(lambda: len(turns.ended) == 8)

    assert 2 == running


async def test_a_cancelled_turn_is_handed_off(processes):
    """Another process goes on at once, and the attempt is not counted."""
    here, there = Turns(), Turns()
    there.run_on.set()
    async with processes(here) as dispatcher:
        await dispatcher.receive(said(1))
        await until(lambda: here.begun)
    async with processes(there):
        await until(lambda: there.ended)

    assert ([], [1]) == (here.ended, there.attempts)


class Delayed:
    """A store's leases, one call of which takes for ever: before it arrives, or after."""

    def __init__(self, leases, name: str, *, is_late: bool) -> None:
        self._leases = leases
        self._name = name
        self._is_late = is_late
        self.is_reached = False

    def __getattr__(self, name):
        return self._call if name == self._name else getattr(self._leases, name)

    async def _call(self, *arguments):
        if self._is_late:
            await getattr(self._leases, self._name)(*arguments)
        self.is_reached = True
        await asyncio.Event().wait()


@pytest.mark.parametrize("name", ["claim", "begin"])
@pytest.mark.parametrize("is_late", [False, True])
async def test_a_turn_cancelled_before_it_runs_is_handed_off(
    processes, redis_url, clock, tmp_path, name, is_late
):
    """Wherever between token and turn the end comes, nobody waits for a lease to run out."""
    there = Turns()
    there.run_on.set()
    async with open_stores(redis_url, tmp_path, clock) as stores:
        delayed = Delayed(stores.leases, name, is_late=is_late)
        held = Stores(
            stores.mailbox,
            delayed,
            stores.stops,
            stores.sessions,
            stores.uploads,
            stores.secrets,
        )
        dispatcher = Dispatcher(held, Turns(), clock, 1)
        await dispatcher.receive(said(1))
        work = asyncio.create_task(dispatcher.work())
        await until(lambda: delayed.is_reached)
        work.cancel()
        await asyncio.wait([work])
        await dispatcher.drain(0)
    async with processes(there):
        await until(lambda: there.ended)

    assert [1] == there.attempts


async def test_a_turn_that_waits_for_a_slot_is_handed_off(processes):
    """What was read and not begun goes to another process, too."""
    here, there = Turns((HELPER, OTHER)), Turns((HELPER, OTHER))
    there.run_on.set()
    async with processes(here, concurrency=1) as dispatcher:
        for bot in (HELPER, OTHER):
            await dispatcher.receive(said(1, bot=bot))
        await until(lambda: here.begun)
    async with processes(there):
        await until(lambda: len(there.ended) == 2)

    assert [1, 1] == there.attempts


async def test_stop_ends_the_running_turn_and_no_other(processes):
    """Whichever process takes it in, and however often the platform offers it."""
    here, elsewhere = Turns(), Turns((OTHER,))
    async with processes(here) as dispatcher, processes(elsewhere) as taker:
        await dispatcher.receive(said(1))
        await until(lambda: here.begun)
        await taker.receive(said(2, "/stop"))
        await until(lambda: here.stopped)
        await taker.receive(said(3))
        await until(lambda: len(here.begun) == 2)
        await taker.receive(said(2, "/stop"))
        await asyncio.sleep(0.2)
        here.run_on.set()
        await until(lambda: here.ended)

    assert ([said(1)], [said(3)]) == (here.stopped, here.ended)


async def test_stop_together_with_its_question(processes, redis_url, clock, tmp_path):
    """A turn that nobody has begun yet begins stopped; what was said after it is answered."""
    turns = Turns()
    async with open_stores(redis_url, tmp_path, clock) as stores:
        intake = Dispatcher(stores, turns, clock, 1)
        for message in (said(1), said(2, "/stop"), said(3)):
            await intake.receive(message)
    async with processes(turns):
        await until(lambda: len(turns.begun) == 2)
        turns.run_on.set()
        await until(lambda: turns.ended)

    assert ([said(1)], [said(3)]) == (turns.stopped, turns.ended)


async def test_a_message_that_cannot_be_stored_is_skipped(processes):
    """Text that is no Unicode ends nothing; offered for ever, it would block all others."""
    turns = Turns()
    turns.run_on.set()
    async with processes(turns) as dispatcher:
        await dispatcher.receive(said(1, "half a \ud83d pair"))
        await dispatcher.receive(said(2))
        await until(lambda: turns.ended)

    assert [said(2)] == turns.ended


async def test_a_message_is_not_received_while_redis_is_away(clock, tmp_path):
    """The platform is to offer it again, so the error is told."""
    async with open_stores("embedded", tmp_path, clock) as stores:
        pass
    with pytest.raises(StoreError):
        await Dispatcher(stores, Turns(), clock, 1).receive(said(1))
