"""A stand-in for Discord: REST, gateway and CDN on one loopback server."""

from adapters.discord.emulator.emulator import DiscordEmulator
from adapters.discord.emulator.rates import Rate, RateRules
from adapters.discord.emulator.world import Channel, Guild, Message, Person

__all__ = ["Channel", "DiscordEmulator", "Guild", "Message", "Person", "Rate", "RateRules"]
