"""What can happen on the emulated Discord: each act changes the world and tells the gateway."""

import asyncio
import re
from dataclasses import replace

from adapters.discord.emulator import intents
from adapters.discord.emulator.events import Announce, Event, in_guild, message_intent
from adapters.discord.emulator.form import COMPONENTS_V2, SETTABLE, Draft, Target, Upload
from adapters.discord.emulator.mentions import Mentioned, find_mentions
from adapters.discord.emulator.payloads import Payloads, emoji_of
from adapters.discord.emulator.refusals import invalid, refusal
from adapters.discord.emulator.world import (
    Attachment,
    Channel,
    ChannelKind,
    Json,
    Message,
    MessageKind,
    Permission,
    Person,
    Reference,
    World,
)

HAS_THREAD = 1 << 5
LOADING = 1 << 7
TYPING_LASTS = (
    10.0  # https://discord.com/developers/docs/resources/channel#trigger-typing-indicator
)


class Acts:
    """Does things with messages, on behalf of the bot or of a person."""

    def __init__(self, world: World, payloads: Payloads, announce: Announce) -> None:
        self._world = world
        self._payloads = payloads
        self._announce = announce
        self._typing: dict[str, float] = {}
        self._stirred = asyncio.Event()

    def post(
        self,
        channel: Channel,
        author: Person,
        draft: Draft,
        *,
        flags: int = 0,
        interaction: Json | None = None,
    ) -> Message:
        """Put a message into a channel; Refusal when it refers to nothing."""
        original, reference = self._referred(channel, draft.target)
        is_reply = reference is not None and reference.kind == 0
        mentioned = self._mentioned(channel, draft, original if is_reply else None)
        kind = MessageKind.REPLY if is_reply else MessageKind.DEFAULT
        message = Message(
            id=self._world.mint(),
            channel=channel.id,
            author=author,
            at=self._world.clock.now(),
            content=draft.content or "",
            kind=kind if interaction is None else MessageKind.COMMAND,
            nonce=draft.nonce,
            reference=reference,
            snapshot=original if reference is not None and not is_reply else None,
            attachments=self._attached(channel, draft.files),
            embeds=draft.embeds or (),
            components=draft.components or (),
            flags=(draft.flags or 0) | flags,
            tts=draft.tts,
            mentions=mentioned.users,
            mention_roles=mentioned.roles,
            mentions_everyone=mentioned.everyone,
            interaction=interaction,
        )
        self._world.keep(message)
        self._typing.pop(channel.id, None)
        self.tell("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, draft: Draft) -> Message:
        """Change what a form gives of a message; Refusal when nothing would be left."""
        channel = self._world.channels[message.channel]
        kept = message.attachments
        if draft.kept is not None:
            kept = tuple(one for one in kept if one.id in draft.kept)
        changed = replace(
            message,
            embeds=message.embeds if draft.embeds is None else draft.embeds,
            components=message.components if draft.components is None else draft.components,
            attachments=kept + self._attached(channel, draft.files),
            flags=edited_flags(message.flags, draft.flags) & ~LOADING,
        )
        if draft.content is not None:
            changed = self._reworded(channel, changed, draft)
        if not (changed.content or changed.embeds or changed.components or changed.attachments):
            raise refusal(50006)
        # A deferred response that is filled for the first time is not an edited one.
        if not message.flags & LOADING:
            changed = replace(changed, edits=message.edits + 1, edited_at=self._world.clock.now())
        self._world.keep(changed)
        self.tell("MESSAGE_UPDATE", changed)
        return changed

    def remove(self, message: Message) -> None:
        """Take a message away."""
        del self._world.messages[message.channel][message.id]
        channel = self._world.channels[message.channel]
        named = {"id": message.id, "channel_id": channel.id, **in_guild(channel)}
        self._report("MESSAGE_DELETE", channel, message_intent(channel), named)

    def react(self, message: Message, person: Person, emoji: str) -> None:
        """Add a reaction; the same one again changes nothing."""
        if (emoji, person.id) in message.reactions:
            return
        self._world.keep(replace(message, reactions=(*message.reactions, (emoji, person.id))))
        self._report_reaction("MESSAGE_REACTION_ADD", message, person, emoji)

    def unreact(self, message: Message, person: Person, emoji: str) -> None:
        """Take a reaction back."""
        left = tuple(one for one in message.reactions if one != (emoji, person.id))
        self._world.keep(replace(message, reactions=left))
        self._report_reaction("MESSAGE_REACTION_REMOVE", message, person, emoji)

    def type(self, channel: Channel) -> None:
        """Show in a channel that the bot is writing."""
        self._typing[channel.id] = self._world.clock.monotonic()
        self._stir()

    def is_typing(self, channel: str) -> bool:
        """Whether a channel shows now that the bot is writing."""
        since = self._typing.get(channel)
        return since is not None and self._world.clock.monotonic() - since < TYPING_LASTS

    def mark_threaded(self, message: Message) -> None:
        """Note that a thread hangs on the message, which has the same id."""
        changed = replace(message, thread=message.id, flags=message.flags | HAS_THREAD)
        self._world.keep(changed)
        self.tell("MESSAGE_UPDATE", changed)

    def tell(self, name: str, message: Message) -> None:
        """Dispatch an event of a message; what one person alone sees goes to no gateway."""
        if message.is_ephemeral:
            self._stir()
            return
        channel = self._world.channels[message.channel]
        full = self._payloads.message(message, is_event=True)
        bare = self._payloads.message(message, is_event=True, intents=0)
        self._report(name, channel, message_intent(channel), full, bare)

    async def stirred(self) -> None:
        """Return when anything has happened since this was called."""
        await self._stirred.wait()

    def _report_reaction(self, name: str, message: Message, person: Person, emoji: str) -> None:
        channel = self._world.channels[message.channel]
        told: Json = {
            "user_id": person.id,
            "channel_id": channel.id,
            "message_id": message.id,
            "message_author_id": message.author.id,
            "emoji": emoji_of(emoji),
            "burst": False,
            "type": 0,
            **in_guild(channel),
        }
        is_direct = channel.kind == ChannelKind.DIRECT
        intent = intents.DIRECT_MESSAGE_REACTIONS if is_direct else intents.GUILD_MESSAGE_REACTIONS
        self._report(name, channel, intent, told)

    def _report(
        self, name: str, channel: Channel, intent: int, full: Json, bare: Json | None = None
    ) -> None:
        if self._world.allows(channel, Permission.VIEW_CHANNEL):
            self._announce(Event(name, intent, channel.guild, full, full if bare is None else bare))
        self._stir()

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = asyncio.Event()

    def _referred(
        self, channel: Channel, target: Target | None
    ) -> tuple[Message | None, Reference | None]:
        if target is None:
            return None, None
        place = target.channel or channel.id
        if target.kind == 0 and place != channel.id:
            message = "Cannot reply to a message in a different channel"
            raise invalid("message_reference", "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", message)
        original = self._world.find(place, target.message)
        if original is None and target.must_exist:
            code = "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"
            raise invalid("message_reference", code, "Unknown message")
        if original is None:
            return None, None
        guild = self._world.channels[place].guild
        return original, Reference(original.id, place, guild, target.kind)

    def _mentioned(self, channel: Channel, draft: Draft, original: Message | None) -> Mentioned:
        guild = self._world.guilds.get(channel.guild or "")
        present = guild.members if guild else (self._world.bot.id, str(channel.recipient))
        return find_mentions(
            draft.content or "",
            draft.allowed,
            persons=present,
            roles=(guild.bot_role,) if guild else (),
            replied_to=original.author.id if original else None,
        )

    def _reworded(self, channel: Channel, message: Message, draft: Draft) -> Message:
        original = self._world.find(message.channel, message.reply_to or "")
        mentioned = self._mentioned(channel, draft, original)
        return replace(
            message,
            content=draft.content or "",
            mentions=mentioned.users,
            mention_roles=mentioned.roles,
            mentions_everyone=mentioned.everyone,
        )

    def _attached(self, channel: Channel, files: tuple[Upload, ...]) -> tuple[Attachment, ...]:
        return tuple(
            Attachment(
                id=self._world.mint(),
                channel=channel.id,
                name=re.sub(r"[^\w.\-]+", "_", one.name) or "unknown",
                mime=one.mime,
                content=one.content,
                description=one.description,
            )
            for one in files
        )


def edited_flags(before: int, given: int | None) -> int:
    """The flags after an edit; the second version of components cannot be switched off."""
    if given is None:
        return before
    return before & (~SETTABLE | COMPONENTS_V2) | given
