"""The mailbox of a conversation: messages that wait, in the platform's own order."""

import uuid
from enum import Enum
from typing import TypeVar
from urllib.parse import quote

import msgspec

from bridge.model import Key, Message
from bridge.store import keys
from bridge.store.connection import Client
from bridge.store.script import Script

T = TypeVar("T")

CAPACITY = 50  # messages that may wait in one conversation
REMEMBERED = 25 * 3600  # seconds; Telegram offers an update again for up to 24 hours


class Put(Enum):
    """What became of a message."""

    NEW = "new"
    DUPLICATE = "duplicate"
    FULL = "full"


class Mailbox:
    """Takes messages in."""

    def __init__(self, client: Client) -> None:
        self._put = Script(client, "put")

    async def put(self, key: Key, message: Message) -> Put:
        """Store a message and signal that its conversation has work.

        When this returns NEW or DUPLICATE, the message is durable; FULL stores nothing, so that
        the platform may offer it again. Raises StoreError: then it is unknown, and to be repeated.
        """
        ready = keys.ready(keys.bot_of(key))
        names = (keys.seen(key, message), keys.mailbox(key), keys.lease(key), ready)
        nonce = uuid.uuid4().hex
        return Put(await self._put(names, nonce, member(message), key, REMEMBERED * 1000, CAPACITY))


def prefix(message: Message) -> str:
    """What sorts a message among the others, and names it.

    Digits are padded because members of a sorted set compare as text; a score, being a double,
    would lose the last digits.
    """
    return f"{digits(message)}|{quote(message.id, safe=''):0>20}|"


def digits(message: Message) -> str:
    """Write the order of a message as text that sorts like it."""
    return f"{message.order:040d}"


def member(message: Message) -> str:
    """Write a message as it is stored."""
    return prefix(message) + msgspec.json.encode(message).decode()


def message_of(stored: str) -> Message:
    """Read a stored message; raises msgspec.MsgspecError."""
    return decoded(stored.split("|", 2)[-1], Message)


def decoded(stored: str, kind: type[T]) -> T:
    """Read a stored value; raises msgspec.MsgspecError."""
    # As bytes: what is no UTF-8 came out of Redis as surrogates.
    return msgspec.json.decode(stored.encode(errors="surrogateescape"), type=kind)
