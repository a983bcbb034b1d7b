"""What the gateway is told, and whom it concerns."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.discord.emulator import intents
from adapters.discord.emulator.world import Channel, ChannelKind, Json


@dataclass(frozen=True, slots=True)
class Event:
    """What the gateway dispatches; `bare` goes to who may not read what others write."""

    name: str
    intent: int  # a session without it hears nothing of this
    guild: str | None  # decides the shard
    full: Json
    bare: Json


Announce = Callable[[Event], None]


def message_intent(channel: Channel) -> int:
    """Which intent the messages of a channel need."""
    is_direct = channel.kind == ChannelKind.DIRECT
    return intents.DIRECT_MESSAGES if is_direct else intents.GUILD_MESSAGES


def in_guild(channel: Channel) -> dict[str, object]:
    """The guild of a channel; in direct messages the field is missing, not null."""
    return {} if channel.guild is None else {"guild_id": channel.guild}
