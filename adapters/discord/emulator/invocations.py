"""Starting interactions: a person invokes a command, or presses a button.

https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.discord.emulator.commands import Commands
from adapters.discord.emulator.events import Announce, Event
from adapters.discord.emulator.payloads import Payloads
from adapters.discord.emulator.places import Payload, Places
from adapters.discord.emulator.world import Channel, Message, Person, World

COMMAND, COMPONENT = 2, 3
OPTION_TYPES = {bool: 5, str: 3, int: 4, float: 10}


@dataclass(frozen=True, slots=True)
class Interaction:
    """One invocation or press."""

    id: str
    token: str
    kind: int
    channel: Channel
    person: Person
    at: float
    source: str | None = None  # the message that was pressed
    response: str | None = None  # the message that answers
    is_answered: bool = False


class Invocations:
    """Starts interactions, and knows those there are."""

    def __init__(
        self,
        world: World,
        places: Places,
        payloads: Payloads,
        commands: Commands,
        announce: Announce,
    ) -> None:
        self._world = world
        self._places = places
        self._payloads = payloads
        self._commands = commands
        self._announce = announce
        self.known: dict[str, Interaction] = {}  # by token

    def invoke(
        self, channel: Channel, person: Person, name: str, options: Mapping[str, object]
    ) -> Interaction:
        """Let a person invoke a slash command; Refusal when the bot has registered none."""
        command = self._commands.named(name, channel.guild)
        given = [
            {"name": one, "type": OPTION_TYPES[type(value)], "value": value}
            for one, value in options.items()
        ]
        chosen: Payload = {"id": command["id"], "name": name, "type": 1}
        return self._start(COMMAND, channel, person, chosen | ({"options": given} if given else {}))

    def press(self, message: Message, person: Person, button: str) -> Interaction:
        """Let a person press a button, by its `custom_id`."""
        pressed: Payload = {"custom_id": button, "component_type": 2, "id": 1}
        channel = self._world.channels[message.channel]
        return self._start(COMPONENT, channel, person, pressed, message)

    def _start(
        self,
        kind: int,
        channel: Channel,
        person: Person,
        chosen: Payload,
        source: Message | None = None,
    ) -> Interaction:
        interaction = Interaction(
            id=self._world.mint(),
            token=secrets.token_urlsafe(120),
            kind=kind,
            channel=channel,
            person=person,
            at=self._world.clock.monotonic(),
            source=source.id if source else None,
        )
        self.known[interaction.token] = interaction
        told = self._told(interaction, chosen)
        if source is not None:
            told["message"] = self._payloads.message(source)
        self._announce(Event("INTERACTION_CREATE", 0, channel.guild, told, told))
        return interaction

    def _told(self, interaction: Interaction, chosen: Payload) -> Payload:
        channel, person = interaction.channel, interaction.person
        guild = self._world.guilds.get(channel.guild or "")
        allowed = str(int(self._world.allowed(channel)))
        told: Payload = {
            "id": interaction.id,
            "application_id": self._world.application.id,
            "type": interaction.kind,
            "data": chosen,
            "token": interaction.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": self._places.channel(channel),
            "app_permissions": allowed,
            "locale": person.locale or "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild.id if guild else "0"},
            "context": 0 if guild else 1,
            "attachment_size_limit": 10 * 1024 * 1024,
        }
        if guild is None:
            return told | {"user": self._places.user(person)}
        member = {**self._places.full_member(person.id, guild), "permissions": allowed}
        brief = {"id": guild.id, "locale": "en-US", "features": []}
        more = {"guild_id": guild.id, "guild": brief, "guild_locale": "en-US", "member": member}
        return told | more
