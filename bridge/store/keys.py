"""The names of everything kept in Redis.

All keys of one conversation share the hash tag of its partition, all budgets of a bot another one,
so that a script finds its keys on one node of a Cluster.
"""

from urllib.parse import quote
from zlib import crc32

from bridge.model import BotName, Key, Limit, Message, Platform

PARTITIONS = 1  # fixed: another number would look for the waiting messages in other places
STOPS = "cb:stops"  # a channel


def partition(key: Key) -> int:
    """The partition that a conversation belongs to."""
    return crc32(key.encode()) % PARTITIONS


def ready(number: int) -> str:
    """The stream of a partition's tokens."""
    return f"cb:{{{number}}}:ready"


def dead(number: int) -> str:
    """The stream of a partition's turns that failed whoever took them."""
    return f"cb:{{{number}}}:dead"


def mailbox(key: Key) -> str:
    """The messages of a conversation that wait."""
    return f"cb:{{{partition(key)}}}:mailbox:{key}"


def lease(key: Key) -> str:
    """Who works on a conversation, on what, and how far that is."""
    return f"cb:{{{partition(key)}}}:lease:{key}"


def seen(key: Key, message: Message) -> str:
    """The mark that a platform's message was taken in."""
    where = message.address
    return f"cb:{{{partition(key)}}}:seen:" + joined(
        where.platform, where.bot, where.chat, message.id
    )


def pace(platform: Platform, bot: BotName, limit: Limit) -> str:
    """How much of one flood limit is used."""
    shape = f"{limit.interval:g}:{limit.burst}"
    return f"cb:{{{joined(platform, bot)}}}:pace:{quote(limit.scope, safe='')}:{shape}"


def hold(platform: Platform, bot: BotName, limit: Limit) -> str:
    """Until when the platform wants silence in a scope."""
    return f"cb:{{{joined(platform, bot)}}}:hold:{quote(limit.scope, safe='')}"


def session(key: Key) -> str:
    """Who a conversation is to Coze."""
    return f"cb:session:{key}"


def upload(account: str, digest: str) -> str:
    """The file that Coze has for some content."""
    return f"cb:upload:{joined(account, digest)}"


def secret(name: str) -> str:
    """A value that all processes agree on."""
    return f"cb:secret:{name}"


def joined(*pieces: str) -> str:
    """Join pieces so that no two lists of them look alike, and none holds a brace."""
    return ":".join(quote(piece, safe="") for piece in pieces)
