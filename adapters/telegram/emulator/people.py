"""What people do in their chats, and the updates the bot gets for it."""

import dataclasses
from collections.abc import Mapping, Sequence
from secrets import token_hex

from adapters.telegram.emulator import formatted, keyboard, utf16, wire
from adapters.telegram.emulator.post import Chat, Formatted, Json, Media, Person, Post, Standing
from adapters.telegram.emulator.world import World


def create_group(
    world: World,
    title: str,
    members: Sequence[Person],
    topics: Sequence[str],
    *,
    is_basic: bool,
) -> Chat:
    """Open a group that the bot is in already."""
    number = len(world.chats) + 4_200_300_401
    chat = Chat(
        id=-number if is_basic else -1_000_000_000_000 - number,
        kind="group" if is_basic else "supergroup",
        members=tuple(members),
        title=title,
    )
    world.chats[chat.id] = chat
    for topic in topics:
        event = {"forum_topic_created": {"name": topic, "icon_color": 7322096}}
        post = note(world, chat, chat.members[0], event)
        chat.topics[topic] = post.id
        world.put(chat, dataclasses.replace(post, thread=post.id))
    return chat


def write(
    world: World,
    chat: Chat,
    person: Person,
    content: Formatted,
    *,
    medium: Media | None = None,
    reply_to: int | None = None,
    thread: int | None = None,
    album: str | None = None,
) -> Post:
    """Put a person's message into a chat; the bot gets it where it may read it."""
    post = Post(
        id=world.next_message(chat),
        sender=person,
        date=world.date,
        content=content,
        media=medium,
        reply_to=reply_to,
        thread=thread,
        album=album,
    )
    world.put(chat, post)
    tell(world, chat, post, "message")
    return post


def rewrite(world: World, chat: Chat, post: Post, text: str) -> None:
    """Let the author change a message."""
    changed = dataclasses.replace(
        post, content=formatted.trimmed(text), edits=post.edits + 1, edited=world.date
    )
    world.put(chat, changed)
    tell(world, chat, changed, "edited_message")


def press(world: World, chat: Chat, post: Post, person: Person, label: str) -> str:
    """Press a button of a message and return the query's id; KeyError where there is none."""
    found = {
        str(button["text"]): button
        for button in keyboard.buttons(post.markup or {})
        if isinstance(button, dict)
    }
    query = token_hex(8)
    world.queries.add(query)
    body: Json = {
        "id": query,
        "from": wire.user(person),
        "message": wire.message(chat, post),
        "chat_instance": str(chat.id),
        "data": found[label]["callback_data"],
    }
    world.updates.push("callback_query", body, chat.id)
    return query


def change_standing(world: World, chat: Chat, standing: Standing) -> None:
    """Let the chat's first member block or unblock the bot, or put it out of a group."""
    before, after = (
        "member" if each == "member" else "kicked" for each in (chat.standing, standing)
    )
    chat.standing = standing
    body: Json = {
        "chat": wire.chat(chat),
        "from": wire.user(chat.members[0]),
        "date": world.date,
        "old_chat_member": wire.member(world.bot, before),
        "new_chat_member": wire.member(world.bot, after),
    }
    world.updates.push("my_chat_member", body, chat.id)


def upgrade(world: World, chat: Chat) -> Chat:
    """Turn a basic group into a supergroup, which has another id."""
    larger = Chat(
        id=-1_000_000_000_000 + chat.id,
        kind="supergroup",
        members=chat.members,
        title=chat.title,
    )
    world.chats[larger.id] = larger
    chat.upgraded_to = larger.id
    for where, event in (
        (chat, {"migrate_to_chat_id": larger.id}),
        (larger, {"migrate_from_chat_id": chat.id}),
    ):
        tell(world, where, note(world, where, chat.members[0], event), "message")
    return larger


def note(world: World, chat: Chat, person: Person, event: Mapping[str, object]) -> Post:
    """Put a service message into a chat."""
    post = Post(id=world.next_message(chat), sender=person, date=world.date, event=event)
    return world.put(chat, post)


def tell(world: World, chat: Chat, post: Post, kind: str) -> None:
    """Queue the update of a message that the bot may read."""
    if chat.is_private or not world.has_privacy or is_meant(world, chat, post):
        world.updates.push(kind, wire.message(chat, post), chat.id)


def is_meant(world: World, chat: Chat, post: Post) -> bool:
    """Whether privacy mode lets it through; https://core.telegram.org/bots/features#privacy-mode."""
    replied = chat.shown(post.reply_to)
    if post.event or (replied and replied.sender == world.bot):
        return True
    own = f"@{world.bot.username}".lower()
    for entity in post.entities:
        said = utf16.cut(post.text, entity.offset, entity.end).lower()
        if entity.type == "mention" and said == own:
            return True
        if entity.type == "bot_command" and ("@" not in said or said.endswith(own)):
            return True
    return False
