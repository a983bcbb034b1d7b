"""Founding places: guilds, channels, threads and direct messages, and telling the gateway."""

from dataclasses import replace

from adapters.discord.emulator import intents
from adapters.discord.emulator.acts import Acts
from adapters.discord.emulator.events import Announce, Event
from adapters.discord.emulator.places import Payload, Places
from adapters.discord.emulator.world import (
    Channel,
    ChannelKind,
    Guild,
    Message,
    Permission,
    Person,
    World,
)


class Founding:
    """Makes places and lets persons in."""

    def __init__(self, world: World, places: Places, acts: Acts, announce: Announce) -> None:
        self._world = world
        self._places = places
        self._acts = acts
        self._announce = announce

    def person(self, name: str, locale: str | None) -> Person:
        """Let someone sign up."""
        person = Person(self._world.mint(), name, locale)
        self._world.persons[person.id] = person
        return person

    def guild(self, name: str, members: tuple[Person, ...]) -> Guild:
        """Found a guild with the bot in it; its first person owns it."""
        found = (*(one.id for one in members), self._world.bot.id)
        guild = Guild(self._world.mint(), name, found, self._world.mint(), self._world.clock.now())
        self._world.guilds[guild.id] = guild
        self._tell("GUILD_CREATE", guild.id, self._places.joined_guild(guild))
        return guild

    def channel(self, guild: Guild, name: str) -> Channel:
        """Open a text channel."""
        channel = self._new(ChannelKind.TEXT, name, guild=guild.id)
        self._tell("CHANNEL_CREATE", guild.id, self._places.channel(channel))
        return channel

    def thread(
        self, parent: Channel, name: str, owner: Person, message: Message | None = None
    ) -> Channel:
        """Open a public thread, from a message or beside all."""
        channel = Channel(
            id=message.id if message else self._world.mint(),
            kind=ChannelKind.THREAD,
            at=self._world.clock.now(),
            name=name,
            guild=parent.guild,
            parent=parent.id,
            owner=owner.id,
        )
        self._world.channels[channel.id] = channel
        told = {**self._places.channel(channel), "newly_created": True}
        self._tell("THREAD_CREATE", channel.guild, told)
        if message is not None:
            self._acts.mark_threaded(message)
        return channel

    def direct(self, person: Person) -> Channel:
        """Open the direct messages between a person and the bot, or find them."""
        found = self._world.direct_with(person.id)
        return found or self._new(ChannelKind.DIRECT, "", recipient=person.id)

    def deny(self, channel: Channel, permissions: Permission) -> None:
        """Take permissions in a channel from the bot, and give back all others."""
        changed = replace(self._world.channels[channel.id], denied=permissions)
        self._world.channels[channel.id] = changed
        self._tell("CHANNEL_UPDATE", channel.guild, self._places.channel(changed))

    def block(self, person: Person) -> None:
        """Let a person take no more direct messages from the bot."""
        self._world.persons[person.id] = replace(person, takes_direct=False)

    def _new(
        self, kind: ChannelKind, name: str, guild: str | None = None, recipient: str | None = None
    ) -> Channel:
        now = self._world.clock.now()
        channel = Channel(self._world.mint(), kind, now, name, guild=guild, recipient=recipient)
        self._world.channels[channel.id] = channel
        return channel

    def _tell(self, name: str, guild: str | None, payload: Payload) -> None:
        self._announce(Event(name, intents.GUILDS, guild, payload, payload))
