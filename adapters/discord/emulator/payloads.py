"""Messages, written as the service writes them."""

from adapters.discord.emulator.cdn import Cdn
from adapters.discord.emulator.images import size_of
from adapters.discord.emulator.intents import MESSAGE_CONTENT
from adapters.discord.emulator.places import Payload, Places, iso
from adapters.discord.emulator.world import Attachment, ChannelKind, Message, World


class Payloads:
    """Writes messages as JSON objects."""

    def __init__(self, world: World, places: Places, cdn: Cdn) -> None:
        self._world = world
        self._places = places
        self._cdn = cdn

    def attachment(self, attachment: Attachment) -> Payload:
        """https://discord.com/developers/docs/resources/message#attachment-object."""
        link = self._cdn.link(attachment)
        written: Payload = {
            "id": attachment.id,
            "filename": attachment.name,
            "size": len(attachment.content),
            "url": link,
            "proxy_url": link,
            "content_type": attachment.mime,
        }
        size = size_of(attachment.content)
        if size is not None:
            written |= {"width": size[0], "height": size[1]}
        if attachment.description is not None:
            written["description"] = attachment.description
        return written

    def message(self, message: Message, *, is_event: bool = False, intents: int = -1) -> Payload:
        """https://discord.com/developers/docs/resources/message#message-object.

        An event tells the guild and the members besides. Without the message content intent,
        what others wrote is left empty, unless it was meant for the bot.
        """
        written = self._plain(message)
        if not (intents & MESSAGE_CONTENT or self.is_open(message)):
            written |= {"content": "", "embeds": [], "attachments": [], "components": []}
        elif message.snapshot is not None:
            written["message_snapshots"] = [{"message": self._snapshot(message.snapshot)}]
        if message.reference is not None:
            reference = message.reference
            written["message_reference"] = {
                "type": reference.kind,
                "message_id": reference.message,
                "channel_id": reference.channel,
                **({"guild_id": reference.guild} if reference.guild else {}),
            }
        if message.reply_to is not None:
            original = self._world.find(message.channel, message.reply_to)
            written["referenced_message"] = original and self.message(original, intents=intents)
        return written | (self._members(message) if is_event else {})

    def is_open(self, message: Message) -> bool:
        """Whether the bot sees the content in any case.

        https://discord.com/developers/docs/events/gateway#message-content-intent
        """
        bot = self._world.bot.id
        is_direct = self._world.channels[message.channel].kind == ChannelKind.DIRECT
        return is_direct or message.author.id == bot or bot in message.mentions

    def _plain(self, message: Message) -> Payload:
        persons = self._world.persons
        written: Payload = {
            "id": message.id,
            "channel_id": message.channel,
            "author": self._places.user(message.author),
            "timestamp": iso(message.at),
            "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
            "tts": message.tts,
            "mention_everyone": message.mentions_everyone,
            "mentions": [self._places.user(persons[one]) for one in message.mentions],
            "mention_roles": list(message.mention_roles),
            "pinned": False,
            "type": int(message.kind),
            **self._content(message),
        }
        if message.nonce is not None:
            written["nonce"] = message.nonce
        if message.reactions:
            written["reactions"] = self._reactions(message)
        if message.thread is not None:
            written["thread"] = self._places.channel(self._world.channels[message.thread])
        if message.interaction is not None:
            application = self._world.application.id
            written |= {"application_id": application, "webhook_id": application}
            written["interaction_metadata"] = message.interaction
        return written

    def _content(self, message: Message) -> Payload:
        return {
            "content": message.content,
            "embeds": list(message.embeds),
            "attachments": [self.attachment(one) for one in message.attachments],
            "components": list(message.components),
            "flags": message.flags,
        }

    def _snapshot(self, message: Message) -> Payload:
        return {
            **self._content(message),
            "type": int(message.kind),
            "timestamp": iso(message.at),
            "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
            "mentions": [self._places.user(self._world.persons[one]) for one in message.mentions],
            "mention_roles": list(message.mention_roles),
        }

    def _reactions(self, message: Message) -> list[Payload]:
        given: dict[str, list[str]] = {}
        for emoji, person in message.reactions:
            given.setdefault(emoji, []).append(person)
        return [
            {
                "emoji": emoji_of(emoji),
                "count": len(persons),
                "count_details": {"normal": len(persons), "burst": 0},
                "me": self._world.bot.id in persons,
                "me_burst": False,
                "burst_colors": [],
            }
            for emoji, persons in given.items()
        ]

    def _members(self, message: Message) -> Payload:
        guild = self._world.guilds.get(self._world.channels[message.channel].guild or "")
        if guild is None:
            return {}
        mentioned = [
            {
                **self._places.user(self._world.persons[one]),
                "member": self._places.member(one, guild),
            }
            for one in message.mentions
        ]
        told: Payload = {"guild_id": guild.id, "mentions": mentioned}
        if message.interaction is None:
            told["member"] = self._places.member(message.author.id, guild)
        return told


def emoji_of(text: str) -> Payload:
    """https://discord.com/developers/docs/resources/emoji#emoji-object, from its URL form."""
    name, _, emoji = text.partition(":")
    return {"id": emoji or None, "name": name}
