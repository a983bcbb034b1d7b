"""Who a conversation is with, and who that person is to Coze."""

import hashlib
import hmac

from bridge.model import CozeUserId, Key, Message, PersonId, Platform, TurnId

DIGITS = 32  # of a hash: 128 bits


def key_of(message: Message) -> Key:
    """The conversation a message belongs to: one for each person in each chat or thread."""
    address = message.address
    place = (address.bot, address.platform, address.chat, address.thread or "", message.sender.id)
    return Key(":".join(place))


def turn_of(message: Message) -> TurnId:
    """The turn that answers a message: the same after any crash, so that no post happens twice."""
    address = message.address
    place = f"{address.bot}\n{address.platform}\n{address.chat}\n{message.id}"
    return TurnId(hashlib.sha256(place.encode()).hexdigest()[:DIGITS])


def coze_user_of(secret: str, platform: Platform, person: PersonId) -> CozeUserId:
    """The person's name at Coze, whose documentation advises against real ids.

    https://www.coze.com/docs/developer_guides/chat_v3 (user_id)
    """
    digest = hmac.new(secret.encode(), f"{platform}:{person}".encode(), hashlib.sha256).hexdigest()
    return CozeUserId(f"{platform}-{digest[:DIGITS]}")
