"""The names of everything kept in Redis.

All keys of a bot's conversations share one hash tag, all its budgets on a platform another one, so
that a script finds its keys on one node of a Cluster.
"""

from urllib.parse import quote

from bridge.model import BotName, Key, Limit, Message, Platform

STOPS = "cb:stops"  # a channel


def bot_of(key: Key) -> BotName:
    """The bot that a conversation is with: its key begins with the name and a colon."""
    return BotName(key.partition(":")[0])


def ready(bot: BotName) -> str:
    """The stream of a bot's tokens."""
    return f"cb:{{{quote(bot, safe='')}}}:ready"


def dead(bot: BotName) -> str:
    """The stream of a bot's turns that failed whoever took them."""
    return f"cb:{{{quote(bot, safe='')}}}:dead"


def mailbox(key: Key) -> str:
    """The messages of a conversation that wait."""
    return f"cb:{{{quote(bot_of(key), safe='')}}}:mailbox:{key}"


def lease(key: Key) -> str:
    """Who works on a conversation, on what, and how far that is."""
    return f"cb:{{{quote(bot_of(key), safe='')}}}:lease:{key}"


def seen(key: Key, message: Message) -> str:
    """The mark that a platform's message was taken in."""
    where = message.address
    name = joined(where.platform, where.chat, message.id)
    return f"cb:{{{quote(bot_of(key), safe='')}}}:seen:{name}"


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
