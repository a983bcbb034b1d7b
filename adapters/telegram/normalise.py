"""From Telegram's update to our message."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import telegram
from telegram import MessageEntity, Update
from telegram.constants import ChatType

from adapters.telegram import rich
from adapters.telegram.attachment import attached
from adapters.telegram.config import PLATFORM
from bridge.model import (
    Address,
    BotName,
    ChatId,
    File,
    Image,
    Message,
    MessageId,
    Part,
    PersonId,
    Sender,
    Text,
    ThreadId,
)

SEQUENCE_BITS = 22


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, as Telegram knows it."""

    id: int
    username: str


def normalise(update: Update, me: Me, bot: BotName) -> Message | None:
    """A person's message, or None for what nobody said to anybody: edits, posts, notices, bots."""
    source = update.message
    if source is None or is_ignored(source, me):
        return None
    parts = tuple(parts_of(source, me, bot))
    # What a person sent is answered, if only with the news that it cannot be read.
    if not parts and not (source.effective_attachment and is_addressed(source, me)):
        return None
    return Message(
        id=MessageId(str(source.message_id)),
        address=Address(bot, PLATFORM, ChatId(str(source.chat.id)), thread_of(source)),
        sender=sender_of(source),
        parts=parts,
        is_private=source.chat.type == ChatType.PRIVATE,
        is_addressed=is_addressed(source, me),
        order=order_of(source, update.update_id),
    )


def is_ignored(source: telegram.Message, me: Me) -> bool:
    """Whether no person wrote it; an anonymous admin and a channel write through a bot's account.

    https://core.telegram.org/bots/api#message (from, sender_chat)
    """
    if source.is_automatic_forward or (source.via_bot and source.via_bot.id == me.id):
        return True
    if source.sender_chat:
        return False
    return source.from_user is None or source.from_user.is_bot


def thread_of(source: telegram.Message) -> ThreadId | None:
    """The forum topic; outside of forums the same field numbers mere reply chains."""
    if not source.is_topic_message or source.message_thread_id is None:
        return None
    return ThreadId(str(source.message_thread_id))


def sender_of(source: telegram.Message) -> Sender:
    """Whose message it is: the chat in whose name it was sent, or else the person."""
    if chat := source.sender_chat:
        return Sender(PersonId(str(chat.id)), chat.effective_name or str(chat.id))
    person = source.from_user
    if person is None:
        raise ValueError("a message of nobody is ignored before")
    return Sender(PersonId(str(person.id)), person.full_name, person.language_code)


def order_of(source: telegram.Message, update_id: int) -> int:
    """Milliseconds since 1970 shifted by 22 bits, as on Discord, plus `update_id`.

    Telegram's dates are whole seconds, which leaves a thousand times 2**22 numbers for the messages
    of one second: more than there are update ids, which are below 2**31. So the order of updates
    is kept, and the whole fits into 63 bits until 2039.
    """
    return (int(source.date.timestamp()) * 1000 << SEQUENCE_BITS) + update_id


# --- for whom ------------------------------------------------------------------------------


def is_addressed(source: telegram.Message, me: Me) -> bool:
    """Whether it is for the bot: private, a command, a mention, or a reply to the bot."""
    if source.chat.type == ChatType.PRIVATE:
        return True
    if command := leading_command(source):
        name = command.partition("@")[2]
        return not name or name.casefold() == me.username.casefold()
    return is_mentioned(source, me) or is_reply_to(source, me)


def leading_command(source: telegram.Message) -> str | None:
    """The command a message begins with, such as "/ask" or "/ask@some_bot"."""
    for entity, text in entities_of(source):
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            return text
    return None


def is_mentioned(source: telegram.Message, me: Me) -> bool:
    """Whether the bot's name occurs, as Telegram itself found it."""
    if any(is_mention(entity, text, me) for entity, text in entities_of(source)):
        return True
    name = rf"@{re.escape(me.username)}\b"
    return re.search(name, rich_text(source), re.IGNORECASE) is not None


def is_mention(entity: MessageEntity, text: str, me: Me) -> bool:
    """Whether an entity names the bot, by its username or by its id."""
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == me.id
    return entity.type == MessageEntity.MENTION and text.casefold() == f"@{me.username}".casefold()


def is_reply_to(source: telegram.Message, me: Me) -> bool:
    """Whether it answers the bot; in a forum every message is a reply to the topic's first one."""
    replied = source.reply_to_message
    if replied is None or replied.from_user is None or replied.forum_topic_created:
        return False
    if source.is_topic_message and replied.message_id == source.message_thread_id:
        return False
    return replied.from_user.id == me.id


def entities_of(source: telegram.Message) -> Sequence[tuple[MessageEntity, str]]:
    """Text or caption, cut up by Telegram, whose offsets count UTF-16 code units."""
    found = source.parse_caption_entities() if source.caption else {}
    return tuple((source.parse_entities() if source.text else found).items())


# --- what ----------------------------------------------------------------------------------


def parts_of(source: telegram.Message, me: Me, bot: BotName) -> Iterator[Part]:
    """Words first, then the file, if there is one."""
    ref = attached(source, bot)
    text = text_of(source, me)
    # A name alone is a greeting; under a file it only says whom the file is for.
    if text and not (ref and is_name(text, me)):
        yield Text(text)
    if ref:
        yield Image(ref) if ref.mime_type.startswith("image/") else File(ref)
    if source.sticker and source.sticker.emoji:
        yield Text(source.sticker.emoji)


def text_of(source: telegram.Message, me: Me) -> str:
    """The words, without the bot's own name in front; a name alone is kept, as a greeting."""
    text = (source.text or source.caption or rich_text(source)).strip()
    for entity, found in entities_of(source):
        if entity.offset == 0 and is_mention(entity, found, me):
            return re.sub(r"\A[,:，：]?\s*", "", text.removeprefix(found)) or text
        if entity.offset == 0 and entity.type == MessageEntity.BOT_COMMAND:
            command, _, name = found.partition("@")
            is_own = name.casefold() == me.username.casefold()
            return command + text.removeprefix(found) if is_own else text
    return text


def is_name(text: str, me: Me) -> bool:
    """Whether it is nothing but the bot's name."""
    return text.casefold() == f"@{me.username}".casefold()


def rich_text(source: telegram.Message) -> str:
    """The words of a formatted message, as Premium users can send."""
    return rich.words(source.api_kwargs.get("rich_message"))
