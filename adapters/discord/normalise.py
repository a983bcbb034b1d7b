"""From discord.py's message to ours.

An address names the channel a message stands in. A thread is a channel of its own on Discord, with
an id of its own, so `chat` is the thread's id there and `thread` is never set.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath

import discord

from adapters.discord import handle
from bridge.model import (
    Address,
    BotName,
    ChatId,
    File,
    Image,
    MediaRef,
    Message,
    MessageId,
    Part,
    PersonId,
    Platform,
    Sender,
    Text,
)

PLATFORM = Platform("discord")

# Milliseconds since 1970 at which Discord's ids begin, and how many bits of an id are below them.
# https://docs.discord.com/developers/reference#snowflakes
EPOCH = 1_420_070_400_000
SEQUENCE_BITS = 22

SPOKEN = (discord.MessageType.default, discord.MessageType.reply)
# https://docs.discord.com/developers/reference#message-formatting
MARKUP = re.compile(
    r"<@!?(?P<person>\d+)>|<@&(?P<role>\d+)>|<#(?P<channel>\d+)>"
    r"|<a?(?P<emoji>:\w+:)\d+>|<(?P<command>/[^:<>]+):\d+>"
)
# Extensions that Coze takes for a type; the first is given to a name that has none of them.
EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "audio/ogg": (".ogg", ".oga"),
    "audio/mpeg": (".mp3",),
    "audio/wav": (".wav",),
    "audio/mp4": (".m4a", ".mp4"),
    "video/mp4": (".mp4",),
    "application/pdf": (".pdf",),
}


def message(source: discord.Message, me: int, bot: BotName) -> Message | None:
    """A person's message to us, or None for what nobody said: bots, webhooks, notices, nothing.

    `me` is the bot's own id. Without the message-content intent Discord withholds the text that is
    not for the bot: what is empty for that reason is None, too.
    """
    if source.author.bot or source.webhook_id is not None or source.type not in SPOKEN:
        return None
    parts = tuple(parts_of(source, me, bot))
    # What a person sent is answered, if only with the news that it cannot be read.
    if not parts and not ((source.stickers or source.poll) and is_addressed(source, me)):
        return None
    return Message(
        id=MessageId(str(source.id)),
        address=Address(bot, PLATFORM, ChatId(str(source.channel.id))),
        sender=Sender(PersonId(str(source.author.id)), source.author.display_name),
        parts=parts,
        is_private=is_private(source),
        is_addressed=is_addressed(source, me),
        order=order_of(source.id),
    )


def order_of(snowflake: int) -> int:
    """Milliseconds since 1970 above 22 bits of sequence: below 2**63 until the year 2039."""
    return snowflake + (EPOCH << SEQUENCE_BITS)


def is_private(source: discord.Message) -> bool:
    """Whether only the sender and the bot read it."""
    return isinstance(source.channel, discord.DMChannel)


def is_addressed(source: discord.Message, me: int) -> bool:
    """Whether it is for the bot: private, a mention of it or of its own role, or a reply to it."""
    if is_private(source) or any(person.id == me for person in source.mentions):
        return True
    if own_roles(source, me):
        return True
    replied = source.reference.resolved if source.reference else None
    return isinstance(replied, discord.Message) and replied.author.id == me


def own_roles(source: discord.Message, me: int) -> list[int]:
    """Mentioned roles that Discord made for the bot itself: people mistake them for the bot."""
    roles = [source.guild.get_role(id_) for id_ in source.raw_role_mentions] if source.guild else []
    return [role.id for role in roles if role and role.tags and role.tags.bot_id == me]


def parts_of(source: discord.Message, me: int, bot: BotName) -> Iterator[Part]:
    """Text first, then files, and the same of what is forwarded."""
    if text := text_of(source, me):
        yield Text(text)
    for snapshot in source.message_snapshots:
        if text := readable(snapshot.content, source).strip():
            yield Text(text)
    forwarded = (snapshot.attachments for snapshot in source.message_snapshots)
    for attachment in chain(source.attachments, *forwarded):
        yield file_of(attachment, source, bot)


def text_of(source: discord.Message, me: int) -> str:
    """The text without the mention in front, so that "@Helper /new" is the command "/new".

    A mention alone is a greeting that the agent should hear; under a file it only says whom the
    file is for.
    """
    names = "|".join([f"!?{me}", *(f"&{role}" for role in own_roles(source, me))])
    rest = re.sub(rf"\A(?:\s*<@(?:{names})>)+\s*", "", source.content)
    if not rest and not source.attachments:
        rest = source.content
    return readable(rest, source).strip()


def readable(text: str, source: discord.Message) -> str:
    """Replace Discord's markup for people, roles, channels, emoji and commands by their names."""
    return MARKUP.sub(lambda found: name_of(found, source), text)


def name_of(found: re.Match[str], source: discord.Message) -> str:
    """What a reader sees for one piece of markup; the markup itself where nobody knows."""
    number = int(found[found.lastgroup]) if found.lastgroup in ("person", "role", "channel") else 0
    match found.lastgroup:
        case "person":
            named = [person for person in source.mentions if person.id == number]
            return f"@{named[0].display_name}" if named else found[0]
        case "role":
            role = source.guild.get_role(number) if source.guild else None
            return f"@{role.name}" if role else found[0]
        case "channel":
            channel = source.guild.get_channel_or_thread(number) if source.guild else None
            return f"#{channel.name}" if channel else found[0]
        case _:
            return found["emoji"] or found["command"]


def file_of(attachment: discord.Attachment, source: discord.Message, bot: BotName) -> Part:
    """One attachment: an image, or else a file, as voice messages are."""
    kind = kind_of(attachment)
    place = handle.Handle(
        channel=str(source.channel.id),
        message=str(source.id),
        attachment=str(attachment.id),
        url=attachment.url,
    )
    ref = MediaRef(
        platform=PLATFORM,
        bot=bot,
        handle=handle.write(place),
        mime_type=kind,
        name=named_for(attachment.filename, kind),
        size=attachment.size,
    )
    return Image(ref) if kind.startswith("image/") else File(ref)


def kind_of(attachment: discord.Attachment) -> str:
    """The file's media type, which Discord may leave out: then its name's extension tells."""
    if attachment.content_type:
        return attachment.content_type.partition(";")[0].strip().lower()
    suffix = PurePosixPath(attachment.filename).suffix.lower()
    kinds = (kind for kind, suffixes in EXTENSIONS.items() if suffix in suffixes)
    return next(kinds, "application/octet-stream")


def named_for(name: str, kind: str) -> str:
    """The file's name, with an extension that fits its type."""
    fitting = EXTENSIONS.get(kind)
    if not fitting or PurePosixPath(name).suffix.lower() in fitting:
        return name
    return f"{name}{fitting[0]}"
