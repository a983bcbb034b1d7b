"""Waits for the end of a chat whose stream is lost, and reads back what it said."""

import asyncio
from collections.abc import AsyncGenerator

from bridge.coze.begin import is_worth_repeating
from bridge.coze.decode import Chat, ChatMessage, Envelope, chat_of, ending_of, messages_of
from bridge.coze.events import listed
from bridge.coze.settings import Patience
from bridge.coze.transport import Transport
from bridge.errors import BackendError, BackendRejected, StreamInterrupted
from bridge.log import get_logger
from bridge.model import ChatEvent, ChatRef

log = get_logger(__name__)


async def recovered(
    transport: Transport, ref: ChatRef, patience: Patience
) -> AsyncGenerator[ChatEvent]:
    """All answers of a chat, whole, and how it ended.

    Raises StreamInterrupted when out of patience, BackendRejected when Coze knows no such chat.
    """
    try:
        async with asyncio.timeout(patience.recovery):
            chat, log_id = await end_of(transport, ref, patience)
            messages = await messages_in(transport, ref, chat, patience)
    except TimeoutError as error:
        raise StreamInterrupted("the chat could not be seen to end") from error
    for event in listed(messages):
        yield event
    if ending := ending_of(chat, log_id=log_id):
        yield ending


async def end_of(transport: Transport, ref: ChatRef, patience: Patience) -> tuple[Chat, str | None]:
    """Look at a chat until it no longer runs."""
    while True:
        answer = await seen(transport, "/v3/chat/retrieve", ref, patience)
        chat = chat_of(answer.payload)
        if chat.status != "running":
            return chat, answer.log_id
        await asyncio.sleep(patience.poll)


async def messages_in(
    transport: Transport, ref: ChatRef, chat: Chat, patience: Patience
) -> tuple[ChatMessage, ...]:
    """What a chat has said; of one that did not complete, whatever can be had."""
    try:
        answer = await seen(transport, "/v3/chat/message/list", ref, patience)
    except BackendRejected:
        if chat.status == "completed":
            raise
        return ()
    return messages_of(answer.payload)


async def seen(transport: Transport, path: str, ref: ChatRef, patience: Patience) -> Envelope:
    """Ask until there is an answer: the chat goes on, whether it can be seen or not."""
    while True:
        try:
            return await transport.call("GET", path, query=name_of(ref))
        except BackendError as error:
            if not is_worth_repeating(error):
                raise
            log.info("chat not seen", chat=ref.chat, reason=str(error))
        await asyncio.sleep(patience.poll)


def name_of(ref: ChatRef) -> dict[str, str]:
    """A chat's name, as all endpoints want it."""
    return {"conversation_id": ref.conversation, "chat_id": ref.chat}
