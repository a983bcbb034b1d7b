"""Messages into mailboxes, and turns out of them: order by key, keys beside one another."""

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial

from bridge.clock import Clock
from bridge.errors import LeaseLost, PlatformError, StoreError
from bridge.log import get_logger
from bridge.model import BotName, Key, Message
from bridge.store import Stores
from bridge.store.lease import Lease, Token
from bridge.store.mailbox import Put
from bridge.turns.commands import Command, command_of
from bridge.turns.identity import key_of, turn_of
from bridge.turns.runner import Runner
from bridge.turns.words import words_for

log = get_logger(__name__)

HANDING_OVER = 5.0  # seconds that the turns left over get to be handed on
PAUSE = 1.0  # seconds before Redis is tried again


@dataclass(slots=True)
class Dispatcher:
    """Takes messages in, and works through whatever any process has taken in."""

    stores: Stores
    runner: Runner
    clock: Clock
    concurrency: int
    _stops: dict[tuple[Key, int], asyncio.Event] = field(default_factory=dict)
    _turns: dict[tuple[Key, str], asyncio.Task[None]] = field(default_factory=dict)  # by token
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    async def receive(self, message: Message) -> None:
        """Make a message durable; raises StoreError when it could not be.

        One that can never be stored is recorded and skipped: offered again, it would block others.
        """
        if not message.is_addressed:
            return
        try:
            await self._take_in(message)
        except StoreError:
            raise
        except Exception:
            log.exception("message dropped", turn=turn_of(message))

    async def work(self) -> None:
        """Run turns until cancelled; those still running then go on until `drain`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_stops())
            for bot in self.runner.bots:
                group.create_task(self._read_tokens(bot))
                group.create_task(self._read_abandoned(bot))

    async def drain(self, grace: float) -> None:
        """Let running turns finish for `grace` seconds, then hand them to another worker."""
        if not self._turns:
            return
        log.info("finishing turns", count=len(self._turns), grace=grace)
        turns = tuple(self._turns.values())
        await asyncio.wait(turns, timeout=grace)
        for turn in turns:
            turn.cancel()
        _, alive = await asyncio.wait(turns, timeout=HANDING_OVER)
        for turn in alive:
            log.error("turn does not end", stack=[str(frame) for frame in turn.get_stack()])

    async def _take_in(self, message: Message) -> None:
        key = key_of(message)
        if command_of(message) is Command.STOP and await self.stores.stops.ask(key, message):
            log.info("stop asked for", key=key)
            return
        put = await self.stores.mailbox.put(key, message)
        log.info("received", turn=turn_of(message), key=key, result=put.name.lower())
        if put is Put.FULL:
            await self._refuse(message)

    async def _refuse(self, message: Message) -> None:
        """Say that too much is waiting, unless the flood leaves no room even for that."""
        bot = self.runner.bots[message.address.bot]
        adapter = bot.adapters[message.address.platform]
        surface = adapter.surface(message.address, message.id)
        permits = self.stores.leases.permits(None, bot.name, adapter.platform)
        if await permits.ask(surface.capabilities.limits, is_final=False) > 0:
            return
        try:
            sentence = words_for(message.sender.locale).busy_mailbox
            await surface.post(sentence, nonce=turn_of(message)[:25])
        except PlatformError as error:
            log.warning("refusal not shown", turn=turn_of(message), reason=repr(error))

    async def _read_tokens(self, bot: BotName) -> None:
        while True:
            free = await self._free()
            try:
                # Several bots may together read a few too many: those wait for a slot.
                count = max(1, free // len(self.runner.bots))
                self._start(await self.stores.leases.tokens(bot, count))
            except StoreError as error:
                log.warning("redis does not answer", bot=bot, reason=repr(error))
                await asyncio.sleep(PAUSE)

    async def _read_abandoned(self, bot: BotName) -> None:
        """Take over from workers that no longer renew their leases."""
        while True:
            await asyncio.sleep(self.stores.leases.duration / 3 * random.uniform(0.8, 1.2))  # noqa: S311 - spreads workers out
            free = await self._free()
            try:
                self._start(await self.stores.leases.abandoned(bot, free))
            except StoreError as error:
                log.warning("redis does not answer", bot=bot, reason=repr(error))

    async def _read_stops(self) -> None:
        """Pass stop signals on at once; the heartbeat would find them too, a little later."""
        async for turn in self.stores.stops.heard():
            if turn in self._stops:
                self._stops[turn].set()

    async def _free(self) -> int:
        """Wait until more turns may run, and return how many."""
        while (free := self.concurrency - len(self._turns)) <= 0:
            await asyncio.wait(self._turns.values(), return_when=asyncio.FIRST_COMPLETED)
        return free

    def _start(self, tokens: tuple[Token, ...]) -> None:
        for token in tokens:
            name = token.key, token.id
            # One that waits here for a slot looks abandoned after a while.
            if name not in self._turns:
                turn = self._turns[name] = asyncio.create_task(self._turn(token))
                turn.add_done_callback(partial(self._forget, name))

    def _forget(self, name: tuple[Key, str], _turn: asyncio.Task[None]) -> None:
        del self._turns[name]

    async def _turn(self, token: Token) -> None:
        """The only place that catches everything: a failure leaves the lease to run out."""
        try:
            await self._work_on(token)
        except* LeaseLost:
            log.warning("lease lost", key=token.key)
        except* StoreError as group:
            log.warning("turn interrupted", key=token.key, reason=repr(group.exceptions[0]))
        except* Exception:
            log.exception("turn failed", key=token.key)

    async def _work_on(self, token: Token) -> None:
        """Run the next turn of a key, then release the key; hand it off when cancelled."""
        try:
            async with self._slots:
                lease = await self.stores.leases.claim(token)
                if lease is not None:
                    await self._hold(lease)
                    await self.stores.leases.release(lease)
        except asyncio.CancelledError:
            await asyncio.shield(self.stores.leases.hand_off(token))
            log.info("handed off", key=token.key)
            raise

    async def _hold(self, lease: Lease) -> None:
        """Run a turn under a heartbeat, and let it hear of its stop."""
        turn = lease.key, lease.epoch
        stop = self._stops[turn] = asyncio.Event()
        try:
            if not lease.taken and lease.waiting:
                lease = await self.stores.leases.begin(lease, lease.waiting[:1])
            if not lease.taken:
                return
            if lease.is_stopped:
                stop.set()
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self._beat(lease, stop))
                await self.runner.run(lease, stop)
                beat.cancel()
        finally:
            del self._stops[turn]

    async def _beat(self, lease: Lease, stop: asyncio.Event) -> None:
        """Keep the lease; LeaseLost when it could not be renewed for most of its time."""
        leases = self.stores.leases
        renewed = self.clock.monotonic()
        while True:
            await asyncio.sleep(leases.duration / 5)
            try:
                if await leases.renew(lease):
                    stop.set()
                renewed = self.clock.monotonic()
            except LeaseLost:
                raise
            except StoreError as error:
                if self.clock.monotonic() - renewed > leases.duration * 0.8:
                    raise LeaseLost("could not be renewed in time") from error
