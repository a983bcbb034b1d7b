"""Performs the steps of chats, whether anyone listens or not."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Self, assert_never

from bridge.coze.emulator.feed import Feed
from bridge.coze.emulator.fetch import first_problem
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.play import Play
from bridge.coze.emulator.record import Record
from bridge.coze.emulator.script import OPENING, refused, steps_of
from bridge.coze.emulator.state import Account, Chat, Message
from bridge.coze.emulator.steps import Completed, Delta, Done, Notice, Status, Step
from bridge.coze.emulator.wire import chat_event, dumps, message_event


@dataclass(frozen=True, slots=True)
class Stage:
    """What all runs of an emulator share."""

    account: Account
    record: Record
    flavour: Flavour


class Runs:
    """All runs, as tasks that end with this context."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, Run] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def start(self, chat: Chat, play: Play, pace: float) -> Feed:
        """Let a new chat run."""
        run, feed = Run(self._stage, chat, play, pace), Feed()
        self._spawn(self._perform(run, run.begin(feed), feed))
        return feed

    def resume(self, chat: Chat) -> Feed:
        """Go on with a chat that waited for the output of its tools."""
        run, feed = self._waiting.pop(chat.id), Feed()
        self._spawn(self._perform(run, run.perform(feed), feed))
        return feed

    def _spawn(self, performance: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(performance)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _perform(
        self, run: "Run", performance: Coroutine[None, None, None], feed: Feed
    ) -> None:
        try:
            await performance
        finally:
            feed.close()
        if run.has_more:
            self._waiting[run.chat.id] = run


class Run:
    """One chat's way from `created` to its end."""

    def __init__(self, stage: Stage, chat: Chat, play: Play, pace: float) -> None:
        self._stage = stage
        self._id = chat.id
        self._play = play
        self._pace = pace
        self._left: deque[Step] = deque(steps_of(play))
        self._messages: dict[int, str] = {}
        self._kept: set[str] = set()

    @property
    def chat(self) -> Chat:
        """The chat as it stands."""
        return self._stage.account.chats[self._id]

    @property
    def has_more(self) -> bool:
        """Whether steps are left for after the tools."""
        return bool(self._left)

    async def begin(self, feed: Feed) -> None:
        """Open the chat, look at its files, and perform it."""
        for _ in OPENING:
            self._apply(self._left.popleft(), feed)
        asked = self.chat.asked
        problem = await first_problem(asked.parts, self._stage.account, self._stage.record)
        if problem:
            self._left = deque(refused(4000, f"Request parameter error: {problem}"))
        await self.perform(feed)

    async def perform(self, feed: Feed) -> None:
        """Perform what is left, up to the next `Done`."""
        while self._left:
            step = self._left.popleft()
            if isinstance(step, Delta):
                await asyncio.sleep(self._pace)
            self._apply(step, feed)
            if isinstance(step, Done):
                return

    def _apply(self, step: Step, feed: Feed) -> None:
        match step:
            case Status():
                self._turn(step, feed)
            case Delta(number, text, reasoning):
                message = replace(self._message(number, "answer", text), reasoning=reasoning)
                self._say("conversation.message.delta", message_event(message), feed)
            case Completed():
                self._complete(step, feed)
            case Notice(event, data):
                feed.say(event, data)
            case Done():
                feed.say(*self._stage.flavour.done)
            case _:
                assert_never(step)

    def _turn(self, step: Status, feed: Feed) -> None:
        account, flavour, chat = self._stage.account, self._stage.flavour, self.chat
        # A cancel flips the state and nothing else: the run goes on, and ends as cancelled.
        if chat.status != "canceled":
            is_over = step.status in {"completed", "failed", "canceled"}
            chat = replace(
                chat,
                status=step.status,
                code=step.code,
                reason=step.reason,
                calls=step.calls,
                ended_at=account.now() if is_over else None,
                usage=self._play.usage if step.status == "completed" else chat.usage,
            )
            account.chats[chat.id] = chat
            self._stage.record.changed.fire()
        event = f"conversation.chat.{chat.status}"
        if chat.status == "canceled":
            event = flavour.cancelled_event
        shown = step.shown if step.shown is not None else chat_event(chat, flavour)
        self._say(step.event or event, shown, feed)

    def _complete(self, step: Completed, feed: Feed) -> None:
        message = replace(
            self._message(step.message, step.type, step.content),
            content_type=step.content_type,
            reasoning=step.reasoning,
        )
        if message.id not in self._kept:
            self._kept.add(message.id)
            self._stage.account.messages.append(message)
        self._say("conversation.message.completed", message_event(message), feed)

    def _message(self, number: int, type_: str, content: str) -> Message:
        id_ = self._messages.get(number)
        if id_ is None:
            id_ = self._messages[number] = self._stage.account.new_id()
        chat = self.chat
        return Message(
            id=id_,
            conversation_id=chat.conversation_id,
            section_id=chat.section_id,
            chat_id=chat.id,
            bot_id=chat.asked.bot_id,
            role="assistant",
            type=type_,
            content=content,
            content_type="text",
            created_at=self._stage.account.now(),
        )

    def _say(self, event: str, value: object, feed: Feed) -> None:
        feed.say(event, dumps(value, self._stage.flavour))
