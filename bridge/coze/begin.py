"""Begins a chat once, whatever goes wrong before Coze tells that it has begun."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from stamina import AsyncRetryingCaller

from bridge.coze.decode import chat_of
from bridge.coze.errors import is_busy, is_transient
from bridge.coze.events import ChatReader
from bridge.coze.request import ChatRequest, body_of, query_of
from bridge.coze.settings import Patience
from bridge.coze.sse import Decoder
from bridge.coze.transport import Opened, Transport, limits_of
from bridge.errors import BackendError, BackendRejected, BackendUnavailable, StreamInterrupted
from bridge.log import get_logger
from bridge.model import ChatEvent, ChatFailed, ChatRef, ChatStarted

log = get_logger(__name__)

LookUp = Callable[[], Awaitable[ChatRef | None]]
"""Finds the chat of the question in the list of messages."""

BUSY_WAIT = 5.0  # seconds, at most, between two attempts while another chat runs


@dataclass(frozen=True, slots=True)
class Begun:
    """A chat that Coze has begun; without `rest` its stream is lost."""

    first: ChatEvent
    rest: AsyncGenerator[ChatEvent] | None

    async def events(self) -> AsyncIterator[ChatEvent]:
        """All that happens; StreamInterrupted when the stream ends before the chat does."""
        yield self.first
        if self.rest is None:
            raise StreamInterrupted("the stream was lost before its first event")
        async for event in self.rest:
            yield event

    async def close(self) -> None:
        """Hang up."""
        if self.rest is not None:
            await self.rest.aclose()


async def begin(
    transport: Transport, request: ChatRequest, look_up: LookUp, patience: Patience
) -> Begun:
    """Ask until the chat has begun, patiently, and never so that it could begin twice.

    Raises BackendUnavailable and BackendRejected when there is no chat, and StreamInterrupted
    when there may be one that cannot be looked up.
    """

    async def once() -> Begun:
        return await begin_or_find(transport, request, look_up, patience)

    async def in_spite_of_trouble() -> Begun:
        return await persistent(patience)(is_worth_repeating, once)

    until_free = AsyncRetryingCaller(
        attempts=None,
        timeout=patience.busy,
        wait_initial=patience.poll,
        wait_max=max(patience.poll, BUSY_WAIT),
        wait_jitter=patience.backoff,
    )
    return await until_free(is_occupied, in_spite_of_trouble)


def persistent(patience: Patience) -> AsyncRetryingCaller:
    """Repeats a call a few times, with growing and jittered pauses."""
    return AsyncRetryingCaller(
        attempts=patience.attempts,
        timeout=None,
        wait_initial=patience.backoff,
        wait_max=16 * patience.backoff,
        wait_jitter=patience.backoff,
    )


def is_worth_repeating(error: BaseException) -> bool:
    """Whether the same call may succeed in a moment, and has done nothing yet."""
    if isinstance(error, BackendRejected):
        return is_transient(error.code)
    return isinstance(error, BackendUnavailable)


def is_occupied(error: BaseException) -> bool:
    """Whether another chat runs in the conversation."""
    return isinstance(error, BackendRejected) and is_busy(error.code)


async def begin_or_find(
    transport: Transport, request: ChatRequest, look_up: LookUp, patience: Patience
) -> Begun:
    """Ask once; where Coze may have the question already, look before anyone asks again."""
    try:
        return await first_event(transport, request, patience)
    except StreamInterrupted as error:
        log.warning("fate unknown", reason=str(error))
        await asyncio.sleep(patience.settle)
        ref = await looked_up(request, look_up)
        problem: BackendError = BackendUnavailable(str(error))
    except BackendRejected as error:
        if not is_busy(error.code):
            raise
        # The chat that runs may be our own, begun by an attempt that nobody saw succeed; a
        # question without a turn's id was asked by somebody else.
        ref, problem = None, error
        with suppress(StreamInterrupted):
            ref = await look_up()
    if ref is None:
        raise problem
    log.info("chat found", conversation=ref.conversation, chat=ref.chat)
    return Begun(ChatStarted(ref), None)


async def looked_up(request: ChatRequest, look_up: LookUp) -> ChatRef | None:
    """The chat of a question of unknown fate; StreamInterrupted if that stays unknown."""
    if request.conversation_id is None:
        raise StreamInterrupted("the question is in a conversation of unknown name, or lost")
    try:
        return await look_up()
    except BackendError as error:
        raise StreamInterrupted(f"the question cannot be looked up: {error}") from error


async def first_event(transport: Transport, request: ChatRequest, patience: Patience) -> Begun:
    """Ask, and wait for the first event; raises what Coze says instead of one."""

    async def send(token: str) -> Begun:
        events = attempt(transport, request, token, patience)
        first = await anext(events)
        if not isinstance(first, ChatFailed):
            return Begun(first, events)
        await events.aclose()
        raise BackendRejected(first.code, first.reason, log_id=first.log_id)

    return await transport.authorised(send)


async def attempt(
    transport: Transport, request: ChatRequest, token: str, patience: Patience
) -> AsyncGenerator[ChatEvent]:
    """Ask once, and yield what happens; hangs up when closed."""
    limits = limits_of(read=patience.silence)
    sending = transport.opened(token, query_of(request), body_of(request), limits)
    async with sending as opened:
        if opened.chunks is None:
            ref = opened.envelope and chat_of(opened.envelope.payload).ref
            if ref:
                yield ChatStarted(ref)
            raise StreamInterrupted("answered without a stream")
        reader = ChatReader(request.conversation_id)
        async for event in told(opened, opened.chunks, reader):
            yield event
        await linger(opened.chunks, patience.linger)


async def told(
    opened: Opened, chunks: AsyncIterator[bytes], reader: ChatReader
) -> AsyncGenerator[ChatEvent]:
    """What a stream tells until the chat has ended; StreamInterrupted if it stops before."""
    decoder = Decoder()
    async for chunk in chunks:
        for event in decoder.feed(chunk):
            for happened in reader.take(event):
                yield with_log_id(happened, opened.log_id)
        if reader.has_ended:
            return
        if reader.is_done:
            break
    for event in decoder.end():
        for happened in reader.take(event):
            yield with_log_id(happened, opened.log_id)
    if not reader.has_ended:
        raise StreamInterrupted(f"the stream ended before the chat, log id {opened.log_id}")


def with_log_id(event: ChatEvent, log_id: str | None) -> ChatEvent:
    """A failure with what Coze's support asks for; anything else as it is."""
    return replace(event, log_id=log_id) if isinstance(event, ChatFailed) else event


async def linger(chunks: AsyncIterator[bytes], seconds: float) -> None:
    """Read what is left, so that the connection can be used again; nothing of it is news."""
    try:
        async with asyncio.timeout(seconds):
            async for _ in chunks:
                pass
    except (TimeoutError, BackendError):
        return
